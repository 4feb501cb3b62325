"""What several layers do with the iterable that a WSGI application returns (PEP 3333)."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice


def begun(result: Iterable[bytes]) -> Iterable[bytes]:
    """The result, run up to its first bytes: by then a generator has started its answer. Raises what it raises."""
    if type(result) is list or type(result) is tuple:
        return result
    chunks = iter(result)
    return Replaced(chain(list(islice(chunks, 1)), chunks), result)


class Replaced:
    """An iterable of other chunks in the place of the application's, which is closed all the same."""

    def __init__(self, chunks: Iterator[bytes], inner: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Closes the application's iterable."""
        close(self._inner)


def close(result: Iterable[bytes] | None) -> None:
    """Closes what can be closed."""
    closing = getattr(result, "close", None)
    if closing is not None:
        closing()
