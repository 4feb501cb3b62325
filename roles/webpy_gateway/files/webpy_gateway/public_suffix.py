"""Names under which strangers register their own (publicsuffix.org). Needed to validate, never to serve."""

import functools
from collections.abc import Iterator
from pathlib import Path


def is_shared(name: str) -> bool:
    """Whether strangers get names below this lower-case one: it is a public suffix, or has one below it.

    The list's private part counts too: everybody gets a name below github.io. And amazonaws.com is not listed but
    s3.amazonaws.com is: what lets in all below the former lets in every customer of the latter.
    """
    name = name.removesuffix(".")
    return name in _above_suffixes() or _is_suffix(name)


@functools.cache
def _is_suffix(name: str) -> bool:
    # here, so that a gateway without subdomain patterns never loads it; the list itself is not kept, it is large
    import publicsuffixlist

    return bool(publicsuffixlist.PublicSuffixList().is_public(name))


@functools.cache
def _above_suffixes() -> frozenset[str]:
    """The names that have public suffixes below them."""
    import publicsuffixlist

    rules = [rule.split(".") for rule in _rules(Path(publicsuffixlist.PSLFILE))]
    return frozenset(".".join(rule[place:]) for rule in rules for place in range(1, len(rule)))


def _rules(path: Path) -> Iterator[str]:
    """The rules of the list in ASCII; each ends at the first white space of its line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words and not words[0].startswith("//"):
            yield words[0] if line.isascii() else words[0].encode("idna").decode()
