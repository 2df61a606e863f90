"""The door between looking and changing: open where somebody has logged in already, else opened by PAM, shut by idling.

Looking needs no login (Home, Checks, Help). Keep and Revert of a change that waits need none either: whoever stands
there in the two minutes after a change must be able to decide.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

from tui.models.change import Issue, Refused
from tui.services.host import Host

log = logging.getLogger(__name__)
NOBODY = 0xFFFFFFFF
"""/proc/PID/loginuid where nobody has logged in (pam_loginuid(8))."""


@dataclass(slots=True)
class Gate:
    """The door of one console.

    Attributes:
        asked: this console asks for a login.
        off: it would, but the settings say no.
        failures: wrong passwords in a row until the line is shut.
        idle: seconds without a key until the login is forgotten.
        user: who has logged in; "" for nobody.
        touched: CLOCK_BOOTTIME of the last key.
        service: the PAM service, and the folder of its file where it is not /etc/pam.d.
    """

    asked: bool = False
    off: bool = False
    failures: int = 5
    idle: float = 600.0
    user: str = ""
    touched: float = 0.0
    service: tuple[str, Path | None] = ("onsite", None)

    @property
    def open(self) -> bool:
        return not self.asked or bool(self.user)

    def over(self, host: Host) -> bool:
        """Nobody has pressed a key for so long that the login is forgotten."""
        return self.asked and bool(self.user) and host.clock.boottime() - self.touched > self.idle


def of(host: Host, kind: str) -> Gate:
    """The door of this process's console.

    Args:
        kind: what its terminal is: "vt", "serial" or "pty" (`terminal.profile.kind`).
    """
    from tui import settings

    if host.kind != "real" or kind not in ("vt", "serial") or _logged_in():
        return Gate()
    try:
        wanted = settings.load(host.root)
    except (ValueError, OSError):  # a file that cannot be read opens no door
        wanted = settings.Settings()
    return Gate(
        asked=wanted.console_login,
        off=not wanted.console_login,
        failures=wanted.console_failures,
        idle=wanted.console_idle * 60.0,
        touched=host.clock.boottime(),
    )


async def log_in(host: Host, gate: Gate, line: str, user: str, password: str) -> None:
    """Open the door.

    Raises:
        Refused: it stays shut; A501 wrong, A502 shut for some minutes, A503 no administrator, A504 the password has
            to be renewed, A505 PAM does not answer.
    """
    from tui.services.change import audit
    from tui.services.login import administrators, lockout, pam

    if wait := lockout.left(host, line):
        raise Refused(_shut(wait))
    service, folder = gate.service
    verdict = await asyncio.to_thread(pam.check, service, user, password, line=line, folder=folder)
    if verdict == "accepted" and administrators.may(user):
        _quietly(host, line)
        gate.user, gate.touched = user, host.clock.boottime()
        audit.note(host, "logged in", user, line)
        return
    if verdict == "unavailable":
        text = "This host cannot check passwords now."
        raise Refused(Issue("A505", "error", "", text, "Restart it; if it stays so, send the Log to IT."))
    try:
        wait = lockout.failed(host, line, gate.failures)
    except OSError:
        log.exception("a failed login cannot be counted")
        wait = lockout.SECONDS  # for this answer only; a disk that is full shuts nobody out for ever
    audit.note(host, "login refused", user[:40], line)
    if wait:
        raise Refused(_shut(wait))
    if verdict == "accepted":
        text = f"{user} may not administer this host."
        raise Refused(Issue("A503", "error", "", text, f"Log in as root or as a member of {_groups()}."))
    if verdict == "expired":
        text = f"The password or the account of {user} has ended."
        raise Refused(Issue("A504", "error", "", text, "Leave the console with q and renew it at the prompt."))
    raise Refused(Issue("A501", "error", "", "Wrong user name or password.", "Try again; capital letters count."))


def _quietly(host: Host, line: str) -> None:
    from tui.services.login import lockout

    try:
        lockout.succeeded(host, line)
    except OSError:
        log.exception("login")


def _shut(wait: float) -> Issue:
    minutes = max(1, round(wait / 60 + 0.49))
    text = f"Too many wrong passwords here: nobody may try for {minutes} minute{'s' * (minutes > 1)}."
    return Issue("A502", "error", "", text, "Wait, or log in at another console or over SSH.")


def _groups() -> str:
    from tui.services.login import administrators

    return ", ".join(administrators.GROUPS[:-1])


def _logged_in() -> bool:
    """Whether somebody logged in before this program was started on the terminal."""
    try:
        return int(Path("/proc/self/loginuid").read_text()) != NOBODY
    except (OSError, ValueError):
        return False
