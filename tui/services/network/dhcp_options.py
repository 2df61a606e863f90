"""What the options of a DHCP answer mean for a link (RFC 2132, 3397, 3442).

A server is not trusted: only what looks like an address or a name gets into files and the kernel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, ip_address, ip_interface
from typing import Any

from tui.models.facts import Lease, Route

METRIC = 1024
"""Of leased routes: a static default route (0) wins. networkd gives the same."""
_PROTOCOL = 16
_FOREVER = 0xFFFFFFFF
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?")


@dataclass(frozen=True, slots=True)
class Given:
    lease: Lease
    routes: tuple[Route, ...]
    seconds: int | None
    """Lifetime of the address; None for ever."""


def given(address: str, options: Mapping[str, Any]) -> Given:
    """Args:
        address: `yiaddr` of the answer.
        options: by pyroute2's names; what it cannot decode is a list of bytes.

    Raises:
        ValueError: the address is none.
    """
    interface = ip_interface(f"{address}/{options.get('subnet_mask') or _class_of(address)}")
    assert isinstance(interface, IPv4Interface)  # noqa: S101 - the field has four bytes
    hops = _classless(options.get("classless_static_route") or ())
    if not hops and options.get("router"):
        hops = [("default", options["router"][0])]
    routes = tuple(_route(destination, gateway, interface) for destination, gateway in hops)
    seconds = int(options.get("lease_time", 0)) & _FOREVER
    search = _names(options.get("domain_search") or ()) or str(options.get("domain_name") or "").split()
    lease = Lease(
        address=str(interface),
        gateway=next((r.gateway for r in routes if r.destination == "default"), ""),
        nameservers=tuple(options.get("name_server") or ()),
        search_domains=tuple(name.rstrip(".").lower() for name in search if is_name(name)),
        server=str(options.get("server_id") or ""),
        seconds=seconds,
    )
    return Given(lease, routes, None if seconds == _FOREVER else seconds)


def is_address(text: object) -> bool:
    try:
        ip_address(str(text))
    except ValueError:
        return False
    return True


def is_name(text: object) -> bool:
    return _NAME.fullmatch(str(text)) is not None


def _route(destination: str, gateway: str, interface: IPv4Interface) -> Route:
    """`source` ties it to the leased address: when the kernel ends the one, it ends the other."""
    direct = gateway == "0.0.0.0"  # noqa: S104 - RFC 3442: reached on the link itself
    return Route(
        destination, "" if direct else gateway, METRIC, protocol=_PROTOCOL, source=str(interface.ip),
        on_link=not direct and IPv4Address(gateway) not in interface.network,
    )  # fmt: skip


def _class_of(address: str) -> int:
    """The prefix of a server that gives none (RFC 791 §3.2)."""
    first = int(address.partition(".")[0])
    return 8 if first < 128 else 16 if first < 192 else 24


def _classless(data: Sequence[int]) -> list[tuple[str, str]]:
    """RFC 3442: width, the octets that count, next hop. What is cut short ends the list."""
    found, at = [], 0
    while at < len(data):
        width = data[at]
        octets = (width + 7) // 8
        gateway = data[at + 1 + octets : at + 5 + octets]
        if width > 32 or len(gateway) < 4:
            break
        network = IPv4Address(bytes([*data[at + 1 : at + 1 + octets], *bytes(4 - octets)]))
        prefix = ip_interface(f"{network}/{width}").network
        found.append(("default" if width == 0 else str(prefix), str(IPv4Address(bytes(gateway)))))
        at += 5 + octets
    return found


def _names(data: Sequence[int]) -> list[str]:
    """RFC 3397: names as in DNS messages (RFC 1035 §4.1.4), pointers included; at most 32 of them."""
    found: list[str] = []
    at = 0
    while at < len(data) and len(found) < 32:
        labels, here, jumps = [], at, 0
        at = -1
        while here < len(data) and data[here]:
            length = data[here]
            if length >= 0xC0:
                at = here + 2 if at < 0 else at
                jumps += 1
                if here + 1 >= len(data) or jumps > 16:
                    return found
                here = (length & 0x3F) << 8 | data[here + 1]
                continue
            labels.append(bytes(data[here + 1 : here + 1 + length]).decode("ascii", "replace"))
            here += 1 + length
        at = here + 1 if at < 0 else at
        if labels:
            found.append(".".join(labels))
    return found
