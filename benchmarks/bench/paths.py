"""The ways from a client to the application: to measure another one, add a line to PATHS."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bench.workloads import MAIN

PORTAL = "https://portal.example.org"


@dataclass(frozen=True, slots=True)
class Path:
    """One way: the port of its web server, and the systemd units that are its own."""

    name: str
    title: str
    port: int
    front: str  # the web server's unit, which other paths share
    starts: str = ""  # the unit that brings the gateway, and stops it
    units: tuple[str, ...] = ()  # patterns of the units that make up the gateway
    workloads: tuple[str, ...] = MAIN
    role: Mapping[str, object] = field(default_factory=dict)  # variables of the role; empty: not ours
    unprotected: bool = False
    lighttpd_workers: int = 1  # what lighttpd, which all instances share, has while this path is measured
    default: bool = True


def ours(
    name: str, title: str, number: int, workloads: tuple[str, ...] = MAIN, default: bool = True, **role: object
) -> Path:
    """An instance of the role, with these of its variables (without their prefix)."""
    instance = f"bench-{name}"
    # a port for each: what belongs to other instances is not in the way of its requests
    variables = {"name": instance, "http_port": 8000 + number, "port": 480 + number, **role}
    return Path(
        name=f"lighttpd-{name}",
        title=title,
        port=8000 + number,
        front="lighttpd.service",
        starts=f"{instance}.target",
        units=(f"{instance}@*.service", f"{instance}-firewall.service"),
        workloads=workloads,
        role={f"webpy_gateway_{key}": value for key, value in variables.items()},
        default=default,
    )


def unprotected(path: Path) -> Path:
    """The same without firewall, peer check and sandbox, behind a lighttpd of its own that has no sandbox either.

    playbooks/files/unprotect.py makes it so, on the port that is 1000 above.
    """
    return replace(path, port=path.port + 1000, front="lighttpd-unprotected.service", unprotected=True)


def peer(name: str, title: str, number: int, service: str) -> Path:
    """A gateway that benchmarks/playbooks/peers.yml installs, behind nginx."""
    unit = f"bench-{service}.service"
    return Path(name, title, 8100 + number, "nginx.service", starts=unit, units=(unit,))


TCP = ours("tcp", "lighttpd mod_proxy, TCP", 1, bind="tcp")
TWO = replace(
    TCP,
    name="lighttpd-tcp-2",
    title="lighttpd mod_proxy, TCP, 2 processes of lighttpd",
    workloads=("fast", "json", "held-2000"),
    lighttpd_workers=2,
)
FILES = ("fast", "download")
ALLOWED = {"allowed_origins": [PORTAL], "allow_credentials": True, "exposed_headers": ["ETag"]}

PATHS = {
    path.name: path
    for path in (
        TCP,
        TWO,
        ours("unix", "lighttpd mod_proxy, unix", 2, workloads=(*MAIN, "origin"), bind="unix"),
        peer("nginx-gunicorn-tcp", "nginx, TCP, gunicorn -k gevent", 1, "gunicorn-tcp"),
        peer("nginx-gunicorn", "nginx, unix, gunicorn -k gevent", 2, "gunicorn-unix"),
        peer("nginx-uwsgi", "nginx, unix, uWSGI --gevent", 3, "uwsgi"),
        Path("lighttpd-file", "lighttpd, a file", 80, "lighttpd.service", workloads=FILES),
        Path("nginx-file", "nginx, a file", 8100, "nginx.service", workloads=FILES),
        ours("fastcgi-tcp", "lighttpd mod_fastcgi, TCP", 7, bind="tcp", transport="fastcgi"),
        ours("fastcgi-unix", "lighttpd mod_fastcgi, unix", 8, bind="unix", transport="fastcgi"),
        # what our own layers cost
        ours("cors", "lighttpd mod_proxy, unix, CORS on", 3, workloads=("origin",), bind="unix", cors=ALLOWED),
        unprotected(ours("bare", "lighttpd mod_proxy, TCP, unprotected", 4, workloads=("fast",), bind="tcp")),
        unprotected(ours("bare-unix", "lighttpd mod_proxy, unix, unprotected", 9, workloads=("fast",), bind="unix")),
        ours(
            "cors-pattern",
            "lighttpd mod_proxy, unix, CORS for subdomains",
            5,
            workloads=("origin",),
            default=False,
            bind="unix",
            cors={"allowed_origins": ["https://*.example.org"]},
        ),
        ours(
            "cors-everyone",
            "lighttpd mod_proxy, unix, CORS for everyone",
            6,
            workloads=("origin",),
            default=False,
            bind="unix",
            cors={"allowed_origins": ["*"]},
        ),
    )
}

# those that ratios are given to
BASELINES = {"nginx-gunicorn": "to gunicorn", "nginx-uwsgi": "to uWSGI"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a thing costs: the same workload with it and without it."""

    title: str
    workload: str
    with_it: str
    without: str
    at_most: float


COSTS = (
    Cost("CORS layer, one exact origin", "origin", "lighttpd-cors", "lighttpd-unix", 0.05),
    Cost("CORS layer, subdomain pattern", "origin", "lighttpd-cors-pattern", "lighttpd-unix", 0.05),
    Cost("CORS layer, everyone", "origin", "lighttpd-cors-everyone", "lighttpd-unix", 0.05),
    Cost("all protections together, TCP", "fast", "lighttpd-tcp", "lighttpd-bare", 0.05),
    Cost("all protections together, unix", "fast", "lighttpd-unix", "lighttpd-bare-unix", 0.05),
)
