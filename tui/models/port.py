"""What a port of this host says of itself without being asked: who is at its other end, and when a cable moved.

Everything in a `Neighbour` came over a cable from somebody unknown: its texts are short and printable ASCII, whatever
was sent (`printable`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tui.models.facts import Link

LONGEST = 64
"""Characters of one text that is kept of a neighbour; names of ports and systems have 10 to 40."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who is at the other end of a cable, by what it announces (LLDP, or Cisco's CDP).

    Attributes:
        chassis: the box: a MAC address, or a name.
        port: the socket that the cable leads to, such as "Gi1/0/14".
        about_port: what its administrator called that port.
        vlan: of frames without a tag; 0 where there is none, None where it does not say.
        vlans: those that it names, with the names: (20, "tills").
        addresses: where it is managed.
        until: CLOCK_BOOTTIME in seconds: when it is out of date unless it is heard again.
    """

    protocol: Literal["LLDP", "CDP"]
    chassis: str
    port: str
    until: float = 0.0
    about_port: str = ""
    system: str = ""
    vlan: int | None = None
    vlans: tuple[tuple[int, str], ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How a person knows the box."""
        return self.system or self.chassis


@dataclass(frozen=True, slots=True)
class Bundle:
    """One end of a link aggregation that speaks LACP, as it was heard on one port.

    Attributes:
        system: MAC address of the box; with `key` it names the bundle.
        partner: the box that it takes for its partner; all zero where it knows none.
        until: CLOCK_BOOTTIME in seconds, as for a neighbour.
    """

    system: str
    key: int
    port: int
    partner: str
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Bond:
    """What the kernel says of one bond.

    Attributes:
        mode: as bonding calls it.
        members: indexes of its ports.
        partner: MAC address of the box that LACP found; "" where it found none.
    """

    index: int
    name: str
    mode: str
    members: tuple[int, ...] = ()
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Carrier:
    """What one link knows of its cable at one moment."""

    index: int
    name: str
    admin_up: bool
    carrier: bool


Move = Literal["plugged in", "unplugged", "appeared", "gone", "switched on", "switched off"]


@dataclass(frozen=True, slots=True)
class Plug:
    """A cable, or a whole port, came or went.

    Attributes:
        at: CLOCK_BOOTTIME in seconds; wall clocks jump.
    """

    index: int
    name: str
    move: Move
    at: float


def ports(links: tuple[Link, ...]) -> tuple[Link, ...]:
    """The links that somebody can hold the cable of: what has hardware, or where there is none (a container) its
    virtual cables. At most 64: every one is listened on."""
    hardware = [x for x in links if x.kind == "ethernet"]
    return tuple(hardware or [x for x in links if x.kind in ("veth", "macvlan")])[:64]


def bonds(links: tuple[Link, ...]) -> tuple[Bond, ...]:
    """The bonds among these links."""
    members: dict[str, tuple[int, ...]] = {}
    for link in links:
        members[link.master] = (*members.get(link.master, ()), link.index)
    return tuple(
        Bond(x.index, x.name, x.layer.mode, members.get(x.name, ()), x.partner)
        for x in links
        if x.layer is not None and x.layer.kind == "bond"
    )


def printable(raw: bytes) -> str:
    """What a terminal can show of a foreign text: printable ASCII, cut."""
    words = raw.split(b"\0", 1)[0].decode("utf-8", "replace")
    return "".join(c if " " <= c <= "~" else "?" for c in words).strip()[:LONGEST]
