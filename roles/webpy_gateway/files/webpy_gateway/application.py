"""Imports the operator's application and makes a WSGI callable of it."""

import importlib
import inspect
import os
import sys
import traceback
from functools import reduce
from pathlib import Path
from wsgiref.types import WSGIApplication

import web

from webpy_gateway import log, webpy
from webpy_gateway.problem import Problem, SetupError


def load(target: str, folder: Path) -> WSGIApplication:
    """The WSGI callable behind `module:attribute` in the folder, which becomes the working directory.

    Raises SetupError when it cannot be imported, is not there or is no application. Import of the gevent-patched
    standard library must have happened before.
    """
    webpy.prepare()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.argv[1:] = []  # the gateway's own arguments are none of the application's
    module_name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        place = log.place(error)
        reason = f"module {module_name} cannot be imported: {_shown(error)}" + (f" ({place})" if place else "")
        remedy = "correct the application, or list what it needs in its requirements"
        raise SetupError(Problem("application", target, reason, remedy)) from error
    web.config.debug = False  # the module may have set it again
    try:
        found = reduce(getattr, attribute.split("."), module)
    except AttributeError:
        reason = f"module {module_name} ({getattr(module, '__file__', '?')}) has no {attribute}"
        remedy = "name a web.application or WSGI callable in it"
        raise SetupError(Problem("application", target, reason, remedy)) from None
    if isinstance(found, web.application):
        return found.wsgifunc()  # type: ignore[no-any-return]
    _demand_wsgi(found, target)
    return found  # type: ignore[return-value]


def _demand_wsgi(found: object, target: str) -> None:
    if not callable(found):
        reason = f"is {type(found).__name__}, neither a web.application nor callable"
        raise SetupError(Problem("application", target, reason, "name a web.application or a WSGI callable"))
    try:
        inspect.signature(found).bind({}, None)
    except TypeError as error:
        reason = f"cannot be called as WSGI application: {error}"
        remedy = "name a callable that takes environ and start_response"
        raise SetupError(Problem("application", target, reason, remedy)) from error
    except ValueError:
        pass  # a callable without inspectable signature may still be right


def _shown(error: BaseException) -> str:
    return " ".join("".join(traceback.format_exception_only(error)).split())[:500]
