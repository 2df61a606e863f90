"""The edit lease: who changes this host now, said on every console, and taken over only after a question.

It keeps people out of each other's way. What keeps a change whole are the lock and the journal (`services.change`),
which do not care about the lease. It lies below /run, so a restart ends it; a console that is gone does not renew it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from tui.models.change import FileImage, Issue, Refused
from tui.services.change import files
from tui.services.host import Host

PATH = "/run/onsite/lease.json"
_LOCK = "/run/onsite/lease.lock"
RENEW_SECONDS = 5.0
SECONDS = 60.0
"""On CLOCK_BOOTTIME; who has not renewed it for so long has lost it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Attributes:
    token: names the console, so that one person at two lines is two.
    since: wall clock, for people.
    renewed: CLOCK_BOOTTIME in seconds.
    """

    token: str
    who: str
    line: str
    since: float
    renewed: float

    @property
    def words(self) -> str:
        """tty1, alice, since 10:42"""
        return f"{self.line}, {self.who}, since {time.strftime('%H:%M', time.localtime(self.since))}"


def held(host: Host) -> Lease | None:
    """Who edits now; None for nobody. A file that is no lease is none."""
    try:
        found = Lease(**json.loads(host.path(PATH).read_text()))
        age = host.clock.boottime() - found.renewed
    except (OSError, ValueError, TypeError):
        return None
    return found if 0 <= age < SECONDS else None


def take(host: Host, wanted: Lease, *, over: bool = False) -> Lease:
    """Have the lease from now on, or renew one's own.

    Args:
        over: take it over from whoever has it.

    Raises:
        Refused: somebody else has it (W101).
        OSError: it cannot be written.
    """
    with _locked(host):
        now = held(host)
        if now is not None and now.token != wanted.token and not over:
            raise Refused(taken(now))
        ours = now is not None and now.token == wanted.token
        since = now.since if now is not None and ours else host.clock.now()
        lease = replace(wanted, since=since, renewed=host.clock.boottime())
        _store(host, lease)
        return lease


def renew(host: Host, lease: Lease) -> Lease | None:
    """Go on having it. None: somebody has taken it over, or time ran out and somebody else has taken it.

    Raises:
        OSError: it cannot be written.
    """
    with _locked(host):
        now = held(host)
        if now is not None and now.token != lease.token:
            return None
        lease = replace(lease, renewed=host.clock.boottime())
        _store(host, lease)
        return lease


def release(host: Host, token: str) -> None:
    """Let go of it, if it is that console's."""
    with contextlib.suppress(OSError), _locked(host):
        now = held(host)
        if now is not None and now.token == token:
            host.path(PATH).unlink(missing_ok=True)


def taken(lease: Lease) -> Issue:
    text = f"This host is being edited: {lease.words}."
    return Issue("W101", "error", "", text, "Ask them to finish, or take over when the console asks you.")


def _store(host: Host, lease: Lease) -> None:
    image = FileImage(PATH, json.dumps(asdict(lease)).encode(), 0o600, os.geteuid(), os.getegid())
    files.write_image(host, image)


@contextlib.contextmanager
def _locked(host: Host) -> Iterator[None]:
    """For the blink of reading and writing; flock(2), so that a killed holder lets go."""
    files.make_folder(host.path(_LOCK).parent)
    fd = os.open(host.path(_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
