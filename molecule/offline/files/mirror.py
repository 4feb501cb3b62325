"""A package index of static files (PEP 503) over TLS: mirror.py FOLDER CERTIFICATE KEY.

FOLDER holds wheels; /simple/NAME/ lists those of one project, and nothing else is there.
"""

import re
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Index(BaseHTTPRequestHandler):
    """Answers with lists of links, and with the wheels they name."""

    def do_GET(self) -> None:
        """Serve a project's page or one of its wheels."""
        _, _, project, name = [*self.path.split("/"), "", ""][:4]
        files = [file for file in Path(sys.argv[1]).glob("*.whl") if normal(file.name.split("-")[0]) == project]
        wheel = next((file for file in files if file.name == name), None)
        page = "".join(f'<a href="{file.name}">{file.name}</a>\n' for file in files).encode()
        body = wheel.read_bytes() if wheel else page
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/octet-stream" if wheel else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def normal(name: str) -> str:
    """Return a project's name as URLs have it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Serve for ever."""
    server = ThreadingHTTPServer(("", 8443), Index)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
