"""The body of a request as a file that is read in blocks, whatever the protocol on the wire."""

import io

BLOCK_BYTES = 64 * 1024
Block = bytes | memoryview


class RequestBody(io.RawIOBase):
    """WSGI input: reads never go beyond the body."""

    def readable(self) -> bool:
        """Says yes, for io.RawIOBase."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """So many bytes, fewer only at the end; all where the size is negative or None. Raises OSError."""
        wanted = -1 if size is None else size
        blocks: list[Block] = []
        while wanted and (block := self.block(BLOCK_BYTES if wanted < 0 else min(wanted, BLOCK_BYTES))):
            blocks.append(block)
            wanted -= len(block) if wanted > 0 else 0
        return b"".join(blocks)

    def block(self, most: int) -> Block:
        """The next bytes, at most so many; none at the end. Raises OSError."""
        raise NotImplementedError
