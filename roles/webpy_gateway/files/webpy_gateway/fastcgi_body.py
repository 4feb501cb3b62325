"""The body of a FastCGI request: exactly the declared bytes of STDIN, and then its end."""

from collections.abc import Iterator

from webpy_gateway.request_body import Block, RequestBody


class Stdin(RequestBody):
    """`contents`: of the records of STDIN, up to its end; `length`: the declared one, in bytes."""

    def __init__(self, contents: Iterator[Block], length: int) -> None:
        super().__init__()
        self._contents = contents
        self._left = length
        self._content: Block = b""

    def block(self, most: int) -> Block:
        """As RequestBody's. Raises OSError where the length is not the declared one."""
        if not self._left:
            return b""
        block = self._content or next(self._contents, b"")
        if not 0 < len(block) <= self._left:
            raise OSError("STDIN differs from CONTENT_LENGTH")
        if len(block) <= most:
            self._content = b""
        else:
            block, self._content = block[:most], block[most:]
        # the last bytes are given only when it is certain that they are the last
        if len(block) == self._left and next(self._contents, b""):
            raise OSError("STDIN is longer than CONTENT_LENGTH")
        self._left -= len(block)
        return block
