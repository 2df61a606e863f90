"""The bonds of this network namespace and whom LACP found, by rtnetlink(7): /sys may show those of another one.

Constants are those of linux/if_link.h.
"""

from __future__ import annotations

import contextlib
import socket
import struct

from tui.models.port import Bond
from tui.services.facts import rtnl
from tui.services.facts.netlink import attributes, dump, number, text

DYNAMIC = 4
"""Mode 802.3ad: the one that speaks LACP."""
_NAME, _MASTER, _LINK_INFO = 3, 10, 18
_KIND, _DATA = 1, 2
_MODE, _DYNAMIC_INFO, _PARTNER = 1, 23, 5
_IFINFO = struct.Struct("=BxHiII")


def read() -> tuple[Bond, ...]:
    """Every bond; none where the kernel does not tell."""
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as sock,
    ):
        return parse(dump(sock, rtnl.RTM_GETLINK, _IFINFO.pack(0, 0, 0, 0, 0)))
    return ()


def parse(bodies: list[bytes]) -> tuple[Bond, ...]:
    """The bonds among RTM_NEWLINK bodies, with those that have them for a master."""
    members: dict[int, list[int]] = {}
    found: list[tuple[int, str, int, str]] = []
    for body in bodies:
        if len(body) < _IFINFO.size:
            continue
        _, _, index, _, _ = _IFINFO.unpack_from(body)
        values = attributes(body, _IFINFO.size)
        if master := number(values.get(_MASTER)):
            members.setdefault(master, []).append(index)
        info = attributes(values.get(_LINK_INFO, b""), 0)
        if text(info.get(_KIND)) == "bond":
            data = attributes(info.get(_DATA, b""), 0)
            partner = attributes(data.get(_DYNAMIC_INFO, b""), 0).get(_PARTNER, b"")
            name = partner.hex(":") if any(partner) and len(partner) == 6 else ""
            found.append((index, text(values.get(_NAME)), number(data.get(_MODE)), name))
    return tuple(Bond(index, name, mode, tuple(members.get(index, ())), who) for index, name, mode, who in found)
