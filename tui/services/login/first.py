"""The first administrator of a host that has none: made by whoever stands at its console, once."""

from __future__ import annotations

import errno
import logging
import re

from tui.models.change import Issue, Refused
from tui.services import reading, system
from tui.services.change import audit
from tui.services.change.lock import locked
from tui.services.host import Host
from tui.services.login import administrators, password

log = logging.getLogger(__name__)
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
"""As useradd(8) of Debian and Red Hat takes it."""


def wrong_name(name: str, host: Host) -> Issue | None:
    """What is wrong with the name of a new user, or None."""
    if not _NAME.fullmatch(name):
        text = "A user name has small letters, digits, - and _, at most 31, and begins with a letter."
        return Issue("A521", "error", "user", text, "Such as alice.")
    if any(line.split(":")[0] == name for line in (reading.text(host, "/etc/passwd") or "").splitlines()):
        return Issue("A522", "error", "user", f"There is a user {name} already.", "Choose another name.")
    return None


async def create(host: Host, name: str, secret: str, *, line: str) -> None:
    """Make the user, with its password and in the group of administrators.

    Raises:
        Refused: there is an administrator by now (A523), name or password will not do, or the host refuses (A524).
    """
    async with locked(host):
        if administrators.exist(host):
            text = "This host has an administrator by now."
            raise Refused(Issue("A523", "error", "", text, "Log in as that user."))
        issue = wrong_name(name, host) or password.wrong(secret, name, reading.line(host, "/etc/hostname"))
        if issue is not None:
            raise Refused(issue)
        try:
            await _make(host, name, secret)
        except OSError as error:
            log.exception("first administrator")
            text = f"The host did not make the user: {error.strerror or error}."
            raise Refused(Issue("A524", "error", "", text, "See the Log; try another name.")) from error
    audit.note(host, f"administrator {name} created", name, line)


async def _make(host: Host, name: str, secret: str) -> None:
    group = administrators.group(host)
    if not group:
        group = administrators.GROUPS[-1]
        await _run(host, "groupadd", "--system", group)
    shell = "/bin/bash" if host.path("/bin/bash").exists() else "/bin/sh"
    await _run(host, "useradd", "--create-home", "--shell", shell, "--groups", group, name)
    try:
        await _run(host, "chpasswd", given=f"{name}:{secret}\n")
    except OSError:
        await _run(host, "userdel", "--remove", name)
        raise


async def _run(host: Host, name: str, *arguments: str, given: str = "") -> None:
    """A program of the distribution, by its full path and without a shell; the password comes on standard input.

    Raises:
        OSError: it is not there, or it refused.
    """
    path = system.program(host, name)
    if not path:
        raise OSError(errno.ENOENT, f"there is no {name}")
    await system.output(path, *arguments, given=given)
