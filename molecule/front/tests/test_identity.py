"""Over HTTP/2 too, what the application sees of client and host is true, and said once."""

import pytest
from hosttests.gateway import Gateway, names
from hosttests.record import Record
from wire_http2 import headers, talk

PATIENCE = 10
FORGED = b"203.0.113.66"
REQUEST = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"a"), (b":path", b"/api/mirror")]


@pytest.mark.parametrize("name", names("identity_headers"))
def test_no_spelling_of_identity_arrives(gateway: Gateway, record: Record, name: str) -> None:
    record.forget()
    lower = name.lower().encode()
    spelled = [lower, lower.replace(b"-", b"_"), lower.replace(b"-", b"_", 1)]
    alone = [[(one, FORGED)] for one in dict.fromkeys(spelled)] + [[(lower, FORGED)] * 2]
    together = [[(one, FORGED) for one in dict.fromkeys(spelled)]]
    tunnel = gateway.site().tunnel
    outcomes = [talk(tunnel, headers([*REQUEST, *fields]), PATIENCE) for fields in alone + together]
    # in FastCGI two spellings are one name, so it is not told who said what
    assert set(outcomes[:-1]) == {"200"}
    assert outcomes[-1] in ("200", "400")
    seen = record.all()
    assert len(seen) == outcomes.count("200")
    for one in seen:
        assert FORGED.decode() not in str(one)
        assert (one["client"], one["scheme"], one["headers"]["HTTP_HOST"]) == ("127.0.0.1", "http", "a")
        assert "HTTP_" + name.upper().replace("-", "_") not in one["headers"]
