"""The API as its server calls it: a WSGI callable, with the prefix in the path and with the prefix removed."""

import importlib.util
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from wsgiref.util import setup_testing_defaults

API = Path(__file__).parents[3] / "files" / "api"


@dataclass
class Answer:
    """What the application answered; `body` has been read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"] == "application/json"
        assert self.headers["Content-Length"] == str(len(self.body))
        return json.loads(self.body)


@dataclass
class Client:
    """Calls `wsgi` as the gateway does. Paths are without the prefix, which goes where the mode wants it."""

    wsgi: Callable[..., Iterator[bytes]]
    prefix: str
    strip: bool

    def start(self, method: str, path: str, body: bytes = b"", **environ: Any) -> tuple[Answer, Iterator[bytes]]:
        """Return an answer without body, and the body's pieces as the application makes them."""
        path, _, query = path.partition("?")
        env: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": self.prefix if self.strip else "",
            "PATH_INFO": path if self.strip else self.prefix + path,
            "QUERY_STRING": quote(query, safe="=&%+"),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "192.0.2.7",
            "HTTP_HOST": "devices.example",
            "wsgi.input": io.BytesIO(body),
            **environ,
        }
        setup_testing_defaults(env)
        answers: list[Answer] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            assert len({name.lower() for name, _ in headers}) == len(headers), f"doubled header in {headers}"
            answers.append(Answer(int(status.split()[0]), dict(headers), b""))

        pieces = iter(self.wsgi(env, start_response))
        return answers[0], pieces

    def __call__(self, method: str, path: str, value: Any = None, **environ: Any) -> Answer:
        """Return the whole answer; `value`, unless it is bytes, is sent as JSON."""
        body = value if isinstance(value, bytes) else b"" if value is None else json.dumps(value).encode()
        answer, pieces = self.start(method, path, body, **{"CONTENT_TYPE": "application/json", **environ})
        answer.body = b"".join(pieces)
        return answer

    def follow(self, method: str, url: str, value: Any = None) -> Answer:
        """Return the answer for a URL path as a client of the proxy sees it."""
        assert url.startswith(self.prefix + "/")
        return self(method, url.removeprefix(self.prefix), value)


def load_application() -> Callable[..., Iterator[bytes]]:
    """Return the application's WSGI callable, imported anew: it reads its environment when it is imported."""
    spec = importlib.util.spec_from_file_location("inventory_app", API / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    wsgi: Callable[..., Iterator[bytes]] = module.application.wsgifunc()
    return wsgi
