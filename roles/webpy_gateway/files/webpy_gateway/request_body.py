"""The body of a request as a file that is read in blocks, whatever the protocol on the wire."""

import io

BLOCK_BYTES = 64 * 1024


class RequestBody(io.RawIOBase):
    """WSGI input: reads never go beyond the body."""

    def readable(self) -> bool:
        """Says yes, for io.RawIOBase."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """So many bytes, fewer only at the end; all where the size is negative or None. Raises OSError."""
        wanted = -1 if size is None else size
        blocks = []
        while wanted and (block := self.block(BLOCK_BYTES if wanted < 0 else min(wanted, BLOCK_BYTES))):
            blocks.append(block)
            wanted -= len(block) if wanted > 0 else 0
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def block(self, most: int) -> bytes:
        """The next bytes, at most so many; none at the end. Raises OSError."""
        raise NotImplementedError
