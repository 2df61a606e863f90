"""Of VLANs, bonds and bridges in a plan: their MTU with what is below and above, and what changes of them in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.models.change import Difference
from tui.models.facts import Facts, Layer, Link
from tui.services.network.stack import Place

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.link import LinkConfig

USUAL = 1500
WORDS = {"vlan": "VLAN", "bond": "Bond", "bridge": "Bridge"}


def sized(wish: LinkConfig, link: Link, place: Place, config: HostConfig, facts: Facts) -> LinkConfig:
    """The wish with the MTU that its place asks for, wherever that is not what it would get by itself.

    A port has the MTU of its bond or bridge (the kernel gives a bridge that of its ports); a link that is still to be
    made has that of what it is made of (`facts` are foreseen).
    """
    mtu = wish.mtu
    if place.master:
        master = facts.link(place.master)
        above = config.link(place.master)
        size = (above.mtu if above else None) or (master.mtu if master else USUAL)
        mtu = size if size != USUAL or link.mtu != USUAL else None
    elif link.master and mtu is None and link.mtu != USUAL:
        mtu = USUAL  # what it has is its master's
    elif place.layer is not None and mtu is None and link.mtu != USUAL:
        mtu = link.mtu
    return wish if mtu == wish.mtu else wish.model_copy(update={"mtu": mtu})


def differences(link: Link, place: Place, facts: Facts) -> Iterator[Difference]:
    """What becomes of the layers: a link made or made differently, a port that goes into a bond or out of it."""
    if link.master != place.master:
        yield Difference(link.name, "Port of", link.master or "none", place.master or "none")
    if place.layer is None:
        return
    before = said(link.layer, ports(link, facts)) if link.layer else "none"
    after = said(place.layer, [x.name for x in place.ports])
    if before != after:
        yield Difference(link.name, WORDS[place.layer.kind], before, after)


def ports(link: Link, facts: Facts) -> list[str]:
    return [x.name for x in facts.links if x.master == link.name]


def said(layer: Layer | None, names: list[str]) -> str:
    """A layer in a few words: "802.3ad of lan0, lan1; LACP slow, hash layer2+3"."""
    if layer is None:
        return "none"
    if layer.kind == "vlan":
        return f"{layer.vlan} on {layer.parent}"
    of = ", ".join(names) or "no port"
    if layer.kind == "bridge":
        return f"of {of}; spanning tree {'on' if layer.stp else 'off'}"
    more = [f"LACP {layer.lacp_rate}"] if layer.lacp_rate else []
    more += [f"hash {layer.hash}"] if layer.hash else []
    more += [f"prefers {layer.primary}"] if layer.primary else []
    more += [f"looks every {layer.monitor} ms"] if layer.monitor != 100 else []
    return f"{layer.mode} of {of}" + (f"; {', '.join(more)}" if more else "")
