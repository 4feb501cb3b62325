"""What docs/cors.md says that a browser's console shows: the tests and the manual have the same words."""

import enum
import re
from pathlib import Path

MANUAL = Path(__file__).resolve().parents[4] / "docs/cors.md"
BLOCKED = "Access to fetch at '{url}' from origin '{origin}' has been blocked by CORS policy: {reason}"
PREFLIGHT = "Response to preflight request doesn't pass access control check: "


class Row(enum.StrEnum):
    """The rows of the manual's table, by how they begin; each has a test in molecule/cors that makes it appear."""

    PREFLIGHT_REFUSED = f"{PREFLIGHT}No 'Access-Control-Allow-Origin' header"
    NO_GRANT = "No 'Access-Control-Allow-Origin' header"
    WILDCARD = "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard"
    NO_CREDENTIALS = "The value of the 'Access-Control-Allow-Credentials' header"
    REDIRECTED = f"{PREFLIGHT}Redirect"
    FAILED = "Failed to load resource: net"
    READABLE = "Failed to load resource: the server"
    NOT_EXPOSED = 'no error, but response.headers.get("ETag") is null'
    NO_COOKIE = "no error, but no cookie was sent or kept"


def rows() -> list[str]:
    """Return the first cells of the manual's table, without the marks of code."""
    table = MANUAL.read_text().partition("| Console |")[2].partition("\n\n")[0]
    return [cell.replace("`", "") for cell in re.findall(r"^\| (.+?) \| ", table, re.MULTILINE)]


def documented(row: Row) -> str:
    """Return what the manual has in that row."""
    (found,) = (cell for cell in rows() if cell.startswith(row))
    return found


def blocked(url: str, origin: str, row: Row) -> str:
    """Return the whole message of a fetch that failed for that reason."""
    return BLOCKED.format(url=url, origin=origin, reason=documented(row))
