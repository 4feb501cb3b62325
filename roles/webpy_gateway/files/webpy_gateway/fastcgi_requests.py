"""What a web server sends on a FastCGI connection: one request at a time; what concerns no request is answered here.

Numbers in brackets are sections of the FastCGI specification.
"""

import time
from collections.abc import Iterator
from http import HTTPStatus

from webpy_gateway import fastcgi_records as records
from webpy_gateway import log
from webpy_gateway.connection import Connection, GoneError, StalledError
from webpy_gateway.fastcgi_records import STDIN, Content, Kind, MalformedError, Reader, Status
from webpy_gateway.http1_head import LONGEST_HEAD, RefusedError
from webpy_gateway.service import Service

# at once: of what is small, and of a body that is not
RECEIVED_BYTES = 16 * 1024
BODY_BYTES = 128 * 1024
# the headers among them have bounds of their own; the rest is said by the web server, some of it more than once
MOST_PARAMS_BYTES = 2 * LONGEST_HEAD
# what a web server may ask for (4.1), as far as there is an answer
VALUES = {"FCGI_MPXS_CONNS": "0"}
# plain numbers: a member of an enumeration is looked up several times slower
BEGIN_REQUEST, PARAMS = int(Kind.BEGIN_REQUEST), int(Kind.PARAMS)

_malformed = log.Limited()


class AbortedError(GoneError):
    """The web server wants no answer any more (5.4)."""


def report(error: MalformedError) -> None:
    """Logs what was wrong, and nothing of what arrived."""
    _malformed.event("refused a malformed FastCGI connection", reason=error)


class Requests(Reader):
    """The requests of a connection.

    `active` is the id of the one that is being read or answered, else 0; `keep`: the web server wants to keep the
    connection; `over`: nothing more of the request will come.
    """

    __slots__ = ("_connection", "_most", "_service", "_until", "active", "keep", "over")

    def __init__(self, connection: Connection, service: Service) -> None:
        super().__init__()
        self._connection = connection
        self._service = service
        self._until: float | None = time.monotonic() + service.head_timeout
        self._most = RECEIVED_BYTES
        self.active = 0
        self.keep = False
        self.over = True

    def begin(self) -> bool:
        """Waits for the next request. False: there is none. Raises GoneError, MalformedError."""
        if self.active:
            # what still arrives of the one before is for nobody (3.3)
            self.active = 0
            self._until = time.monotonic() + self._service.idle_timeout
            self._most = RECEIVED_BYTES
        while (record := self.next()) is not None:
            kind, number, content = record
            if kind != BEGIN_REQUEST or number == records.MANAGEMENT:
                self._unwanted(kind, number, content)
                continue
            if len(content) != records.BEGIN_BODY.size:
                raise MalformedError("BEGIN_REQUEST of another size")
            role, flags = records.BEGIN_BODY.unpack(content)
            self.keep = bool(flags & records.KEEP_CONN)
            if role == records.RESPONDER:
                self.active, self.over = number, False
                self._until = time.monotonic() + self._service.head_timeout
                return True
            self._connection.send(records.end_request(number, Status.UNKNOWN_ROLE))
            if not self.keep:
                self._connection.linger()
                return False
        return False

    def params(self) -> bytes:
        """All parameters. Raises RefusedError, AbortedError, GoneError, MalformedError."""
        found = b""
        while content := self._content(PARAMS):
            found += content
            if len(found) > MOST_PARAMS_BYTES:
                raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the parameters are too large")
        return found

    def stdin(self) -> Content:
        """The next bytes of the body, none at its end. Raises what `params` raises."""
        content = self._content(STDIN)
        self.over = not content
        return content

    def body(self, length: int) -> Iterator[Content]:
        """The bytes of the body, as they come, up to its end, which is at `length` if all is well.

        To be read while the request is being answered; raises OSError whatever is wrong.
        """
        self._until = None  # the time for the head is no matter any more
        self._most = BODY_BYTES if length > RECEIVED_BYTES else RECEIVED_BYTES
        try:
            # as `stdin`: one frame for all pieces of a large body, not several for each
            while (record := self.next()) is not None:
                kind, number, content = record
                if kind != STDIN or number != self.active:
                    self._unwanted(kind, number, content)
                elif content:
                    yield content
                else:
                    self.over = True
                    return
        except MalformedError as error:
            report(error)
            self.keep = False
            raise OSError("malformed records") from error
        raise GoneError("the connection ended within a request")

    def _content(self, wanted: int) -> Content:
        """The content of the active request's next record, which must be of that kind."""
        while (record := self.next()) is not None:
            kind, number, content = record
            if kind == wanted and number == self.active:
                return content
            self._unwanted(kind, number, content)
        raise GoneError("the connection ended within a request")

    def _unwanted(self, kind: int, number: int, content: Content) -> None:
        """What is to be done about a record that nobody waits for: nothing, if its request is over (3.3)."""
        if number == records.MANAGEMENT:
            self._manage(kind, content)
        elif number == self.active:
            if kind != Kind.ABORT_REQUEST:
                raise MalformedError(f"record of kind {kind} where another belongs")
            self.over = True
            raise AbortedError("aborted")
        elif kind == Kind.BEGIN_REQUEST:
            self._connection.send(records.end_request(number, Status.CANT_MPX_CONN))

    def _manage(self, kind: int, content: Content) -> None:
        """Answers a record about the connection itself (4)."""
        if kind == Kind.GET_VALUES:
            self._connection.send(records.values(content, VALUES))
        elif 0 < kind <= Kind.UNKNOWN_TYPE:
            raise MalformedError(f"record of kind {kind} without a request")
        else:
            self._connection.send(records.unknown_type(kind))

    def receive(self) -> bytes:
        """As Reader's, and not for longer than there is time for this part of a request."""
        if self._until is None:
            return self._connection.receive(self._most)
        try:
            return self._connection.receive(self._most, self._until - time.monotonic())
        except StalledError:
            if not self.active:
                raise
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, "the parameters did not arrive in time") from None
