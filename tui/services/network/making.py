"""Links that exist only because they were made: made, taken apart and taken away through the kernel.

`direct` has nobody else for it. For the other managers this is what they leave undone: a device that has vanished from
their files stays (networkctl(1), netplan-apply(8)), a port that a bond had keeps its master.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterable

from tui.models.facts import Layer, Link
from tui.services.host import Host
from tui.services.network.reconcile import Operation

_STEP, _PATIENCE = 0.1, 10.0


def of(host: Host, name: str) -> Link | None:
    return next((link for link in host.kernel.links() if link.name == name), None)


async def away(host: Host, name: str) -> None:
    """Delete a made link; ports become free, VLANs on it go too. One that is gone is no error.

    Raises:
        OSError: the kernel refused.
    """
    link = of(host, name)
    if link is not None and link.layer is not None:
        await host.kernel.change([Operation("delete link", link.index)])


async def made(host: Host, name: str, layer: Layer, ports: Iterable[str] = ()) -> Link:
    """Make a link that is not there, or is there in another shape, with these ports and no others.

    Args:
        ports: names. Their addresses go, because a port hands every frame on.

    Raises:
        OSError: the kernel refused, or what it has to be made of is missing (ENODEV).
    """
    link = of(host, name)
    if link is not None and link.layer != layer and _bare(link.layer) != _bare(layer):
        await away(host, name)
        link = None
    if link is None:
        parent = of(host, layer.parent) if layer.parent else None
        if layer.parent and parent is None:
            raise OSError(errno.ENODEV, f"{layer.parent} is not there")
        if parent is not None and not parent.admin_up:
            await host.kernel.change([Operation("up", parent.index, value=1)])
        await host.kernel.change([Operation("make", parent.index if parent else 0, name=name, layer=layer)])
        link = of(host, name)
        if link is None:
            raise OSError(errno.ENODEV, f"{name} could not be made")
    if layer.kind != "vlan":
        await _ports(host, link, layer, tuple(ports))
    return link


async def freed(host: Host, name: str) -> None:
    """Take a port out of its bond or bridge.

    Raises:
        OSError: the kernel refused.
    """
    link = of(host, name)
    if link is not None and link.master:
        await host.kernel.change([Operation("master", link.index, value=0)])


async def gone(host: Host, name: str) -> None:
    """Wait until a link that was taken away is seen to be gone.

    Raises:
        OSError: it is still there after ten seconds (EBUSY).
    """
    for _ in range(int(_PATIENCE / _STEP)):
        if of(host, name) is None:
            return
        await asyncio.sleep(_STEP)
    raise OSError(errno.EBUSY, f"{name} is still there")


async def appeared(host: Host, name: str, seconds: float = _PATIENCE) -> Link | None:
    """Wait for a link that a manager makes; None where it does not come."""
    for _ in range(int(seconds / _STEP)):
        if (link := of(host, name)) is not None:
            return link
        await asyncio.sleep(_STEP)
    return None


def _bare(layer: Layer | None) -> object:
    """What cannot be changed while the link is there; the port that a bond prefers can."""
    from dataclasses import replace

    return replace(layer, primary="") if layer is not None else None


async def _ports(host: Host, link: Link, layer: Layer, ports: tuple[str, ...]) -> None:
    """A bond takes only ports that are down; a bridge any."""
    found = {x.name: x for x in host.kernel.links()}
    for former in found.values():
        if former.master == link.name and former.name not in ports:
            await host.kernel.change([Operation("master", former.index, value=0)])
    for name in ports:
        port = found.get(name)
        if port is None or port.master == link.name:
            continue  # one that is not plugged in yet comes up with its own file later
        operations = [Operation("delete address", port.index, a.address) for a in port.addresses if not a.link_local]
        if port.master:
            operations.append(Operation("master", port.index, value=0))
        if layer.kind == "bond" and port.admin_up:
            operations.append(Operation("up", port.index, value=0))
        operations += [Operation("master", port.index, value=link.index), Operation("up", port.index, value=1)]
        await host.kernel.change(operations)
    if layer.kind == "bond" and layer.primary != (link.layer.primary if link.layer else ""):
        preferred = of(host, layer.primary) if layer.primary else None
        await host.kernel.change([Operation("prefer", link.index, value=preferred.index if preferred else 0)])
