"""The command line: `serve`, `check` and `show-config`."""

import argparse
import atexit
import os
import sys
from pathlib import Path
from typing import NoReturn

from webpy_gateway import config, release
from webpy_gateway.problem import SetupError


def main(arguments: list[str]) -> NoReturn:
    """Runs one command and ends the process: 0 well, 1 with every problem on stderr, 2 for wrong arguments."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        code = 0
    except SetupError as unusable:
        print(unusable, file=sys.stderr)
        code = 1
    _leave(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m webpy_gateway", description="gateway for one web.py application")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("serve", _serve, "serve the application until SIGTERM"),
        ("check", _check, "say whether configuration and application can be served"),
        ("show-config", _show_config, "print the effective configuration"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("--config", type=Path, required=True, metavar="FILE", help="gateway.toml")
        if run is not _show_config:
            command.add_argument("--release", type=Path, metavar="DIR", help="default: where this package lies")
            command.add_argument("--worker", default="1", metavar="NAME", help="name in the health answer")
    return parser


def _serve(options: argparse.Namespace) -> None:
    from webpy_gateway import application, listener, pipeline, server

    settings = config.read(options.config)
    deployed = release.read(options.release or release.default_folder())
    # first the socket: a clear error before a slow import
    where = listener.obtain(settings.listen)
    app = application.load(settings.application, deployed.app)
    chain = pipeline.build(settings, deployed.id, options.worker, app)
    server.run(chain, where, settings, f"{settings.name} release {deployed.id} worker {options.worker}")


def _check(options: argparse.Namespace) -> None:
    from webpy_gateway import check

    print(check.run(options.config, options.release or release.default_folder(), options.worker))


def _show_config(options: argparse.Namespace) -> None:
    print(config.to_toml(config.read(options.config)), end="")


def _leave(code: int) -> NoReturn:
    """Ends the process now: a thread that the application left running must not hold it."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
