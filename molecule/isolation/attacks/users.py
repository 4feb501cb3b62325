"""Run something as another user, in a child that belongs to him alone."""

from __future__ import annotations

import os
import pwd
import sys
import traceback
from collections.abc import Callable

FAILED = "\0"


def become(user: str) -> None:
    """Take on a user's identity: NAME, or NAME+GROUP for one more group, or REAL/EFFECTIVE for two users."""
    name, _, extra = user.partition("+")
    real, _, effective = name.partition("/")
    account = pwd.getpwnam(effective or real)
    groups = os.getgrouplist(account.pw_name, account.pw_gid) + ([pwd.getpwnam(extra).pw_gid] if extra else [])
    os.setgroups(groups)
    os.setgid(account.pw_gid)
    os.setresuid(pwd.getpwnam(real).pw_uid, account.pw_uid, account.pw_uid)


def run(call: Callable[[], str], user: str) -> str:
    """Return what the call returns as the user; raise OSError with its text where it raises one."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            become(user)
            os.write(sender, call().encode())
        except OSError as error:
            os.write(sender, f"{FAILED}{error.strerror or error}".encode())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(sender)
    with os.fdopen(receiver) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    if not text:
        sys.exit("the attack itself failed")
    if text.startswith(FAILED):
        raise OSError(text.removeprefix(FAILED))
    return text
