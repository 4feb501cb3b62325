"""A real browser without a window: Debian's Chromium, driven through chromedriver as W3C WebDriver says."""

import json
import re
import subprocess
import tempfile
import time
import urllib.request
from typing import Any

TIMEOUT = 60.0
PATIENCE = 10.0  # seconds until the browser must have said why in its console
FLAGS = [
    "--headless=new",
    "--no-sandbox",  # root cannot have it
    "--disable-dev-shm-usage",  # small in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * 127.0.0.1",  # every name is this machine, and nothing leaves it
]
FETCH = """
const [url, options, done] = arguments;
fetch(url, options).then(async (answer) => done({
    status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text(),
}), (error) => done({error: String(error)}));
"""
SCRIPT = """
const [url, done] = arguments;
window.show = done;
const script = document.createElement("script");
script.src = url;
script.onload = script.onerror = (event) => done(event.type);
document.head.append(script);
"""


class Browser:
    """A profile of its own; the page that is open is where scripts run.  A context manager."""

    def __enter__(self) -> "Browser":
        self._profile = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        # not through a proxy of this machine
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        self._session = ""
        try:
            self._session = self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._session:
                self._call("DELETE", "")
        finally:
            self._driver.terminate()
            self._driver.communicate()
            self._profile.cleanup()

    def _start(self) -> str:
        """Return the address of the session."""
        assert self._driver.stdout
        ports = (re.search(r"started successfully on port (\d+)", line) for line in self._driver.stdout)
        port = next(found[1] for found in ports if found)
        self._session = f"http://127.0.0.1:{port}/session"
        wanted = {
            "goog:chromeOptions": {"args": [*FLAGS, f"--user-data-dir={self._profile.name}"]},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        made = self._call("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        return f"{self._session}/{made['sessionId']}"

    def _call(self, method: str, command: str, value: object = None) -> Any:
        body = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(self._session + command, method=method, data=body)
        with self._opener.open(request, timeout=TIMEOUT) as answer:
            return json.load(answer)["value"]

    def _log(self, kind: str) -> list[Any]:
        """Return what was logged since the last call."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": kind})]

    def forget(self) -> None:
        """Forget all cookies, answers and preflights."""
        for store in ("Cache", "Cookies"):  # what preflights allowed is in the cache
            self._call("POST", "/goog/cdp/execute", {"cmd": f"Network.clearBrowser{store}", "params": {}})

    def open(self, url: str) -> None:
        """Load a page, and forget what was logged before."""
        self._call("POST", "/url", {"url": url})
        for kind in ("performance", "browser"):
            self._log(kind)

    def fetch(self, url: str, **options: object) -> dict[str, Any]:
        """Let the page call `fetch`; return status, headers and body that it may read, or else error."""
        found: dict[str, Any] = self._call("POST", "/execute/async", {"script": FETCH, "args": [url, options]})
        return found

    def script(self, url: str) -> Any:
        """Let the page load a script that calls `show(...)`; return what it called it with, or else "error"."""
        return self._call("POST", "/execute/async", {"script": SCRIPT, "args": [url]})

    def requests(self, url: str) -> list[str]:
        """Return the methods of all requests for a URL that began since the page was opened, preflights included."""
        began = [parameters["request"] for parameters in self._network("requestWillBeSent")]
        return [request["method"] for request in began if request["url"] == url]

    def statuses(self) -> list[int]:
        """Return the statuses of all answers since the page was opened, also of those that it was not let read."""
        return [parameters["statusCode"] for parameters in self._network("responseReceivedExtraInfo")]

    def _network(self, event: str) -> list[Any]:
        """Return the parameters of these events of the network panel since the last call."""
        messages = [json.loads(message)["message"] for message in self._log("performance")]
        return [message["params"] for message in messages if message["method"] == f"Network.{event}"]

    def said(self) -> list[str]:
        """Return what the console has said since the last call, at once."""
        return self._log("browser")

    def console(self, words: str) -> list[str]:
        """Wait until the console says these words; return all lines since the last call, for a test to look at."""
        lines: list[str] = []
        end = time.monotonic() + PATIENCE
        while not any(words in line for line in lines) and time.monotonic() < end:
            time.sleep(0.1)
            lines += self._log("browser")
        return lines
