"""Giving up rights: after this a process can compute, read what it has open and write to its standard output."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys

NOBODY = 65534
MEMORY = 128 << 20
"""Bytes that the child may add to what its imports took; all of it together stays below 200 MB."""
CPU_SECONDS = 10
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_CLONE_NEWNS, _CLONE_NEWIPC, _CLONE_NEWNET = 0x20000, 0x8000000, 0x40000000


def confine(*, memory: int = MEMORY, cpu: int = CPU_SECONDS) -> None:
    """Limits for everybody; for root also another user, no capabilities and no network.

    In a user namespace that maps only root there is no other user to be; the limits hold there too.

    Raises:
        OSError: a right could not be given up that could have been.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        libc.unshare(_CLONE_NEWNET | _CLONE_NEWIPC | _CLONE_NEWNS)  # where it is refused, the file limit still holds
        if _maps(NOBODY):
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no new privileges")
    size = int(_first_field("/proc/self/statm")) * resource.getpagesize()
    for limit, value in (
        (resource.RLIMIT_AS, size + memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 3),
    ):
        with contextlib.suppress(ValueError):  # a limit that is lower already stays
            resource.setrlimit(limit, (value, value))
    sys.setrecursionlimit(400)


def _maps(uid: int) -> bool:
    """Whether this user namespace has that user."""
    with open("/proc/self/uid_map") as file:
        return any(int(first) <= uid < int(first) + int(count) for first, _, count in map(str.split, file))


def _first_field(path: str) -> str:
    with open(path) as file:
        return file.read().split()[0]
