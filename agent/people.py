"""Users of this host: who they are, whether they may administer it, and the keys that they log in with."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from tui.services import reading
from tui.services.host import Host
from tui.services.login import administrators

LARGEST = 256 << 10
"""Bytes of a file of keys."""
_KEY = re.compile(
    r"(?:[A-Za-z0-9,=\"@/ .:*_+-]+ )?(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9@.-]+)"
    r" [A-Za-z0-9+/]{16,}={0,3}(?: [ -~]*)?"
)


@dataclass(frozen=True, slots=True)
class Account:
    """A line of /etc/passwd, or what the host's directory says instead."""

    name: str
    uid: int
    gid: int
    home: str


def account(host: Host, who: str | int) -> Account | None:
    """By name or by uid; None for nobody of this host."""
    if host.kind == "real":
        with contextlib.suppress(KeyError, ValueError, OverflowError, UnicodeError):
            found = pwd.getpwnam(who) if isinstance(who, str) else pwd.getpwuid(who)
            return Account(found.pw_name, found.pw_uid, found.pw_gid, found.pw_dir)
        return None
    for entry in _entries(host, "/etc/passwd", 7):
        if entry[0] == who or entry[2] == str(who):
            return Account(entry[0], int(entry[2]), int(entry[3]), entry[5])
    return None


def may_administer(host: Host, name: str) -> bool:
    """root, and members of the groups that sudo gives everything to."""
    found = account(host, name)
    if found is None:
        return False
    if found.uid == 0:
        return True
    if host.kind == "real":
        return administrators.may(name)
    lines = [e for e in _entries(host, "/etc/group", 4) if e[0] in administrators.GROUPS]
    return any(name in e[3].split(",") or e[2] == str(found.gid) for e in lines)


def _entries(host: Host, path: str, fields: int) -> Iterator[list[str]]:
    for line in (reading.text(host, path) or "").splitlines():
        parts = line.split(":")
        if len(parts) == fields and parts[2].isdigit() and (fields < 7 or parts[3].isdigit()):
            yield parts


def is_key(text: str) -> bool:
    """One line of authorized_keys (sshd(8)) that holds a key."""
    return len(text) <= 16384 and _KEY.fullmatch(text) is not None


def ssh_keys(host: Host, who: Account) -> list[str]:
    """The keys in their file; none where there is no such file."""
    with contextlib.suppress(OSError), _folder(host, who, make=False) as folder:
        fd = os.open("authorized_keys", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        with open(fd, "rb") as file:
            text = file.read(LARGEST).decode("utf-8", "replace") if stat.S_ISREG(os.fstat(fd).st_mode) else ""
        return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return []


def set_ssh_keys(host: Host, who: Account, keys: list[str]) -> None:
    """Replace them all. The folder is the user's own, so no link in it is followed while we are root.

    Raises:
        OSError: it cannot be written, or something else than the user's own folder is there.
    """
    content = "".join(f"{key}\n" for key in keys).encode()
    with _folder(host, who, make=True) as folder:
        beside = f".authorized_keys.{secrets.token_hex(4)}.onsite.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(beside, flags, 0o600, dir_fd=folder)
        try:
            with open(fd, "wb", closefd=True) as file:
                file.write(content)
                file.flush()
                _own(fd, who)
                os.fsync(fd)
            os.rename(beside, "authorized_keys", src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside, dir_fd=folder)
            raise
        os.fsync(folder)


@contextlib.contextmanager
def _folder(host: Host, who: Account, *, make: bool) -> Iterator[int]:
    """A descriptor of the user's .ssh; root owns or the user owns it, or it is refused."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    home = os.open(host.path(who.home), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(".ssh", 0o700, dir_fd=home)
                new = os.open(".ssh", flags, dir_fd=home)
                try:
                    _own(new, who)
                finally:
                    os.close(new)
        folder = os.open(".ssh", flags, dir_fd=home)
    finally:
        os.close(home)
    try:
        if os.fstat(folder).st_uid not in (who.uid, os.geteuid()):
            raise PermissionError(f"{who.home}/.ssh belongs to somebody else")
        yield folder
    finally:
        os.close(folder)


def _own(fd: int, who: Account) -> None:
    if os.geteuid() == 0:
        with contextlib.suppress(PermissionError):  # a user namespace maps no other owner
            os.fchown(fd, who.uid, who.gid)
