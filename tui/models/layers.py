"""What sits on what, as it will be after a draft; and how a VLAN, a bond or a bridge gets into a draft and out of it.

A port is known by its permanent MAC, a link that is made by its name: that is `identity` everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tui.models.facts import Facts, Link
from tui.models.host import HostConfig
from tui.models.link import LinkConfig
from tui.models.linkname import LONGEST

State = Literal["", "new", "changed", "removed"]
OFF: dict[str, Any] = {"ipv4": {"method": "off"}, "ipv6": {"method": "off"}}


@dataclass(frozen=True, slots=True)
class Node:
    """One link among the others.

    Attributes:
        kind: "port", "vlan", "bond" or "bridge"; for links that Onsite does not make the kind of the kernel.
        lower: identities of what it is made of; those that are not there are given as they were written.
        link: as the host has it; None for one that is new.
        wish: what the draft says of it; None where it says nothing.
        state: what the draft makes of it; of a removed one `lower` is what it has now.
    """

    identity: str
    name: str
    kind: str
    lower: tuple[str, ...] = ()
    link: Link | None = None
    wish: LinkConfig | None = None
    state: State = ""


@dataclass(frozen=True, slots=True)
class Layers:
    """Every link but loopback, lower ones before those on top of them; what goes in a circle stands last."""

    nodes: tuple[Node, ...]

    def node(self, identity: str) -> Node | None:
        return next((n for n in self.nodes if n.identity == identity), None)

    def above(self, identity: str) -> tuple[Node, ...]:
        """What is made of that link, without what the draft removes."""
        return tuple(n for n in self.nodes if identity in n.lower and n.state != "removed")

    def masters(self, identity: str) -> tuple[Node, ...]:
        """The bonds and bridges that have it as a port; more than one is a mistake."""
        return tuple(n for n in self.above(identity) if n.kind in ("bond", "bridge"))

    def vlans(self, identity: str) -> tuple[Node, ...]:
        return tuple(n for n in self.above(identity) if n.kind == "vlan")

    @property
    def circle(self) -> tuple[Node, ...]:
        """Links that rest on themselves."""
        return tuple(n for n in self.nodes if n.identity in set(self._below(n, set())))

    def _below(self, node: Node, seen: set[str]) -> Iterator[str]:
        for identity in node.lower:
            yield identity
            if identity not in seen and (lower := self.node(identity)) is not None:
                seen.add(identity)
                yield from self._below(lower, seen)

    def depth(self, node: Node) -> int:
        """How many links lie below it at most: 0 for a port, 2 for a VLAN on a bond."""
        below, depth, seen = [node], 0, {node.identity}
        while below := [n for x in below for i in x.lower if (n := self.node(i)) and n.identity not in seen]:
            seen |= {n.identity for n in below}
            depth += 1
        return depth


def of(config: HostConfig, facts: Facts) -> Layers:
    """The links of a host after a draft, removed ones among them."""
    nodes = [_standing(link, config, facts) for link in facts.links if link.kind != "loopback"]
    known = {n.identity for n in nodes}
    nodes += [
        Node(w.identity, w.name, w.kind, lower(w, facts), None, w, "new")
        for w in config.links
        if w.made and w.identity not in known
    ]
    taken = {identity for n in nodes if n.wish is not None and n.kind in ("bond", "bridge") for identity in n.lower}
    nodes = [n if n.wish is not None or n.kind not in ("bond", "bridge") else _left(n, taken) for n in nodes]
    layers = Layers(tuple(nodes))
    return Layers(tuple(sorted(nodes, key=layers.depth)))


def lower(wish: LinkConfig, facts: Facts) -> tuple[str, ...]:
    """The identities of what a wish is made of; people may write names of ports."""
    return tuple(resolved(reference, facts) for reference in wish.lower)


def resolved(reference: str, facts: Facts) -> str:
    """The identity of the link that a wish speaks of; what is not there stays as it was written."""
    link = facts.link(reference)
    return link.identity if link is not None else reference


def now(link: Link, facts: Facts) -> tuple[str, ...]:
    """The identities of what a link is made of, as the host has it."""
    if link.layer is None:
        return ()
    if link.layer.kind == "vlan":
        return (resolved(link.layer.parent, facts),)
    return tuple(x.identity for x in facts.links if x.master == link.name)


def _standing(link: Link, config: HostConfig, facts: Facts) -> Node:
    wish = next((w for w in config.links if facts.link(w.identity) is link), None)
    kind = link.kind if link.made else "port" if link.kind in ("ethernet", "veth") else link.kind
    if link.made and link.name in config.removed:
        return Node(link.identity, link.name, kind, now(link, facts), link, None, "removed")
    if wish is None:
        return Node(link.identity, link.name, kind, now(link, facts), link)
    if not wish.made:
        return Node(link.identity, link.name, kind, now(link, facts), link, wish, "changed")
    return Node(link.identity, link.name, wish.kind, lower(wish, facts), link, wish, "changed")


def _left(node: Node, taken: set[str]) -> Node:
    """A bond that the draft does not name keeps its ports, but for those that another one takes."""
    return node if node.state == "removed" or not taken else _without(node, taken)


def _without(node: Node, taken: set[str]) -> Node:
    left = tuple(identity for identity in node.lower if identity not in taken)
    return Node(node.identity, node.name, node.kind, left, node.link, node.wish, node.state)


# --- into the draft, and out of it --------------------------------------------------------------------------------


def free_name(config: HostConfig, facts: Facts, stem: str) -> str:
    """bond0, bond1, ...: the first that neither the host nor the draft has."""
    taken = {link.name for link in facts.links} | {w.name for w in config.links}
    return next(name for n in range(len(taken) + 1) if (name := f"{stem}{n}") not in taken)


def vlan_name(config: HostConfig, facts: Facts, parent: str, vlan: int) -> str:
    """The usual name, PARENT.ID; vlanID where that is too long or taken."""
    node = of(config, facts).node(resolved(parent, facts))
    name = f"{node.name if node else parent}.{vlan}"
    taken = {link.name for link in facts.links} | {w.name for w in config.links}
    return name if len(name) <= LONGEST and name not in taken else f"vlan{vlan}"


def proposed(config: HostConfig, facts: Facts, kind: Literal["bond", "bridge"], ports: tuple[str, ...]) -> LinkConfig:
    """A bond or bridge of these ports, to begin with: it takes over what the first of them with an address has."""
    configured = [i for i in ports if config.link(i) is not None or ((x := facts.link(i)) and _configured(x))]
    wishes = [wish for identity in configured if (wish := wished(config, facts, identity)) is not None]
    giver = next((w for w in wishes if _addressed(w)), None)
    given = giver.model_dump(include=set(_CARRIED)) if giver is not None else {}
    name = free_name(config, facts, "bond" if kind == "bond" else "br")
    return LinkConfig.model_validate({"name": name, kind: {"ports": ports}, **given})


def wished(config: HostConfig, facts: Facts, identity: str) -> LinkConfig | None:
    """What the draft says of a link, else what the link has; None for one that is not there."""
    if (drafted := config.link(identity)) is not None:
        return drafted
    link = facts.link(identity)
    return LinkConfig.from_link(link, facts.links) if link is not None else None


def with_made(config: HostConfig, facts: Facts, wish: LinkConfig, former: str = "") -> HostConfig:
    """The draft with a VLAN, bond or bridge as wished: made, or edited.

    Its ports carry nothing any more, whatever the draft said of them, so an address moves in one change. Where a port
    was the interface that the host speaks from, the new link is.

    Args:
        former: the name that it had before, where it gets another; what stands on it in the draft moves along.
    """
    if former and former != wish.identity:
        config = _renamed(config, facts, former, wish.identity)
    config = config.with_link(wish)
    if wish.kind == "vlan":
        return config
    ports = lower(wish, facts)
    for identity in ports:
        if (drafted := config.link(identity)) is not None:
            config = config.with_link(bare(drafted))
    speaks = speaking(config, facts)
    return config.model_copy(update={"management": wish.identity}) if speaks and speaks in ports else config


def without_made(config: HostConfig, facts: Facts, identity: str) -> HostConfig:
    """The draft with that link gone, and the VLANs on it.

    The first port of a bond or bridge gets what it carried, so that the host stays where it can be reached; the others
    carry nothing. A port that the draft gives something already keeps that.
    """
    layers = of(config, facts)
    node = layers.node(identity)
    for above in layers.above(identity):
        config = without_made(config, facts, above.identity)
    gone = wished(config, facts, identity)
    config = config.without_link(identity)
    if facts.link(identity) is not None and identity not in config.removed:
        config = config.model_copy(update={"removed": (*config.removed, identity)})
    standing = facts.link(identity)
    ports = (*(node.lower if node else ()), *(now(standing, facts) if standing is not None else ()))
    bridged = gone is not None and gone.kind != "vlan"
    heirs = [x for i in dict.fromkeys(ports if bridged else ()) if (x := facts.link(i)) is not None]
    for link in heirs:
        drafted = config.link(link.identity)
        if not link.master and drafted is not None and not _addressed(drafted):
            config = config.without_link(link.identity)  # it carried nothing for the sake of a bond that is a draft
        elif link.master and (drafted is None or not _addressed(drafted)):
            port = bare(drafted or LinkConfig.from_link(link, facts.links))
            given = gone.model_dump(include=set(_CARRIED)) if link is heirs[0] and gone is not None else {}
            config = config.with_link(LinkConfig.model_validate(port.model_dump() | given))
    speaks = speaking(config, facts)
    if speaks == identity:
        config = config.model_copy(update={"management": heirs[0].identity if heirs else ""})
    return config


def left_as_it_is(config: HostConfig, facts: Facts, name: str) -> HostConfig:
    """The draft that no longer removes that link, nor changes what it is made of or, as they go with it, its VLANs."""
    link = facts.link(name)
    ports = now(link, facts) if link is not None else ()
    above = {x.name for x in facts.links if x.layer is not None and x.layer.parent == name}
    for identity in ports:
        drafted = config.link(identity)
        if drafted is not None and not drafted.made:
            config = config.without_link(identity)
    stay = tuple(x for x in config.removed if x != name and x not in above)
    management = None if config.management in ports else config.management
    return config.model_copy(update={"removed": stay, "management": management})


def speaking(config: HostConfig, facts: Facts) -> str:
    """Identity of the link that the host speaks from after the draft; "" where nobody chose one."""
    return config.management if config.management is not None else facts.management


def with_management(config: HostConfig, facts: Facts, identity: str, *, speaks: bool) -> HostConfig:
    """The draft in which the host speaks from that link; or no longer, where it did."""
    chosen = speaking(config, facts)
    wanted = identity if speaks else "" if chosen == identity else chosen
    return config.model_copy(update={"management": None if wanted == facts.management else wanted})


def bare(wish: LinkConfig) -> LinkConfig:
    """The same link, carrying nothing: a port of a bond or bridge."""
    empty: dict[str, Any] = {"nameservers": (), "search_domains": (), "routes": ()}
    return LinkConfig.model_validate(wish.model_dump() | OFF | empty)


_CARRIED = ("ipv4", "ipv6", "nameservers", "search_domains", "routes", "mtu")


def _addressed(wish: LinkConfig) -> bool:
    return wish.ipv4.method != "off" or wish.ipv6.method != "off"


def _configured(link: Link) -> bool:
    return bool(link.method4) or any(not a.link_local for a in link.addresses)


def _renamed(config: HostConfig, facts: Facts, former: str, name: str) -> HostConfig:
    config = config.without_link(former)
    if facts.link(former) is not None and former not in config.removed:
        config = config.model_copy(update={"removed": (*config.removed, former)})
    for wish in config.links:
        data = wish.model_dump()
        if wish.vlan is not None and wish.vlan.parent == former:
            data["vlan"]["parent"] = name
        elif former in wish.lower:
            data[wish.kind]["ports"] = [name if port == former else port for port in wish.lower]
        else:
            continue
        config = config.with_link(LinkConfig.model_validate(data))
    return config.model_copy(update={"management": name}) if config.management == former else config
