"""The picture of what sits on what, as lines of the Network place: lower ones first, what is made of them below."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tui.models import layers
from tui.models.facts import Link, main_address
from tui.models.host import HostConfig
from tui.models.layers import Layers, Node
from tui.models.layers_form import MODE_WORDS
from tui.models.link import LinkConfig
from tui.session import Session
from tui.widgets.look import MARKS
from tui.widgets.page import Row, clip, heading, text, wrapped
from tui.widgets.words import METHODS, carrier, link_mark, origin

WIDE = 55
NAME = 18
"""Columns of a name with the branch that it hangs on."""
COLUMNS_NARROW = f"   {'Interface':<{NAME}}Address"
COLUMNS = f"   {'Interface':<{NAME}}{'Link':<12}{'Address':<20}From"


def listed(session: Session, width: int, other_end: Callable[[Link], str]) -> tuple[str, list[Row]]:
    """The headings of the columns, and a line for each link of the host and of the draft.

    Args:
        other_end: who is at the other end of a cable, where there is room for it.
    """
    picture = _picture(session)
    rows = [
        _row(node, depth, picture, width, other_end(node.link) if node.link else "") for node, depth in ordered(picture)
    ]
    return COLUMNS if width >= WIDE else COLUMNS_NARROW, rows


def ordered(picture: Layers) -> Iterator[tuple[Node, int]]:
    """Each link once, with how far to the right it stands: after all that it is made of, right below the last of it."""
    placed: set[str] = set()
    top = [n for n in picture.nodes if not _below(n, picture)]
    alone = [n for n in top if not _above(n, picture)]
    for node in (*[n for n in top if n not in alone], *alone):
        yield from _with_above(node, picture, placed)
    for node in picture.nodes:  # what goes in a circle
        if node.identity not in placed:
            yield node, 0


def _with_above(node: Node, picture: Layers, placed: set[str]) -> Iterator[tuple[Node, int]]:
    if node.identity in placed:
        return
    masters = [n for n in _above(node, picture) if n.kind in ("bond", "bridge")]
    others = [x for m in masters for x in _below(m, picture) if x is not node and not _below(x, picture)]
    placed.add(node.identity)
    yield node, picture.depth(node)
    for sibling in others:  # ports of one bond stand together
        if sibling.identity not in placed:
            yield from _with_above(sibling, picture, placed)
    for above in _above(node, picture):
        if all(n.identity in placed for n in _below(above, picture)):
            yield from _with_above(above, picture, placed)


def _below(node: Node, picture: Layers) -> list[Node]:
    return [n for i in node.lower if (n := picture.node(i)) is not None]


def _above(node: Node, picture: Layers) -> list[Node]:
    return [n for n in picture.nodes if node.identity in n.lower]


def _row(node: Node, depth: int, picture: Layers, width: int, other_end: str) -> Row:
    mark = link_mark(node.link) if node.link is not None else ".."
    master = next(iter(picture.masters(node.identity)), None)
    if mark == "!" and _above(node, picture):
        mark = "ok"  # what is made of it has the address
    name = "  " * (depth - 1) + "+-" + node.name if depth else node.name
    address = f"port of {master.name}" if master is not None else _address(node)
    if width < WIDE:
        short = clip(f"{clip(name, NAME - 1):<{NAME}}{address}", width - 3)
        return Row(((f"{mark:<3}", MARKS[mark]), short), node.identity or node.name)
    words = f"{clip(name, NAME - 1):<{NAME}}{_what(node):<12}{clip(address, 19):<20}{_from(node, master)}"
    words = f"{words:<63}{other_end}".rstrip() if other_end else words
    return Row(((f"{mark:<3}", MARKS[mark]), clip(words, width - 3)), node.identity or node.name)


def _what(node: Node) -> str:
    """What a made link is; of a port what its cable says."""
    link = node.link
    if node.kind not in ("vlan", "bond", "bridge"):
        return clip(carrier(link), 11) if link is not None else ""
    if link is not None and (not link.admin_up or not link.carrier):
        return clip(carrier(link), 11)
    wish, layer = node.wish, link.layer if link is not None else None
    if node.kind == "vlan":
        number = wish.vlan.id if wish is not None and wish.vlan else layer.vlan if layer is not None else ""
        return f"VLAN {number}"
    if node.kind == "bond":
        mode = wish.bond.mode if wish is not None and wish.bond else layer.mode if layer is not None else ""
        return clip(f"bond {MODE_WORDS.get(mode, mode)}", 11)
    return "bridge"


def _address(node: Node) -> str:
    """What it will have after the draft, else what it has."""
    if node.state == "removed":
        return "to be removed"
    if node.wish is not None and node.state:
        return wished(node.wish)
    return (main_address(node.link) or "none") if node.link is not None else "none"


def wished(wish: LinkConfig) -> str:
    if wish.ipv4.method == "dhcp":
        return "DHCP"
    found = [*wish.ipv4.addresses, *wish.ipv6.addresses]
    return str(found[0]) if found else "none"


def _from(node: Node, master: Node | None) -> str:
    if node.state or (master is not None and master.state):
        return "draft"
    link = node.link
    if link is None or not link.owner.writable:
        return link.owner.backend if link is not None else ""
    first = next((a for a in link.addresses if a.address == main_address(link)), None)
    return origin(first.origin) if first is not None else ""


def removed(session: Session, identity: str) -> bool:
    node = _picture(session).node(identity)
    return node is not None and node.state == "removed"


def port_of(session: Session, identity: str) -> str:
    """The bond or bridge that has this link as a port; "" for none."""
    return next((m.name for m in _picture(session).masters(identity)), "")


def sits(session: Session, identity: str, width: int) -> Iterator[Row]:
    """What a link is made of, and what is made of it: "lan0, lan1 -> bond0 -> bond0.20"."""
    picture = _picture(session)
    node = picture.node(identity)
    if node is None:
        return
    master = next(iter(picture.masters(identity)), None)
    beside = _below(master, picture) if master is not None else [node]
    chain = [*_under(node, picture), beside, *_over(node, picture)]
    if len(chain) > 1:
        yield from _value("Layers", " -> ".join(", ".join(n.name for n in part) for part in chain), width)
    if master is not None:
        words = f"It is a port of {master.name} and has nothing of its own."
        yield from wrapped(words, width, "-")
    if node.state == "removed":
        yield text("to be removed, not applied: see Review")


def _under(node: Node, picture: Layers) -> list[list[Node]]:
    """What a link rests on, the lowest first."""
    below = _below(node, picture)
    lowest: list[list[Node]] = _under(below[0], picture) if below else []
    return [*lowest, below] if below else []


def _over(node: Node, picture: Layers) -> list[list[Node]]:
    """What rests on a link, as far as there is one way up."""
    above = _above(node, picture)
    return [above, *(_over(above[0], picture) if len(above) == 1 else [])] if above else []


def coming(session: Session, identity: str, width: int) -> Iterator[Row]:
    """All about a link that only the draft has."""
    node = _picture(session).node(identity)
    if node is None or node.wish is None:
        return
    wish = node.wish
    yield heading(f"{node.name}: {node.kind}, new")
    yield text("only in the draft, not applied: see Review")
    yield from sits(session, identity, width)
    yield from _value("Is", _what(node), width)
    yield from _value("Set to", f"IPv4 {METHODS[wish.ipv4.method]} and IPv6 {METHODS[wish.ipv6.method]}", width)
    addresses = [str(a) for a in (*wish.ipv4.addresses, *wish.ipv6.addresses)]
    gateways = [str(g) for g in (wish.ipv4.gateway, wish.ipv6.gateway) if g is not None]
    for label, values in (("Address", addresses), ("Gateway", gateways), ("DNS", [str(s) for s in wish.nameservers])):
        if values:
            yield from _value(label, ", ".join(values), width)
    for route in wish.routes or ():
        yield from _value("Route", str(route), width)
    if wish.mtu is not None:
        yield from _value("MTU", str(wish.mtu), width)


def _value(label: str, value: str, width: int) -> Iterator[Row]:
    first, *rest = wrapped(value, width - 9)
    yield Row((f"{label:<9}", *first.parts))
    yield from (Row((" " * 9, *row.parts)) for row in rest)


def _picture(session: Session) -> Layers:
    return layers.of(session.draft or HostConfig(), session.facts)
