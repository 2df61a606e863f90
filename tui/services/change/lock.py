"""The one lock of every writer of host configuration; flock(2), so a killed holder lets go."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import AsyncIterator, Iterator

from tui.models.change import Issue, Refused
from tui.services.change import files
from tui.services.change.journal import FOLDER
from tui.services.host import Host

PATH = f"{FOLDER}/lock"


@contextlib.asynccontextmanager
async def locked(host: Host, seconds: float = 15.0) -> AsyncIterator[None]:
    """Hold the lock.

    Raises:
        Refused: somebody else holds it all that time (C101), this user may not write here (C106), or the disk refuses.
    """
    try:
        files.make_folder(host.path(FOLDER), 0o700)
        fd = os.open(host.path(PATH), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        text = "This user may not change the host."
        raise Refused(Issue("C106", "error", "", text, "Log in as an administrator, or use sudo.")) from error
    except OSError as error:
        raise Refused(disk(error)) from error
    try:
        end = time.monotonic() + seconds
        while not _taken(fd):
            if time.monotonic() > end:
                text = "Another console is changing this host right now."
                raise Refused(Issue("C101", "error", "", text, "Wait until it has finished, then try again."))
            await asyncio.sleep(0.05)
        yield
    finally:
        os.close(fd)


def _taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def disk(error: OSError) -> Issue:
    """What a failing write means to an operator."""
    where = f" ({error.filename})" if error.filename else ""
    text = f"This host cannot store the change{where}: {error.strerror or error}."
    remedy = "Free some space, or have the disk checked; nothing was changed."
    return Issue("C105", "error", "", text, remedy)


@contextlib.contextmanager
def if_free(host: Host) -> Iterator[bool]:
    """Hold the lock if nobody holds it at this moment; whether we do."""
    try:
        fd = os.open(host.path(PATH), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield True  # no lock yet: nobody has ever changed anything
        return
    try:
        yield _taken(fd)
    finally:
        os.close(fd)


def free(host: Host) -> bool:
    """Nobody holds the lock at this moment."""
    with if_free(host) as ours:
        return ours
