"""The web site as seen from the host itself and from another one, and a browser with pages of several origins."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import testinfra
from hosttests import console
from hosttests.browser import Browser
from hosttests.gateway import Gateway
from hosttests.pages import Pages
from hosttests.relay import Relay
from hosttests.site import Site


@pytest.fixture(scope="module")
def outside(gateway: Gateway) -> Site:
    """Return the site as another host sees it."""
    inventory = gateway.host.backend.ansible_inventory
    stranger = testinfra.get_host(f"ansible://stranger?ansible_inventory={inventory}")
    return gateway.site(through=stranger.ansible.get_variables(), at=gateway.address)


@pytest.fixture(scope="module", params=["itself", "stranger"])
def site(request: pytest.FixtureRequest, gateway: Gateway, outside: Site) -> Site:
    """Replace the site of all scenarios: the same tests have to pass from both."""
    return gateway.site() if request.param == "itself" else outside


@pytest.fixture(scope="session")
def page_port() -> Iterator[int]:
    """Serve pages beside the site; return the port."""
    with Pages() as pages:
        yield pages.server_port


@pytest.fixture(scope="module")
def portal(gateway: Gateway) -> Iterator[str]:
    """Return the origin of the portal, as the browser reaches it."""
    with Relay(gateway.site().tunnel) as relay:
        yield f"http://portal.localhost:{relay.port}"


@pytest.fixture(scope="module")
def api(portal: str, gateway: Gateway) -> str:
    """Return the address of the API, as the browser reaches it."""
    return portal + gateway.prefix


@pytest.fixture(scope="module")
def allowed(page_port: int) -> str:
    """Return an allowed origin, of the same site as the portal: cookies are sent."""
    return f"http://tools.portal.localhost:{page_port}"


@pytest.fixture(scope="module")
def partner(page_port: int) -> str:
    """Return an allowed origin of another site."""
    return f"http://partner.localhost:{page_port}"


@pytest.fixture(scope="module")
def foreign(page_port: int) -> str:
    """Return an origin that is not allowed."""
    return f"http://foreign.localhost:{page_port}"


@pytest.fixture(scope="session")
def started() -> Iterator[Browser]:
    """Start a browser, once for all tests: it takes longer than most of them."""
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(started: Browser) -> Browser:
    """Return a browser that knows nothing yet."""
    started.forget()
    return started


@pytest.fixture
def blocked(browser: Browser) -> Callable[..., None]:
    """Return a check: a fetch of the URL fails, and the console says what docs/cors.md says that it does."""

    def check(origin: str, url: str, row: console.Row, **options: Any) -> None:
        browser.open(f"{origin}/")
        assert browser.fetch(url, **options) == {"error": "TypeError: Failed to fetch"}
        reason = console.blocked(url, origin, row)
        said = browser.console(reason)
        for words in (f" - {reason}", f"{url} - {console.documented(console.Row.FAILED)}"):
            assert any(line.endswith(words) for line in said), said

    return check
