"""Pages of other origins: a web server beside the one under test, under whatever name a browser calls it by."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!doctype html><link rel=icon href=data:,><title>Page</title>"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def do_OPTIONS(self) -> None:
        self.send_response(308)
        self.send_header("Location", self.path.partition("?to=")[2])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Pages(ThreadingHTTPServer):
    """An empty page, whatever is asked for; preflights are redirected to what is behind ?to=.  A context manager."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def server_close(self) -> None:
        """Stop for good."""
        self.shutdown()
        super().server_close()
