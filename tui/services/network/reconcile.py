"""From what a link is to what it shall be: the netlink operations, in an order that never strands a route.

Traps this answers (measured on veth): deleting an IPv4 address leaves default and static routes through its
gateway behind; deleting the first of several IPv4 addresses of one network takes the others with it unless
`promote_secondaries` is set; a link that goes down loses its IPv6 addresses. So the full sets are compared, new
things come before old ones go, and a link that is up stays up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Literal

from tui.models.facts import Address, Layer, Link, LinkState, Origin, Route

DYNAMIC_PROTOCOLS: dict[int, Origin] = {9: "ra", 16: "dhcp"}
"""RTPROT_RA and RTPROT_DHCP of rtnetlink(7): routes that somebody else keeps alive."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One change of the kernel.

    Attributes:
        address: with its prefix.
        route: whole; of one to delete the protocol counts too.
        value: an MTU; 1 or 0 for up and for router advertisements; the index of a master, 0 for none.
        name: of a link to make, whose `index` is that of the parent of a VLAN, or 0; the new one of a link.
        layer: what the link to make is; of one that is there what becomes of it (the port that a bond prefers).
        seconds: lifetime of an address that came from a lease; None for ever.
    """

    kind: Literal[
        "up",
        "mtu",
        "add address",
        "delete address",
        "add route",
        "delete route",
        "router advertisements",
        "solicit",
        "make",
        "prefer",
        "master",
        "delete link",
        "rename",
    ]
    index: int
    address: str = ""
    route: Route | None = None
    value: int = 0
    seconds: int | None = None
    origin: Origin = "console"
    name: str = ""
    layer: Layer | None = None


def reconcile(link: Link, wanted: LinkState, *, keep: Iterable[Origin] = ()) -> list[Operation]:
    """The operations that make `link` equal `wanted`; none where it does already.

    Args:
        keep: leave what a lease ("dhcp") or a router advertisement ("ra") gave; its client owns it.
    """
    keep, index = frozenset(keep), link.index
    operations: list[Operation] = []
    if link.mtu != wanted.mtu:
        operations.append(Operation("mtu", index, value=wanted.mtu))
    if link.admin_up != wanted.up:
        operations.append(Operation("up", index, value=int(wanted.up)))
    lost6 = link.admin_up and not wanted.up  # going down drops them, keep_addr_on_down aside
    lasting = {a.address for a in link.addresses if a.origin not in ("dhcp", "ra")}
    have = {a for a in lasting if not (lost6 and ":" in a)}
    operations += [Operation("add address", index, address=a) for a in wanted.addresses if a not in have]
    operations += _routes(link, wanted, keep)
    leaving = [a for a in link.addresses if _leaves(a, wanted, keep)]
    operations += [Operation("delete address", index, address=a.address) for a in leaving]
    gone = {ip_interface(a.address).network for a in leaving if a.family == 4}
    again = [a for a in wanted.addresses if ":" not in a and ip_interface(a).network in gone]
    operations += [Operation("add address", index, address=a) for a in again]
    if again:
        operations += [Operation("add route", index, route=r) for r in wanted.routes if r.family == 4]
    return operations


def _routes(link: Link, wanted: LinkState, keep: frozenset[Origin]) -> Iterator[Operation]:
    """A wanted route that a lease or an advertisement holds is made anew, or it would end with the lease."""
    here = [r for r in link.routes if r.protocol != 2 and r.table == 254]
    want = {_key(r): r for r in wanted.routes}
    lasting = {_key(r) for r in here if r.protocol not in DYNAMIC_PROTOCOLS}
    old = {_key(r): r for r in here if r.protocol in DYNAMIC_PROTOCOLS}
    for key, route in want.items():
        if key not in lasting:
            if key in old:
                yield Operation("delete route", link.index, route=old.pop(key))
            yield Operation("add route", link.index, route=route)
    for route in here:
        dynamic = DYNAMIC_PROTOCOLS.get(route.protocol)
        if (dynamic and (dynamic in keep or _key(route) not in old)) or (not dynamic and _key(route) in want):
            continue
        yield Operation("delete route", link.index, route=route)


def _leaves(address: Address, wanted: LinkState, keep: frozenset[Origin]) -> bool:
    return address.address not in wanted.addresses and not address.link_local and address.origin not in keep


def _key(route: Route) -> tuple[int, str, str, int]:
    return route.family, route.destination, route.gateway, route.metric
