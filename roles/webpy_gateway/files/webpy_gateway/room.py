"""Tells the workers of one listener whether any of them has room: those that have hold a lock on the listener.

The lock is one of fcntl(2), which belongs to a process and ends with it, however it ends: nothing can go stale.
"""

import fcntl
import struct

# struct flock: type, whence, start, length, process; all of the "file"
_FLOCK = struct.Struct("hhqqi4x")
_WOULD_ANYONE_MIND = _FLOCK.pack(fcntl.F_WRLCK, 0, 0, 0, 0)


class Room:
    """What this process says, and what it hears from its siblings; `descriptor` is the shared socket's."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._said = False

    def say(self, there_is: bool) -> None:
        """Whether there is room in this process."""
        if there_is is not self._said:
            fcntl.lockf(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB if there_is else fcntl.LOCK_UN)
            self._said = there_is

    def elsewhere(self) -> bool:
        """Whether there is room in another process."""
        answer = fcntl.fcntl(self._descriptor, fcntl.F_GETLK, _WOULD_ANYONE_MIND)
        return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)
