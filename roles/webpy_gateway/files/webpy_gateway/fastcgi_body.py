"""The body of a FastCGI request as a file: exactly the declared bytes of STDIN, and then its end."""

import io
from collections.abc import Callable
from typing import Any


class Stdin(io.RawIOBase):
    """`blocks` returns the next bytes of STDIN, none at its end."""

    def __init__(self, blocks: Callable[[], bytes], length: int) -> None:
        self._blocks = blocks
        self._left = length
        self._block = memoryview(b"")
        self._over = False

    def readable(self) -> bool:
        """A body can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """As a file's. Raises OSError where the length was not the declared one."""
        if self._over:
            return 0
        if not self._block and self._left:
            self._block = memoryview(self._blocks())
            if not 0 < len(self._block) <= self._left:
                raise OSError("STDIN differs from CONTENT_LENGTH")
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._block))
        target[:size] = self._block[:size]
        self._block = self._block[size:]
        self._left -= size
        if not self._left:
            # the last bytes are given only when it is certain that they are the last
            if self._blocks():
                raise OSError("STDIN is longer than CONTENT_LENGTH")
            self._over = True
        return size
