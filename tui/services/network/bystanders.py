"""What running programs have set on a link: virtual addresses, routes of a container network.

A manager does not know them, and takes them away when it reads a file anew (systemd-networkd: ManageForeignRoutes=,
and foreign addresses in any case). They are none of what a person changes here, so they are put back.
"""

from __future__ import annotations

from dataclasses import replace

from tui.models.facts import Link, LinkState, Route
from tui.services.host import Host

_STATIC = 4
"""RTPROT_STATIC: what managers and people configure; programs use other numbers of rtnetlink(7)."""


def of(link: Link, wanted: LinkState) -> LinkState | None:
    """What programs have set on the link and `wanted` does not have; None for nothing."""
    addresses = tuple(a.address for a in link.addresses if a.origin == "program" and a.address not in wanted.addresses)
    have = {_key(r) for r in wanted.routes}
    routes = tuple(r for r in link.state.routes if _by_program(r) and _key(r) not in have)
    return replace(wanted, addresses=addresses, routes=routes) if addresses or routes else None


def with_them(wanted: LinkState, others: LinkState | None) -> LinkState:
    if others is None:
        return wanted
    addresses = tuple(sorted((*wanted.addresses, *others.addresses)))
    return replace(wanted, addresses=addresses, routes=(*wanted.routes, *others.routes))


async def put_back(host: Host, identity: str, others: LinkState) -> None:
    """Set again what is missing of them; a link that is gone has none.

    Raises:
        OSError: the kernel refused.
    """
    from tui.services.network.reconcile import Operation

    link = next((x for x in host.kernel.links() if x.identity == identity), None)
    if link is None:
        return
    have, ways = {a.address for a in link.addresses}, {_key(r) for r in link.routes}
    operations = [Operation("add address", link.index, address=a) for a in others.addresses if a not in have]
    operations += [Operation("add route", link.index, route=r) for r in others.routes if _key(r) not in ways]
    await host.kernel.change(operations)


def _by_program(route: Route) -> bool:
    return route.protocol != _STATIC and route.destination != "default"


def _key(route: Route) -> tuple[int, str, str]:
    return route.family, route.destination, route.gateway
