"""What the operator's lighttpd served before the role came, it still serves, and the operator's files are untouched."""

import pytest


@pytest.mark.parametrize(
    ("host_name", "path", "page"),
    [
        ("shop.example.org", "/", "the shop"),
        ("localhost", "/legacy/", "the legacy application"),
        ("localhost", "/", "the document root"),
    ],
)
def test_the_operators_pages_answer_as_before(host, host_name: str, path: str, page: str) -> None:
    assert host.check_output("curl -sS -H Host:%s http://127.0.0.1%s", host_name, path) == page


def test_the_operators_virtual_host_keeps_its_header(host) -> None:
    assert "X-Shop: open" in host.check_output("curl -sSI -H Host:shop.example.org http://127.0.0.1/")


def test_the_api_answers_beside_them(host) -> None:
    assert host.check_output("curl -sS http://127.0.0.1/webpy_api/answer") == "import"


def test_the_operators_files_are_untouched(host) -> None:
    assert host.check_output("sha256sum --check --quiet /root/operator.sha256") == ""
    assert host.run("find /etc/lighttpd -newer /root/operator.sha256 -type f").stdout.split() == [
        "/etc/lighttpd/conf-available/60-webpy-gateway.conf"
    ]


def test_a_lighttpd_that_was_there_is_not_sandboxed(host) -> None:
    assert "ProtectSystem=strict" not in host.check_output("systemctl show --property=ProtectSystem lighttpd")
