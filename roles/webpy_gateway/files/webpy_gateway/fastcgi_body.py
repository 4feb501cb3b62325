"""The body of a FastCGI request: exactly the declared bytes of STDIN, and then its end."""

from collections.abc import Callable

from webpy_gateway.request_body import Block, RequestBody


class Stdin(RequestBody):
    """`contents` returns the content of the next record, none at the end of STDIN."""

    def __init__(self, contents: Callable[[], Block], length: int) -> None:
        super().__init__()
        self._contents = contents
        self._left = length
        self._content: Block = b""

    def block(self, most: int) -> Block:
        """As RequestBody's. Raises OSError where the length is not the declared one."""
        if not self._left:
            return b""
        if not self._content:
            self._content = self._contents()
            if not 0 < len(self._content) <= self._left:
                raise OSError("STDIN differs from CONTENT_LENGTH")
        block = self._content
        if len(block) <= most:
            self._content = b""
        else:
            block, self._content = block[:most], block[most:]
        # the last bytes are given only when it is certain that they are the last
        if len(block) == self._left and self._contents():
            raise OSError("STDIN is longer than CONTENT_LENGTH")
        self._left -= len(block)
        return block
