"""Linux namespaces: make them, enter those of another process, run a command in them.

Standard library only (`os.setns` and `os.unshare` came with Python 3.12). Entering changes the
calling thread, so it happens before any other thread starts and before textual is imported.

As a program it is a small nsenter(1): `python -m tui.namespaces PID COMMAND [ARGUMENT...]`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from pathlib import Path

MOUNT, UTS, USER, NET = 0x00020000, 0x04000000, 0x10000000, 0x40000000
"""CLONE_NEW* of sched.h."""
MS_BIND, MS_REC, MS_SLAVE = 0x1000, 0x4000, 0x80000
"""Flags of mount(2)."""

_ENTERED = (("user", USER), ("mnt", MOUNT), ("uts", UTS), ("net", NET))
"""The user namespace first: it brings the capabilities that the others ask for (setns(2))."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the namespaces of `flags` for fresh ones.

    Raises:
        OSError: the kernel refused (EPERM, or ENOSPC where user.max_*_namespaces is used up).
    """
    _check(_libc().unshare(flags), "unshare")


def mount(source: str, target: str, kind: str, flags: int = 0) -> None:
    """mount(2).

    Raises:
        OSError: the kernel refused.
    """
    _check(_libc().mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None), "mount")


def become_root(uid: int, gid: int) -> None:
    """Be user 0 in the user namespace just unshared, in which the ordinary `uid` and `gid` owned this process.

    Raises:
        OSError: the mapping was refused (user_namespaces(7); AppArmor does so on some distributions).
    """
    for name, content in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path("/proc/self", name).write_text(content)


def identity(pid: int | str, name: str) -> tuple[int, int]:
    """Device and inode that name a namespace for as long as anything holds it.

    Raises:
        OSError: no such process, or it is not ours to look at.
    """
    found = os.stat(f"/proc/{pid}/ns/{name}")  # noqa: PTH116 - Path.stat cannot be given a magic link any cheaper
    return found.st_dev, found.st_ino


def enter(pid: int) -> None:
    """Join the user, mount, host-name and network namespaces of process `pid`; the working folder is kept.

    Raises:
        RuntimeError: other threads run already; setns(2) would move only one of them.
        OSError: the process is gone or its namespaces are not ours to enter.
    """
    if threading.active_count() > 1:
        raise RuntimeError("namespaces are entered before any thread starts")
    folder = Path.cwd()
    wanted: list[tuple[int, int]] = []
    try:
        for name, flag in _ENTERED:
            if identity(pid, name) != identity("self", name):
                wanted.append((os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC), flag))
        for descriptor, flag in wanted:
            _check(_libc().setns(descriptor, flag), "setns")
    finally:
        for descriptor, _ in wanted:
            os.close(descriptor)
    with contextlib.suppress(OSError):  # joining a mount namespace moved us to its "/"
        os.chdir(folder)


if __name__ == "__main__":
    enter(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - an argument list, looked up in PATH
