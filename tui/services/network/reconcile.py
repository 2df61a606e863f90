"""From what a link is to what it shall be: the netlink operations, in an order that never strands a route.

Traps this answers (measured on veth): deleting an IPv4 address leaves default and static routes through its
gateway behind; a link that goes down loses its IPv6 addresses. So the full sets are compared, new things come
before old ones go, and a link that is up stays up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tui.models.facts import Link, LinkState, Route


@dataclass(frozen=True, slots=True)
class Operation:
    """One change of the kernel. `address` carries a prefix; `route` is whole; `value` is an MTU or 1/0 for up/down."""

    kind: Literal["up", "mtu", "add address", "delete address", "add route", "delete route"]
    index: int
    address: str = ""
    route: Route | None = None
    value: int = 0


def reconcile(link: Link, wanted: LinkState, *, keep_dynamic: bool = False) -> list[Operation]:
    """The operations that make `link` equal `wanted`.

    Args:
        keep_dynamic: leave what a lease or a router advertisement gave (the client owns it).
    """
    now, index = link.state, link.index
    operations: list[Operation] = []
    if now.mtu != wanted.mtu:
        operations.append(Operation("mtu", index, value=wanted.mtu))
    if now.up != wanted.up:
        operations.append(Operation("up", index, value=int(wanted.up)))
    have = {a.address for a in link.addresses}
    operations += [Operation("add address", index, address=a) for a in wanted.addresses if a not in have]
    here = {_key(r): r for r in link.routes if r.protocol != 2 and r.table == 254}
    want = {_key(r): r for r in wanted.routes}
    operations += [Operation("add route", index, route=r) for key, r in want.items() if key not in here]
    leaving = {key: r for key, r in here.items() if key not in want}
    operations += [
        Operation("delete route", index, route=r)
        for r in leaving.values()
        if not (keep_dynamic and r.protocol in (9, 16))
    ]
    for address in link.addresses:
        gone = address.address not in wanted.addresses and not address.link_local
        if gone and not (keep_dynamic and address.origin in ("dhcp", "ra")):
            operations.append(Operation("delete address", index, address=address.address))
    return operations


def _key(route: Route) -> tuple[int, str, str, int]:
    return route.family, route.destination, route.gateway, route.metric
