"""Words on screen for what the models name in one letter or number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.models.facts import Link

if TYPE_CHECKING:
    from tui.models.port import Neighbour

ORIGINS = {
    "dhcp": "DHCP",
    "ra": "router",
    "kernel": "system",
    "factory": "factory",
    "site": "site file",
    "console": "console",
    "management": "management",
    "program": "a program",
    "other": "other",
}


def origin(value: str) -> str:
    """Where a value comes from."""
    return ORIGINS.get(value, value)


def carrier(link: Link) -> str:
    """Whether there is a cable with somebody at its other end, and how fast."""
    if not link.admin_up:
        return "switched off"
    if not link.carrier:
        return "no carrier"
    if link.speed_mbps:
        return f"{link.speed_mbps} Mb/s"
    return "up"


def link_mark(link: Link) -> str:
    """ok reachable, ! needs a look, - nothing plugged in."""
    if any(a.duplicate for a in link.addresses):
        return "x"
    if not link.admin_up or not link.carrier:
        return "-"
    return "ok" if any(not a.link_local for a in link.addresses) else "!"


METHODS = {"dhcp": "DHCP", "static": "static", "off": "off", "auto": "automatic"}


def at_the_other_end(neighbour: Neighbour, width: int) -> str:
    """Who is there, the port and its VLAN; the name gives way where there is no room: "switch-a Gi1/0/14, VLAN 20"."""
    vlan = {None: "", 0: ", tags only"}.get(neighbour.vlan, f", VLAN {neighbour.vlan}")
    where = f"{neighbour.port}{vlan}"
    name = neighbour.system.split(".")[0] or neighbour.chassis
    room = width - len(where) - 1
    if len(name) > room:
        name = f"{name[: room - 2]}.." if room > 4 else ""
    found = f"{name} {where}".strip()
    return found if len(found) <= width else f"{found[: width - 2]}.."
