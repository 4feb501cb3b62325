"""Entry point: `python -P -m webpy_gateway serve|check|show-config --config FILE`."""

import os
import sys

import webpy_gateway

# a running worker must never import from a release that the `current` link was switched to after its start
sys.path[:] = [os.path.realpath(folder) for folder in sys.path]
webpy_gateway.__path__[:] = [os.path.realpath(folder) for folder in webpy_gateway.__path__]

if "show-config" not in sys.argv[1:2]:
    from gevent import monkey

    # before everything else: a module that was imported earlier may keep the blocking originals
    monkey.patch_all()

from webpy_gateway.cli import main  # noqa: E402

if __name__ == "__main__":
    main(sys.argv[1:])
