"""The dead-man: takes a change back when nobody keeps it, whatever has become of the console.

Under systemd it is a timer unit, in a control group of its own. Elsewhere it is a detached process that reads
the journal every second: a process started by a console must not die with it. Its time is CLOCK_BOOTTIME.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

from tui.models.change import Refused
from tui.services.change import files, journal, lock
from tui.services.change.journal import Pending
from tui.services.host import Host
from tui.services.network.backend import Backend

log = logging.getLogger(__name__)

RUNNING = "/run/onsite/deadman"
"""One lock file a change: the dead-man of the change before may still be on its way out."""


def arm(host: Host, change: Pending, seconds: float) -> None:
    """Start it; on return it runs. A recorded host has none: its kernel lives and dies with the console.

    Raises:
        OSError: it could not be started; nothing may be changed then.
    """
    if host.kind == "recorded":
        return
    if under_systemd(host):
        from tui.services.change import deadman_units

        deadman_units.arm_unit(host, change.change_id, seconds)
    elif not _running(host, change.change_id):
        command = [sys.executable, "-m", "tui", "--root", str(host.root), "--practice", host.kind]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
        ready = subprocess.run(
            [*command, "deadman", change.change_id], env=environment, cwd="/", stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False,
        )  # fmt: skip
        if ready.returncode:
            raise OSError(ready.returncode, "the dead-man did not start")


def move(host: Host, change: Pending, seconds: float) -> None:
    """The deadline has become another; a dead-man that reads the journal sees it there.

    Raises:
        OSError: the timer could not be moved.
    """
    if host.kind != "recorded" and under_systemd(host):
        from tui.services.change import deadman_units

        deadman_units.arm_unit(host, change.change_id, seconds)


def disarm(host: Host, change: Pending) -> None:
    """Stop the timer; one that fires late finds no journal and does nothing."""
    if host.kind != "recorded" and under_systemd(host):
        from tui.services.change import deadman_units

        try:
            deadman_units.disarm_unit(host, change.change_id)
        except OSError:
            log.exception("dead-man of %s", change.change_id)


def under_systemd(host: Host) -> bool:
    return host.kind == "real" and Path("/run/systemd/system").is_dir()


def watch(host: Host, backends: dict[str, Backend], change_id: str) -> int:
    """The detached process: say that it is ready, wait, take back. Returns an exit code.

    It waits for the journal to appear (it is armed first), follows its deadline, and leaves when it is gone.
    """
    fd = _hold(host, change_id)
    if fd is None:
        return 0
    if os.fork():
        os._exit(0)  # the caller waits for this: the child holds the lock by now
    os.setsid()
    seen = False
    while True:
        change = _read(host)
        if change is not None and change.change_id == change_id:
            seen = True
            left = change.left(host.clock)
            if left <= 0 or (change.phase == "applying" and lock.free(host)):
                _expire(host, backends, change_id)
                continue
            time.sleep(min(left + 0.01, 1.0))
        elif seen or lock.free(host):
            # decided; or whoever armed us (and held the lock then) died before the journal was there
            with lock.if_free(host) as ours:  # never what the next change is just writing
                if ours:
                    files.sweep(host, (journal.PATH,))
            host.path(f"{RUNNING}-{change_id}.lock").unlink(missing_ok=True)
            return 0
        else:
            time.sleep(0.1)


def _expire(host: Host, backends: dict[str, Backend], change_id: str) -> None:
    from tui.services.change import transaction

    try:
        asyncio.run(transaction.expire(host, backends, change_id))
    except (OSError, Refused):
        log.exception("dead-man of %s: tries again", change_id)
        time.sleep(2)


def _read(host: Host) -> Pending | None:
    try:
        return journal.pending(host)
    except (OSError, ValueError):
        log.exception("dead-man: journal")
        return None


def _running(host: Host, change_id: str) -> bool:
    fd = _hold(host, change_id)
    if fd is None:
        return True
    os.close(fd)
    return False


def _hold(host: Host, change_id: str) -> int | None:
    """The lock that says "its dead-man runs"; None where another holds it. It goes with the process."""
    path = host.path(f"{RUNNING}-{change_id}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd
