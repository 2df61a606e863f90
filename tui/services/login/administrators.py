"""The users of this host who may administer it: root, and the members of the groups that sudo trusts by default.

What sudoers says in detail is not read: it is a language of its own, and a site that names single users there puts
them into one of these groups.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd

from tui.services import reading
from tui.services.host import Host

GROUPS = ("sudo", "wheel", "admin", "onsite")
"""Debian; Red Hat and SUSE; older Ubuntu and Kairos; ours, where a host has none of them."""


def may(user: str) -> bool:
    """Whether this user administers the host, wherever it is known from (files, LDAP, SSSD)."""
    try:
        found = pwd.getpwnam(user)
    except (KeyError, ValueError):
        return False
    if found.pw_uid == 0:
        return True
    names = set()
    for number in os.getgrouplist(user, found.pw_gid):
        with contextlib.suppress(KeyError):
            names.add(grp.getgrgid(number).gr_name)
    return not names.isdisjoint(GROUPS)


def exist(host: Host) -> bool:
    """Whether anybody could log in to administer it: one of them has a password, or is known from elsewhere."""
    hashes = {fields[0]: fields[1] for fields in _lines(host, "/etc/shadow", 2)}
    users = {fields[0]: fields for fields in _lines(host, "/etc/passwd", 4)}
    roots = {name for name, fields in users.items() if fields[2] == "0"}
    groups = [fields for fields in _lines(host, "/etc/group", 4) if fields[0] in GROUPS]
    members = {name for fields in groups for name in fields[3].split(",") if name}
    members |= {name for name, fields in users.items() if fields[3] in {group[2] for group in groups}}
    usable = {name for name in roots | members if hashes.get(name, "!")[:1] not in ("", "!", "*")}
    return bool(usable) or bool(members - users.keys())


def group(host: Host) -> str:
    """The group that a new administrator goes into; "" where the host has none of them."""
    known = {fields[0] for fields in _lines(host, "/etc/group", 4)}
    return next((name for name in GROUPS if name in known), "")


def _lines(host: Host, path: str, least: int) -> list[list[str]]:
    found = (line.split(":") for line in (reading.text(host, path) or "").splitlines() if not line.startswith("#"))
    return [fields for fields in found if len(fields) >= least]
