"""What the application sees of client and host is true, whatever the client claims."""

import json

import pytest
from hosttests.gateway import Gateway
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
    [("X-Forwarded-Proto", "https"), ("X-Forwarded-Ssl", "on"), ("Front-End-Https", "on"), ("X-Forwarded-Scheme", "https")],
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
    [("Remote-Addr", ADDRESS), ("REMOTE_ADDR", ADDRESS)],
    [("HTTPS", "on")],
]

# headers by which some program or other knows its client or itself; an ordinary one passes, being no claim we know of
PASSES = {"Client-Ip", "True-Client-Ip", "X-Cluster-Client-Ip", "Cf-Connecting-Ip", "X-Script-Name", "Script-Name",
          "X-Original-Url", "X-Rewrite-Url", "Front-End-Https", "Remote-Addr", "Https"}  # fmt: skip


def check(got: dict[str, object], client: str, host: str) -> None:
    """Compare what the application saw with the truth."""
    headers = {name: value for name, value in dict(got["headers"]).items() if name not in PASSES}  # type: ignore[call-overload]
    assert (got["method"], got["client"], got["host"], got["scheme"]) == ("GET", client, host, "http")
    assert ADDRESS not in json.dumps(headers)
    assert NAME not in json.dumps(got | {"headers": headers})
    assert not [name for name in headers if name.startswith(("X-Forwarded", "Forwarded"))]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: "+".join(name for name, _ in claim))
@pytest.mark.parametrize(("at", "client"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")], ids=["ipv4", "ipv6"])
def test_claims_of_the_client_are_ignored(gateway: Gateway, claim: list[Header], at: str, client: str) -> None:
    site = gateway.site(at=at)
    answer = site.get("echo", *claim)
    assert answer.status == 200
    check(answer.json(), client, site.authority)


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
