"""A kernel in memory: a recorded host that is replayed. Nothing on this machine changes.

It follows the real one where a person or a transaction would see the difference: a link that goes down loses routes
and IPv6 addresses, an IPv6 address is tentative until duplicate address detection has passed, carrier comes and goes.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.models.facts import Address, Facts, Link, OperState, Route

if TYPE_CHECKING:
    from tui.services.network.reconcile import Operation

_TENTATIVE, _DUPLICATE, _PERMANENT = 0x40, 0x08, 0x80


class RecordedKernel:
    """`Kernel` over `Facts`.

    Args:
        taken: addresses (without prefix) that another host has; set on a link they are found to be duplicates.
        dad: seconds that duplicate address detection takes.
    """

    def __init__(self, facts: Facts, *, taken: Sequence[str] = (), dad: float = 0.0) -> None:
        self._links = {link.index: link for link in facts.links}
        self._taken, self._dad = frozenset(taken), dad
        self._changed = asyncio.Condition()
        self._changes = 0

    def links(self) -> tuple[Link, ...]:
        return tuple(self._links[index] for index in sorted(self._links))

    async def change(self, operations: Sequence[Operation]) -> None:
        """As the kernel would.

        Raises:
            OSError: ENODEV for a link that is not there, EINVAL for an MTU that it cannot have, ENETDOWN for a route
                on a link that is down, EEXIST for a name that is taken.
        """
        for operation in operations:
            if operation.kind == "make":
                self._make(operation)
                continue
            link = self._links.get(operation.index)
            if link is None:
                raise OSError(errno.ENODEV, "No such device")
            if operation.kind == "delete link":
                self._delete(link)
            else:
                self._links[operation.index] = self._changed_link(link, operation)
                self._follow_ports()
        if operations:
            await self._announce()
        if self._checked() and self._dad:
            await asyncio.sleep(self._dad)
            await self._announce()
        for index, link in self._links.items():
            self._links[index] = replace(link, addresses=tuple(self._after_check(a) for a in link.addresses))

    async def set_carrier(self, name: str, carrier: bool) -> None:
        """Plug the cable in or out."""
        for index, link in self._links.items():
            if link.name == name:
                state: OperState = "up" if carrier and link.admin_up else "down"
                self._links[index] = replace(link, carrier=carrier, operstate=state)
        self._follow_ports()
        await self._announce()

    async def put(self, link: Link) -> None:
        """A link appears, or is another one from now on."""
        self._links[link.index] = link
        await self._announce()

    async def events(self) -> AsyncIterator[None]:
        seen = self._changes
        while True:
            async with self._changed:
                while self._changes == seen:
                    await self._changed.wait()
                seen = self._changes
            yield None

    async def _announce(self) -> None:
        async with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def _checked(self) -> bool:
        return any(a.flags & _TENTATIVE for link in self._links.values() for a in link.addresses)

    def _after_check(self, address: Address) -> Address:
        if not address.flags & _TENTATIVE:
            return address
        if address.address.partition("/")[0] in self._taken:
            return replace(address, flags=address.flags | _DUPLICATE)
        return replace(address, flags=address.flags & ~_TENTATIVE)

    def _make(self, operation: Operation) -> None:
        """A VLAN has the MAC and the carrier of its parent; a bond or bridge gets both from its first port."""
        if any(link.name == operation.name for link in self._links.values()):
            raise OSError(errno.EEXIST, "File exists")
        layer, parent = operation.layer, self._links.get(operation.index)
        if layer is None or (layer.kind == "vlan" and parent is None):
            raise OSError(errno.ENODEV, "No such device")
        index = max(self._links, default=0) + 1
        mac = parent.mac if parent is not None else f"02:00:5e:00:53:{index & 255:02x}"
        mtu = parent.mtu if parent is not None else 1500
        self._links[index] = Link(index, operation.name, mac, kind=layer.kind, layer=layer, operstate="down", mtu=mtu)
        self._follow_ports()

    def _delete(self, link: Link) -> None:
        """Ports become free, and what stood on the link goes with it."""
        del self._links[link.index]
        for other in list(self._links.values()):
            if other.layer is not None and other.layer.parent == link.name and other.index in self._links:
                self._delete(other)
            elif other.master == link.name:
                self._links[other.index] = replace(other, master="")

    def _follow_ports(self) -> None:
        """Carrier, MAC and partner of links that are made come from below."""
        for index, link in sorted(self._links.items()):
            if link.layer is None:
                continue
            below = [x for x in self._links.values() if x.master == link.name or x.name == link.layer.parent]
            carrier = link.admin_up and any(x.carrier and x.admin_up for x in below)
            state: OperState = "up" if carrier else "down"
            mac = below[0].mac if below else link.mac
            self._links[index] = replace(link, carrier=carrier, operstate=state, mac=mac)

    def _name(self, index: int) -> str:
        return self._links[index].name if index in self._links else ""

    def _changed_link(self, link: Link, operation: Operation) -> Link:
        match operation.kind:
            case "up" if operation.value:
                return replace(link, admin_up=True, operstate="up" if link.carrier else "down")
            case "up":
                lasting = tuple(a for a in link.addresses if a.family == 4)
                return replace(link, admin_up=False, operstate="down", addresses=lasting, routes=())
            case "master":
                return replace(link, master=self._name(operation.value))
            case "prefer" if link.layer is not None:
                return replace(link, layer=replace(link.layer, primary=self._name(operation.value)))
            case "mtu":
                if not link.min_mtu <= operation.value <= link.max_mtu:
                    raise OSError(errno.EINVAL, "mtu out of range")
                return replace(link, mtu=operation.value)
            case "add address":
                flags = _PERMANENT if operation.seconds is None else 0
                old = next((a for a in link.addresses if a.address == operation.address), None)
                new = ":" in operation.address and old is None
                origin = operation.origin if operation.origin == "dhcp" else "other"
                address = Address(operation.address, origin, flags | (_TENTATIVE if new else 0), operation.seconds)
                others = tuple(a for a in link.addresses if a is not old)
                return replace(
                    link, addresses=(*others, address), routes=(*link.routes, *_leased_way_out(link, address))
                )
            case "delete address":
                return replace(link, addresses=tuple(a for a in link.addresses if a.address != operation.address))
            case "add route" if operation.route is not None:
                if not link.admin_up:
                    raise OSError(errno.ENETDOWN, "Network is down")
                other_routes = tuple(r for r in link.routes if r != operation.route)
                return replace(link, routes=(*other_routes, operation.route))
            case "delete route":
                return replace(link, routes=tuple(r for r in link.routes if r != operation.route))
            case "router advertisements" if not operation.value:
                kept = tuple(a for a in link.addresses if a.origin != "ra")
                return replace(link, addresses=kept, routes=tuple(r for r in link.routes if r.protocol != 9))
        return link


def _leased_way_out(link: Link, address: Address) -> tuple[Route, ...]:
    """No DHCP client runs on a recorded host, so the gateway of the recorded lease comes back with its address."""
    if address.origin != "dhcp" or link.lease is None or not link.lease.gateway:
        return ()
    route = Route("default", link.lease.gateway, protocol=16, source=address.address.partition("/")[0])
    return () if route in link.routes else (route,)
