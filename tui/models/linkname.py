"""Names of links, VLAN ids, metrics and destinations of routes, made into values.

Sources: dev_valid_name of the Linux kernel (IFNAMSIZ is 16 with the closing zero), IEEE 802.1Q (ids 1 to 4094).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any

from tui.models.ipv4 import gateway4, interface4
from tui.models.ipv6 import gateway6, interface6
from tui.models.wrong import Wrong, clean, quoted

if TYPE_CHECKING:
    from tui.models.link import StaticRoute

LONGEST = 15
"""Characters of the name of a link: IFNAMSIZ without the closing zero."""
HIGHEST_METRIC = (1 << 32) - 1
_RESERVED = ("lo", "all", "default", "localhost", "bonding_masters")
"""Names that mean something else to the kernel, to sysctl or to a manager."""
_EXAMPLE = "Type a name such as bond0, or bond0.100 for a VLAN."
_ROUTE = "Type it such as 198.51.100.0/24 via 192.0.2.254."
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}|([0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}")


def linkname(text: str) -> str:
    """The name of a link that is made: 1 to 15 of a-z, A-Z, 0-9, dot, hyphen and underscore, with a letter in front.

    Raises:
        Wrong: N117 nothing is typed; N171 too long; N172 a sign that does not belong; N173 reserved.
    """
    text = clean(text)
    shown = quoted(text)
    if not text:
        raise Wrong("N117", "The name is missing.", _EXAMPLE)
    if len(text) > LONGEST:
        raise Wrong("N171", f"{shown} has {len(text)} characters; a name has {LONGEST} at most.", _EXAMPLE)
    if odd := next((c for c in text if not re.fullmatch(r"[A-Za-z0-9._-]", c)), ""):
        raise Wrong("N172", f"{quoted(odd)} cannot stand in the name of an interface.", _EXAMPLE)
    if not text[0].isalpha():
        raise Wrong("N172", f"{shown} does not begin with a letter.", _EXAMPLE)
    if text.lower() in _RESERVED:
        raise Wrong("N173", f"{shown} means something else to the system.", _EXAMPLE)
    return text


def reference(text: str) -> str:
    """How one link speaks of another: a MAC, or a name; "" for none.

    Raises:
        Wrong: N151 no MAC; N171 to N173 no name.
    """
    from tui.models.values import mac

    text = clean(text)
    if not text:
        return ""
    return mac(text) if _MAC.fullmatch(text) or ":" in text else linkname(text)


def vlan_id(text: str) -> int:
    """The id of a VLAN, 1 to 4094.

    Raises:
        Wrong: N117 nothing is typed; N174 no such id.
    """
    text = clean(text)
    if not text:
        raise Wrong("N117", "The VLAN id is missing.", "Type a number from 1 to 4094, such as 100.")
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text) or int(text) > 4094:
        cause = f"{quoted(text)} is no VLAN id; ids go from 1 to 4094."
        raise Wrong("N174", cause, "Type the number that the network plan has, such as 100.")
    return int(text)


def route(text: str) -> StaticRoute:
    """A static route: the network, then `via` and a router, then `metric` and a number; both may be left out.

    Raises:
        Wrong: as its parts; N179 other words, or a router of the other family.
    """
    text = clean(text)
    words = text.split()
    found: dict[str, Any] = {"to": destination(words[0] if words else "")}
    rest = words[1:]
    while rest:
        key, value, rest = rest[0].lower(), rest[1] if len(rest) > 1 else "", rest[2:]
        if key not in ("via", "metric") or key in found or not value:
            cause = f"{quoted(text)} is no route: after the network come via and a router, metric and a number."
            raise Wrong("N179", cause, _ROUTE)
        found[key] = metric(value) if key == "metric" else gateway6(value) if ":" in value else gateway4(value)
    if "via" in found and found["via"].version != found["to"].version:
        raise Wrong("N179", f"The router {found['via']} cannot lead to {found['to']}.", _ROUTE)
    from tui.models.link import StaticRoute

    return StaticRoute.model_validate(found)


def metric(text: str) -> int | None:
    """The metric of a route, 0 to 4294967295; None for an empty text.

    Raises:
        Wrong: N175.
    """
    text = clean(text)
    if not text:
        return None
    if not re.fullmatch(r"0|[1-9][0-9]{0,9}", text) or int(text) > HIGHEST_METRIC:
        raise Wrong("N175", f"{quoted(text)} is no metric.", "Type a whole number such as 100; the smallest wins.")
    return int(text)


def monitor(text: str) -> int:
    """Milliseconds between two looks at the carrier of a bond's ports, 10 to 10000.

    Raises:
        Wrong: N176.
    """
    text = clean(text)
    if not re.fullmatch(r"[1-9][0-9]{1,4}", text) or not 10 <= int(text) <= 10000:
        raise Wrong("N176", f"{quoted(text)} is no such time; it goes from 10 to 10000.", "Type 100, which is usual.")
    return int(text)


def destination(text: str) -> IPv4Network | IPv6Network:
    """A network that a static route leads to, such as 198.51.100.0/24.

    Raises:
        Wrong: as an address; N177 the address of one machine with the prefix of a network, or the way out.
    """
    text = clean(text)
    if text in ("default", "0.0.0.0/0", "::/0"):
        raise Wrong("N177", "The way out is the gateway, which has a field of its own.", "Type a network here.")
    address = interface6(text) if text.count(":") > 1 else interface4(text)
    if address.ip != address.network.network_address:
        cause = f"{address} is one machine in {address.network}."
        raise Wrong("N177", cause, f"Type {address.network}, or {address.ip}/{address.network.max_prefixlen}.")
    return address.network


def no_identity(made: bool) -> Wrong:
    """A port without MAC (D106), or a link that is made and has one (N178)."""
    if made:
        text = "A VLAN, bond or bridge has no MAC of its own."
        return Wrong("N178", text, "Take mac away; its name is what names it.")
    return Wrong("D106", "The MAC of the interface is missing.", "Add mac, such as 00:00:5e:00:53:01.")


def two_kinds(name: str) -> Wrong:
    text = f"{quoted(name)} cannot be two of VLAN, bond and bridge at once."
    return Wrong("N178", text, "Make two interfaces of it: the VLAN on the bond, with the bond as its parent.")
