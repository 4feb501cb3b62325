"""A tunnel's unix socket as a TCP port on this machine, for programs that know no other."""

import socket
import socketserver
import threading


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as far:
            far.connect(self.server.path)
            back = threading.Thread(target=_copy, args=(far, self.request), daemon=True)
            back.start()
            _copy(self.request, far)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Pass everything on, and the end of it, too."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side is gone, and so is the reason to go on


class Relay(socketserver.ThreadingTCPServer):
    """`port`: who connects to it on 127.0.0.1 speaks to the unix socket `path`.  A context manager."""

    daemon_threads = True
    block_on_close = False  # browsers keep connections open

    def __init__(self, path: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.path = path
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def server_close(self) -> None:
        """Stop for good."""
        self.shutdown()
        super().server_close()
