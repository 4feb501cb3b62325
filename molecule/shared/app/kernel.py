"""What only the C library can ask of the kernel; each call raises OSError where it is refused."""

import ctypes
import mmap
import os

CLONE_NEWUSER = 0x10000000
UNAME26 = 0x0020000
PTRACE_TRACEME = 0
TIMEX_BYTES = 208  # struct timex; all zero: only look

_libc = ctypes.CDLL(None, use_errno=True)


def _ask(function: str, *arguments: object) -> int:
    """Call a function that answers -1 where it fails."""
    answer = int(getattr(_libc, function)(*arguments))
    if answer == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer


def machine_code() -> None:
    """Map memory that can be written and run."""
    mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def new_user_namespace() -> None:
    """Become root of a user namespace, the first step of most ways to more rights."""
    _ask("unshare", CLONE_NEWUSER)


def let_parent_trace() -> None:
    """Use the debugging interface."""
    _ask("ptrace", PTRACE_TRACEME, 0, 0, 0)


def lock_memory() -> None:
    """Keep memory from being swapped out."""
    _ask("mlock", ctypes.create_string_buffer(mmap.PAGESIZE), mmap.PAGESIZE)


def change_personality() -> None:
    """Become a process of another kind: one that believes to run on an old kernel."""
    _ask("personality", UNAME26)


def steering_of_the_clock() -> None:
    """Ask how the clock is steered, with the call that also steers it."""
    _ask("adjtimex", ctypes.create_string_buffer(TIMEX_BYTES))


def foreign_shared_memory(key: int) -> None:
    """Find the SysV shared memory that somebody else on the host made with this key."""
    _ask("shmget", key, 0, 0)
