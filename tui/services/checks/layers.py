"""Can these VLANs, bonds and bridges be made? Pure, from the draft and the facts; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.models import layers
from tui.models.change import Issue
from tui.models.facts import Facts, Link
from tui.services.checks.outcome import Interface
from tui.services.network.stack import layered

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.layers import Layers, Node
    from tui.models.link import LinkConfig

_PORTS = {"bond": ("port",), "bridge": ("port", "bond", "vlan")}
_PARENTS = ("port", "bond", "bridge")


def check(config: HostConfig, facts: Facts) -> Iterator[Issue]:
    """What is wrong with the layers of a draft.

    Args:
        config: as it was written, not expanded.
    """
    yield from _management(config, facts)
    yield from _routes(config)
    if not layered(config, facts):
        return
    picture = layers.of(config, facts)
    yield from _removed(config, facts, picture)
    circle = picture.circle
    for node in circle:
        text = f"{node.name} would rest on itself ({', '.join(n.name for n in circle)})."
        yield Issue("N248", "error", f"links.{node.identity}", text, "Take one of them out of what it is made of.")
    if circle:
        return
    for node in picture.nodes:
        if node.wish is not None and node.wish.made:
            yield from _made(node, node.wish, picture, facts)
        yield from _partner(node)
        yield from _port(node, picture)
        yield from _vlans(node, picture)
        yield from _size(node, picture)


def _made(node: Node, wish: LinkConfig, picture: Layers, facts: Facts) -> Iterator[Issue]:
    at = f"links.{node.identity}"
    if node.link is not None and (node.link.layer is None or node.link.layer.kind != wish.kind):
        text = f"{node.name} is there already, and is no {_WORDS[wish.kind]}."
        yield Issue("N250", "error", f"{at}.name", text, "Take another name.")
        return
    field = f"{at}.vlan.parent" if wish.vlan else f"{at}.{wish.kind}.ports"
    kinds = _PARENTS if wish.vlan else _PORTS[wish.kind]
    for identity in node.lower:
        lower = picture.node(identity)
        if lower is None or lower.state == "removed":
            shown = lower.name if lower else identity
            remedy = "Choose one that is there, or put the network card back."
            yield Issue("N241", "error", field, f"{node.name} needs {shown}, which is not there.", remedy)
        elif lower.kind not in kinds:
            text = f"{lower.name} is {_WORDS.get(lower.kind, lower.kind)}; {node.name} cannot be made of that."
            yield Issue("N252", "error", field, text, f"Choose {_WORDS_ANY[wish.kind]}.")
    yield from _managers(node, field, facts)
    if len(set(node.lower)) < len(node.lower):
        yield Issue("N231", "error", field, f"{node.name} has one port twice.", "Take one of the two away.")
    if wish.bond is not None:
        yield from _bond(node, wish, picture, facts)


def _bond(node: Node, wish: LinkConfig, picture: Layers, facts: Facts) -> Iterator[Issue]:
    at, bond = f"links.{node.identity}.bond", wish.bond
    assert bond is not None, "the caller has looked"  # noqa: S101
    if not node.lower:
        yield Issue("N247", "error", f"{at}.ports", f"{node.name} has no port.", "Choose one interface or several.")
    elif len(node.lower) == 1:
        text = f"{node.name} has one port: it works, and a second one can be added later without a new address."
        yield Issue("N246", "note", f"{at}.ports", text, "Add the second port when its cable is in.")
    if bond.primary and layers.resolved(bond.primary, facts) not in node.lower:
        shown = n.name if (n := picture.node(layers.resolved(bond.primary, facts))) else bond.primary
        text = f"{shown} is to be preferred, but is no port of {node.name}."
        yield Issue("N251", "error", f"{at}.primary", text, "Choose one of the ports, or none.")
    if bond.mode == "802.3ad" and node.state == "new":
        text = f"{node.name} works only where the switch has the same ports in one LACP group."
        yield Issue(
            "N257", "note", f"{at}.mode", text, "Ask whoever runs the switch; active-backup needs nothing there."
        )


def _partner(node: Node) -> Iterator[Issue]:
    """A bond with LACP that is up, and whose other end has never answered."""
    link, wish = node.link, node.wish
    if link is None or link.layer is None or link.layer.mode != "802.3ad" or link.partner or not link.admin_up:
        return
    if node.state == "removed" or (wish is not None and wish.bond is not None and wish.bond.mode != "802.3ad"):
        return
    text = f"{node.name} is set to LACP, but the switch sends none: only one port works, if any."
    remedy = "Have the switch ports put into one LACP group, or take the mode active-backup."
    yield Issue("N249", "warning", f"links.{node.identity}.bond.mode", text, remedy)


def _port(node: Node, picture: Layers) -> Iterator[Issue]:
    """A link that is a port: of one master alone, and with nothing of its own on it."""
    masters = picture.masters(node.identity)
    changed = node.wish is not None or any(m.state for m in masters)
    if not masters or not changed:
        return
    names = " and ".join(m.name for m in masters)
    at = next((f"links.{m.identity}.{m.kind}.ports" for m in masters[::-1] if m.wish), f"links.{node.identity}")
    if len(masters) > 1:
        text = f"{node.name} would be a port of {names}; it can be a port of one only."
        yield Issue("N242", "error", at, text, f"Take {node.name} out of one of them.")
    if vlans := picture.vlans(node.identity):
        text = f"{vlans[0].name} sits on {node.name}, which is a port of {names} and gets no frames itself."
        yield Issue("N243", "error", at, text, f"Put the VLAN on {masters[0].name}, or take {node.name} out of it.")
    wish = node.wish
    if wish is not None and (wish.ipv4.method != "off" or wish.ipv6.method != "off"):
        family = "ipv4" if wish.ipv4.method != "off" else "ipv6"
        text = f"{node.name} is a port of {names}, so it cannot have an address of its own."
        remedy = f"Give the address to {masters[0].name}, and switch IPv4 and IPv6 of {node.name} off."
        yield Issue("N253", "error", f"links.{node.identity}.{family}.method", text, remedy)


def _vlans(node: Node, picture: Layers) -> Iterator[Issue]:
    seen: dict[int, str] = {}
    for above in picture.vlans(node.identity):
        number = above.wish.vlan.id if above.wish and above.wish.vlan else _number(above.link)
        if number in seen and (above.state or (n := picture.node(seen[number])) is None or n.state):
            text = f"VLAN {number} is on {node.name} twice: {seen[number]} and {above.name}."
            blamed = above.identity if above.wish else seen[number]
            yield Issue("N244", "error", f"links.{blamed}.vlan.id", text, "Take another id, or change the one there.")
        seen.setdefault(number, above.identity)


def _number(link: Link | None) -> int:
    return link.layer.vlan if link is not None and link.layer is not None else 0


def _size(node: Node, picture: Layers) -> Iterator[Issue]:
    """A VLAN carries no more than its parent; a bond or bridge no more than its ports can."""
    mine = _mtu(node)
    if mine is None:
        return
    for identity in node.lower:
        lower = picture.node(identity)
        if lower is None:
            continue
        if node.kind == "vlan":
            theirs = _mtu(lower) or (lower.link.mtu if lower.link else _usual(lower, picture))
            if mine > theirs and (node.wish or lower.wish):
                text = f"{node.name} would have the MTU {mine}, and {lower.name} below it only {theirs}."
                blamed = node if node.wish else lower
                remedy = f"Give {lower.name} an MTU of {mine} or more, or {node.name} one of {theirs} at most."
                yield Issue("N245", "error", f"links.{blamed.identity}.mtu", text, remedy)
        elif node.wish and lower.link is not None and not lower.link.made and lower.link.max_mtu < mine:
            text = f"{lower.name} can do an MTU of {lower.link.max_mtu} at most, and is to be a port of {node.name}."
            remedy = f"Give {node.name} an MTU of {lower.link.max_mtu} at most."
            yield Issue("N245", "error", f"links.{node.identity}.mtu", text, remedy)


def _mtu(node: Node) -> int | None:
    """What is wished, else what is there."""
    if node.wish is not None and node.wish.mtu is not None:
        return node.wish.mtu
    return node.link.mtu if node.link is not None else None


def _usual(node: Node, picture: Layers) -> int:
    """What a link that is still to be made gets without a wish: the smallest MTU below it."""
    found = [_mtu(x) or 1500 for i in node.lower if (x := picture.node(i))]
    return min(found, default=1500)


def _managers(node: Node, field: str, facts: Facts) -> Iterator[Issue]:
    """All of a stack has to be written for one manager."""
    names: dict[str, str] = {}
    for identity in (*node.lower, *([node.identity] if node.link else ())):
        link = facts.link(identity)
        if link is not None:
            names.setdefault(link.owner.backend, link.name)
            if not link.owner.writable and link.identity != node.identity:
                text = link.owner.reason or f"{link.name} is configured by {link.owner.backend}."
                yield Issue("C111", "error", field, text, f"Choose another interface than {link.name}.")
    if len(names) > 1:
        said = ", ".join(f"{name} by {backend}" for backend, name in names.items())
        text = f"{node.name} would be made of interfaces of several managers: {said}."
        yield Issue("N254", "error", field, text, "Have one network manager configure all of them first.")


def _removed(config: HostConfig, facts: Facts, picture: Layers) -> Iterator[Issue]:
    for name in config.removed:
        link = facts.link(name)
        if link is None or link.layer is None:
            text = f"{name} is no VLAN, bond or bridge of this host, so it cannot be removed."
            yield Issue("N255", "error", "removed", text, "Take it out of what is to be removed.")
            continue
        if config.link(name) is not None:
            text = f"{name} is to be removed, and to be changed."
            yield Issue("N255", "error", "removed", text, "Decide for one of the two.")
        if not link.owner.writable:
            yield Issue("C111", "error", "removed", link.owner.reason, f"Remove it with {link.owner.backend}.")
        for above in picture.above(link.identity):
            text = f"{above.name} sits on {name}, which is to be removed."
            yield Issue("N255", "error", "removed", text, f"Remove {above.name} too, or put it on another interface.")


def _management(config: HostConfig, facts: Facts) -> Iterator[Issue]:
    if not config.management:
        return
    wish, link = config.link(config.management), facts.link(config.management)
    if (wish is None and link is None) or (link is not None and link.name in config.removed):
        text = f"The host is to speak from {config.management}, which is not there."
        yield Issue("N256", "error", "management", text, "Choose an interface that is there.")
    elif wish is not None and wish.ipv4.method == "off" and wish.ipv6.method == "off":
        text = f"The host is to speak from {wish.name}, which has no address."
        yield Issue("N256", "error", "management", text, "Give it an address, or choose another interface.")


def _routes(config: HostConfig) -> Iterator[Issue]:
    for wish in config.links:
        at = f"links.{wish.identity}.routes"
        own: list[Interface] = [*wish.ipv4.addresses, *wish.ipv6.addresses]
        seen: set[tuple[object, int]] = set()
        for route in wish.routes or ():
            static = (wish.ipv4 if route.to.version == 4 else wish.ipv6).method == "static"
            near = route.via is None or route.via.is_link_local or any(route.via in a.network for a in own)
            if route.via is not None and route.via.version != route.to.version:
                text = f"The router {route.via} cannot lead to {route.to}."
                yield Issue("N258", "error", at, text, "Take a router with an address of the same kind.")
            elif static and not near:
                text = f"The router {route.via} of the route to {route.to} is in no network of {wish.name}."
                yield Issue("N258", "error", at, text, "Take a router in the network of this interface.")
            elif any(a.ip == route.via for a in own):
                yield Issue("N258", "error", at, f"{route.via} is an address of this box itself.", "Take the router's.")
            elif any(a.network == route.to for a in own):
                text = f"{route.to} is reached on {wish.name} itself; it needs no route."
                yield Issue("N258", "error", at, text, "Take the route away.")
            if (route.to, route.metric or 0) in seen:
                text = f"There are two routes to {route.to} with the same metric."
                yield Issue("N258", "error", at, text, "Take one away, or give it another metric.")
            seen.add((route.to, route.metric or 0))


_WORDS = {"vlan": "VLAN", "bond": "bond", "bridge": "bridge", "port": "port"}
_WORDS_ANY = {
    "vlan": "a port, a bond or a bridge", "bond": "Ethernet ports",
    "bridge": "Ethernet ports, bonds or VLANs",
}  # fmt: skip
