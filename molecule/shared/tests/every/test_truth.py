"""What the application sees of client and host is true, whatever the client claims."""

import pytest
from hosttests.gateway import Gateway, names
from hosttests.site import Header, Site

ADDRESS, NAME = "203.0.113.66", "forged.example"

CLAIMS: list[list[Header]] = [
    [("X-Forwarded-For", ADDRESS)],
    [("x-forwarded-for", ADDRESS)],
    [("X-FORWARDED-FOR", f"{ADDRESS}, 127.0.0.1")],
    [("X-Forwarded-For", ADDRESS), ("X-Forwarded-For", ADDRESS)],
    [("X-Forwarded-For", ADDRESS), ("x-fORWARDED-fOR", f"127.0.0.1, {ADDRESS}")],
    [("X_Forwarded_For", ADDRESS)],
    [("X-Forwarded-For", ADDRESS), ("Connection", "X-Forwarded-For")],
    [("X-Forwarded-For", f"{ADDRESS}\t"), ("Connection", "close, X-Forwarded-For, X-Forwarded-Host")],
    [("Forwarded", f"for={ADDRESS};host={NAME};proto=https")],
    [("FORWARDED", f'for="{ADDRESS}"'), ("Forwarded", f"host={NAME}")],
    [("X-Real-IP", ADDRESS)],
    [("X-Client-IP", ADDRESS)],
    [("Client-IP", ADDRESS)],
    [("True-Client-IP", ADDRESS)],
    [("X-Cluster-Client-IP", ADDRESS)],
    [("CF-Connecting-IP", ADDRESS)],
    [("X-Forwarded-Host", NAME)],
    [("x-forwarded-host", NAME), ("X-Forwarded-Host", NAME)],
    [("X-Host", NAME)],
    [("X-Forwarded-Server", NAME)],
    [("X-Forwarded-Proto", "https")],
    [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Ssl", "on"),
        ("Front-End-Https", "on"),
        ("X-Forwarded-Scheme", "https"),
    ],
    [("X-Forwarded-Port", "443")],
    [("X-Forwarded-Prefix", f"/{NAME}")],
    [("X-Script-Name", f"/{NAME}"), ("Script-Name", f"/{NAME}")],
    [("X-Original-URL", f"/{NAME}"), ("X-Rewrite-URL", f"/{NAME}")],
    [("Remote-User", NAME)],
    [("REMOTE_USER", NAME)],
    [("X-Remote-User", NAME), ("x-remote-user", NAME)],
    [("X-Forwarded-User", NAME)],
    [("X-HTTP-Method-Override", "DELETE")],
    [("Proxy", f"http://{NAME}/")],
    [("Remote-Addr", ADDRESS)],
    [("REMOTE_ADDR", ADDRESS)],
    [("HTTPS", "on")],
]

# nothing on the way knows these, so they are ordinary headers: they arrive, and change nothing
ORDINARY = {"Https", "Remote-Addr"}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: "+".join(name for name, _ in claim))
@pytest.mark.parametrize(("at", "client"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")], ids=["ipv4", "ipv6"])
def test_claims_of_the_client_are_ignored(gateway: Gateway, claim: list[Header], at: str, client: str) -> None:
    site = gateway.site(at=at)
    answer = site.get("echo", *claim)
    assert answer.status == 200
    got = answer.json()
    assert (got["client"], got["host"], got["scheme"]) == (client, site.authority, "http")
    assert (got["method"], got["path"]) == ("GET", f"{site.prefix}echo")
    claimed = {name.replace("_", "-").title() for name, _ in claim} - {"Connection"}
    assert (claimed & set(got["headers"])) - ORDINARY == set()
    assert [name for name in got["headers"] if name.startswith(("X-Forwarded", "Forwarded"))] == []


def spellings(name: str) -> list[list[Header]]:
    """Return ways to claim with a header, and last one in two spellings at once."""
    others = dict.fromkeys([name.lower(), name.replace("-", "_"), name.replace("-", "_", 1)])
    alone = [[(spelled, f"127.0.0.1, {ADDRESS}")] for spelled in (name, *others)]
    return [*alone, [(name, ADDRESS)] * 2, [(name, ""), (name, ADDRESS)], [(spelled, ADDRESS) for spelled in others]]


@pytest.mark.parametrize("name", names("identity_headers"))
def test_no_spelling_of_identity_arrives(site: Site, name: str) -> None:
    answers = [site.get("echo", *claim) for claim in spellings(name)]
    # in FastCGI two spellings are one name, so it is not told who said what
    assert {answer.status for answer in answers[:-1]} == {200}
    assert answers[-1].status in (200, 400)
    for got in [answer.json() for answer in answers if answer.status == 200]:
        assert ADDRESS not in str(got)
        assert name.title() not in got["headers"]
        assert (got["client"], got["host"], got["scheme"]) == ("127.0.0.1", site.authority, "http")


@pytest.mark.parametrize("header", [("Authorization", "Bearer x"), ("Cookie", "a=b"), ("Accept", "text/x-own")])
def test_ordinary_headers_arrive(site: Site, header: Header) -> None:
    assert header[0] in site.get("echo", header).json()["headers"]


@pytest.mark.parametrize(
    "hosts",
    [["a b"], ["x/y"], ["one.example", "two.example"], ["user@host"], ["[::1"], ["a\tb"]],
    ids=lambda hosts: "+".join(hosts),
)
def test_broken_host_is_refused(site: Site, hosts: list[str]) -> None:
    answer = site.get("echo", *(("Host", host) for host in hosts))
    assert answer.status in (400, 404)
    assert b"sha256" not in answer.body
