"""What the recording application of a scenario saw (molecule/front/app/record.py)."""

from typing import Any

from hosttests.site import Site


class Record:
    """The requests that reached the application, in their order."""

    def __init__(self, site: Site) -> None:
        """`site`: where to ask the application."""
        self._site = site

    def forget(self) -> None:
        """Begin anew."""
        assert self._site.request("DELETE", "seen").status == 200

    def all(self) -> list[dict[str, Any]]:
        """Return all since then."""
        return list(self._site.get("seen").json())
