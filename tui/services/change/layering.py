"""Around the reload of a manager: devices that have to go before it, and what it leaves behind after it.

networkd and netplan make a device once and never change or remove it; a bond in another mode is taken away first, so
that it is made anew. What is no longer wanted is taken away last, when its ports have left it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tui.models.facts import Layer, Link, LinkState
from tui.services.change.journal import LinkChange
from tui.services.host import Host
from tui.services.network import making
from tui.services.network.backend import Backend
from tui.services.network.reconcile import Operation

_DEPTH = {"vlan": 2, "bond": 1, "bridge": 1}


def upward(links: Iterable[LinkChange], states: Mapping[str, LinkState]) -> list[LinkChange]:
    """Ports, then bonds and bridges, then VLANs."""
    return sorted(links, key=lambda x: _DEPTH.get(layer.kind, 0) if (layer := states[x.identity].layer) else 0)


async def cleared(
    host: Host, links: Sequence[LinkChange], states: Mapping[str, LinkState], backends: Mapping[str, Backend]
) -> None:
    """Take away what is there in another shape than it shall have, upper links first.

    Ports that leave a bond and have no permanent MAC leave it here: in a bond they have the MAC of another port
    (balance-alb exchanges them), and a file that means them by their own would mean nobody.

    Raises:
        OSError: the kernel or the manager refused.
    """
    now = {link.name: link for link in host.kernel.links() if link.layer is not None}
    if not now:
        return
    for link in links:
        port, wanted = _find(host, link.identity), states[link.identity]
        if port is None or port.permanent_mac or not wanted.there or wanted.master:
            continue
        if port.master in now and now[port.master].kind == "bond":
            await making.freed(host, port.name)
    other = [
        x for x in links
        if (wanted := states[x.identity]).there and x.name in now and now[x.name].layer != wanted.layer
    ]  # fmt: skip
    names = {x.name for x in other}
    other += [x for x in links if (layer := _layer(now.get(x.name))) and layer.parent in names and x.name not in names]
    for link in sorted(other, key=lambda x: -_DEPTH.get(now[x.name].kind, 0)):
        await backends[link.backend].unmake(host, link.name)


async def finished(host: Host, links: Iterable[LinkChange], states: Mapping[str, LinkState]) -> None:
    """What the manager has left: devices that shall not be there, ones that no file made, ports, MTUs.

    Raises:
        OSError: the kernel refused.
    """
    some = upward(links, states)
    for link in reversed(some):
        if not states[link.identity].there:
            await making.away(host, link.name)
    for link in some:
        wanted = states[link.identity]
        now = _find(host, link.identity)
        if wanted.layer is not None and wanted.there:
            ports = [x.name for x in some if states[x.identity].master == link.name]
            if now is None or any(_master(host, port) != link.name for port in ports):
                await making.made(host, link.name, wanted.layer, [*ports, *_others(host, link.name, ports)])
        elif now is not None and wanted.there and not wanted.master and now.master:
            await making.freed(host, now.name)
    # Raised from below; the kernel lowers a VLAN with its parent, and gives a port that a bond lets go the MTU that it
    # had when it came, which may have been the bond's already.
    for link in some:
        wanted, now = states[link.identity], _find(host, link.identity)
        if now is not None and wanted.there and now.mtu != wanted.mtu:
            await host.kernel.change([Operation("mtu", now.index, value=wanted.mtu)])


def _master(host: Host, name: str) -> str:
    link = making.of(host, name)
    return link.master if link is not None else ""


def _others(host: Host, master: str, ports: list[str]) -> list[str]:
    """Ports that the change says nothing of."""
    return [link.name for link in host.kernel.links() if link.master == master and link.name not in ports]


def _find(host: Host, identity: str) -> Link | None:
    return next((link for link in host.kernel.links() if link.identity == identity), None)


def _layer(link: Link | None) -> Layer | None:
    return link.layer if link is not None else None
