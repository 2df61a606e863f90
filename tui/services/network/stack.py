"""A draft with everything in it that follows from its VLANs, bonds and bridges. Pure.

A bond in a draft says of its ports that they carry nothing, a VLAN says of its parent that it is up. `expanded` writes
that out; `foreseen` are the facts with the links that are still to be made, so that whoever looks a link up finds it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from tui.models.facts import Facts, Layer, Link, Owner

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.layers import Layers, Node
    from tui.models.link import LinkConfig


class Place(NamedTuple):
    """Where a link stands among the others, with names as managers know them.

    Attributes:
        master: name of the bond or bridge that it is a port of; `kind` says which of the two.
        primary: it is the port that its bond prefers.
        vlans: names of the VLANs on it.
        ports: links that a bond or bridge is made of, as they are now.
        layer: what it is, where it is made.
    """

    master: str = ""
    kind: Literal["", "bond", "bridge"] = ""
    primary: bool = False
    vlans: tuple[str, ...] = ()
    ports: tuple[Link, ...] = ()
    layer: Layer | None = None

    @property
    def mac(self) -> str:
        """The MAC that a bond or bridge gets: that of its first port, so that a lease stays what it was."""
        return next((port.identity for port in self.ports if not port.made), "")


ALONE = Place()
"""A link with nothing above or below."""


def layered(config: HostConfig, facts: Facts) -> bool:
    """Whether the draft or the host has links on top of others; most have none."""
    return bool(config.removed) or any(w.made for w in config.links) or any(x.layer is not None for x in facts.links)


def foreseen(config: HostConfig, facts: Facts) -> Facts:
    """The facts with links that the draft makes, and without those that it removes."""
    if not layered(config, facts):
        return facts
    from tui.models import layers

    found = [x for x in facts.links if not (x.made and x.name in config.removed)]
    sizes = {layers.resolved(w.identity, facts): w.mtu for w in config.links if w.mtu}
    for node in layers.of(config, facts).nodes:
        if node.state == "new" and node.wish is not None:
            below = [x for i in node.lower if (x := next((y for y in found if y.identity == i), None))]
            size = min((sizes.get(x.identity) or x.mtu for x in below), default=1500)
            found.append(_coming(node, below, -len(found) - 1, node.wish.mtu or size))
    return replace(facts, links=tuple(found))


def _coming(node: Node, below: list[Link], index: int, mtu: int) -> Link:
    """A link that is not there yet: nothing on it, its manager that of what it is made of.

    Args:
        mtu: without a wish that of its parent, or the smallest of its ports.
    """
    carrier = any(x.carrier for x in below)
    owner = replace(below[0].owner, config="", reason="") if below else Owner()
    largest = min((x.max_mtu for x in below), default=65535)
    return Link(index, node.name, kind=node.kind, carrier=carrier, owner=owner, max_mtu=largest, mtu=mtu)


def expanded(config: HostConfig, facts: Facts) -> HostConfig:
    """The draft with a wish for each link that it changes without naming it.

    Ports that a bond or bridge takes carry nothing, as do those that it lets go; of a parent that has to name its
    VLANs stands here what it has. `facts` are those of the host, not foreseen ones.
    """
    if not layered(config, facts):
        return config
    from tui.models import layers
    from tui.models.link import LinkConfig

    picture = layers.of(config, facts)
    named = {layers.resolved(w.identity, facts) for w in config.links}
    more: dict[str, LinkConfig] = {}
    for node in picture.nodes:
        before = set(layers.now(node.link, facts)) if node.link is not None else set()
        if node.kind in ("bond", "bridge") and node.state:
            after = set() if node.state == "removed" else set(node.lower)
            for identity in sorted(before | after):
                link = facts.link(identity)
                if identity not in named and link is not None and (identity in after or not picture.masters(identity)):
                    more[identity] = layers.bare(LinkConfig.from_link(link, facts.links))
        elif node.kind == "vlan" and node.state and node.lower:
            moved = before ^ (set() if node.state == "removed" else set(node.lower)) or set(node.lower)
            for identity in sorted(moved):
                link = facts.link(identity)
                if link is not None and identity not in named and identity not in more and _names_vlans(link):
                    more[identity] = standing(link, facts)
    changed = {n.identity for n in picture.nodes if n.state == "changed" and n.kind in ("bond", "bridge", "vlan")}
    for node in picture.nodes:
        if node.kind == "vlan" and not node.state and node.link is not None and changed & set(node.lower):
            more[node.identity] = standing(node.link, facts)
    order = {node.identity: number for number, node in enumerate(picture.nodes)}
    links = [*config.links, *(wish for identity, wish in more.items() if identity not in config.removed)]
    last = len(order)
    links.sort(key=lambda wish: order.get(layers.resolved(wish.identity, facts), last))
    return config.model_copy(update={"links": tuple(links)})


def _names_vlans(link: Link) -> bool:
    """networkd reads in the file of the parent which VLANs are on it; netplan wants every parent to be defined."""
    return link.owner.backend == "networkd" or (link.owner.backend == "netplan" and not link.owner.config)


def standing(link: Link, facts: Facts) -> LinkConfig:
    """What a link has, as a wish that changes nothing of it; one that nobody has configured carries nothing."""
    from tui.models.link import LinkConfig

    lasting = {a.family for a in link.addresses if a.origin in ("other", "console") and not a.link_local}
    leased = any(a.family == 4 and a.origin == "dhcp" for a in link.addresses)
    routed = any(a.family == 6 and a.origin == "ra" for a in link.addresses)
    link = replace(
        link,
        method4=link.method4 or ("static" if 4 in lasting else "dhcp" if leased else "off"),
        method6=link.method6 or ("static" if 6 in lasting else "auto" if routed else "off"),
    )
    if link.lease and link.method4 == "dhcp":
        servers = () if link.nameservers == link.lease.nameservers else link.nameservers
        domains = () if link.search_domains == link.lease.search_domains else link.search_domains
        link = replace(
            link,
            nameservers=servers,
            search_domains=domains,
            lease=replace(link.lease, nameservers=(), search_domains=()),
        )
    return LinkConfig.from_link(link, facts.links)


def place(identity: str, picture: Layers, facts: Facts) -> Place:
    """Where the link of that identity stands after the draft.

    Args:
        picture: `layers.of` the draft.
        facts: of the host.
    """
    node = picture.node(identity)
    if node is None:
        return ALONE
    above = picture.masters(identity)
    master = above[0] if above else None
    kind: Literal["", "bond", "bridge"] = "" if master is None else "bond" if master.kind == "bond" else "bridge"
    bond = _layer(master, picture, facts) if master is not None else None
    return Place(
        master=master.name if master else "",
        kind=kind,
        primary=bond is not None and bool(bond.primary) and bond.primary == node.name,
        vlans=tuple(n.name for n in picture.vlans(identity)),
        ports=tuple(x for i in node.lower if (x := facts.link(i))) if node.kind in ("bond", "bridge") else (),
        layer=_layer(node, picture, facts),
    )


def _layer(node: Node, picture: Layers, facts: Facts) -> Layer | None:
    """What a link is after the draft; what the mode does not use is empty, as the kernel's reader leaves it."""
    wish = node.wish
    if wish is None or not wish.made:
        return node.link.layer if node.link is not None else None
    if wish.vlan is not None:
        return Layer("vlan", parent=_name(node.lower[0], picture), vlan=wish.vlan.id)
    if wish.bridge is not None:
        return Layer("bridge", stp=wish.bridge.stp)
    assert wish.bond is not None, "a link that is made is one of three kinds"  # noqa: S101
    from tui.models.layers import resolved

    bond = wish.bond
    primary = _name(resolved(bond.primary, facts), picture) if bond.primary and bond.mode == "active-backup" else ""
    return Layer(
        "bond",
        mode=bond.mode,
        lacp_rate=bond.lacp_rate if bond.mode == "802.3ad" else "",
        hash=bond.hash if bond.mode in ("802.3ad", "balance-xor") else "",
        monitor=bond.monitor,
        primary=primary,
    )


def _name(identity: str, picture: Layers) -> str:
    node = picture.node(identity)
    return node.name if node is not None else identity
