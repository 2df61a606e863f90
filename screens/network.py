"""Network: which interface is the one with the cable that matters, and is what it has right?

The person standing here traces a cable to a name, reads where an address comes from and what sits on what, and decides
whether to change it (Enter) or why they cannot, or to put something on it (A).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.models.facts import Link, main_address
from tui.services.checks.cluster import locked
from tui.session import Session
from tui.widgets.look import MARKS, SEVERITY_MARKS
from tui.widgets.messages import DraftChanged, Edit, PortsChanged
from tui.widgets.page import Page, Row, clip, heading, text, wrapped
from tui.widgets.place import Place
from tui.widgets.words import METHODS, at_the_other_end, carrier, link_mark, origin

if TYPE_CHECKING:
    from tui.services.port.known import Ports

WIDEST = 100
"""Columns with which the list has room for who is at the other end, too; else the details and Find the port say it."""
WIDE = 55
"""Columns that the whole list needs; with fewer it has name and address."""
DETAIL_LINES = 13
"""Lines for the details, at most; the list has the rest.

The list stands below, where it has no places beside it: a terminal scrolls whole rows only, and on a slow line every
Down would paint the places anew.
"""
SMALLEST_LIST = 4
LAYERED_LIST = 12
"""Lines for the list where something sits on something else: it is to be seen at once."""
FRAME = 5
"""Title, gap, headings of the columns, gap and key line."""


class NetworkScreen(Place):
    NAME = "network"
    CSS_PATH = "../styles/network.tcss"
    AUTO_FOCUS = "#links"
    HELP_TEXT = (
        "All network interfaces, as the kernel has them now; cables and addresses update by themselves. "
        "Enter changes the one at the mark, Space shows all about it. F finds the port that a cable is in, and says "
        "where it leads. A makes a bond of several, a VLAN or a bridge; what is made of others stands below them, "
        "further to the right."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", "change", key_display="Enter"),
        Binding("space", "details", "details", key_display="Space"),
        Binding("f", "find", "find the port", key_display="F"),
        Binding("a", "add", "add", key_display="A"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.links = Page(id="links")
        self.details = Page(id="details")
        self.columns = Page(id="columns", focusable=False)
        self.shown = ""

    def body(self) -> Iterable[Widget]:
        yield self.details
        yield self.columns
        yield self.links

    def update(self) -> None:
        width = self.text_width
        if self.layered:
            from screens import layers_rows

            columns, rows = layers_rows.listed(self.session, width, self._other_end)
        else:
            columns = COLUMNS if width >= WIDE else COLUMNS_NARROW
            links = [x for x in self.session.facts.links if x.kind != "loopback"]
            rows = [_row(link, width, self._other_end(link) if width >= WIDEST else "") for link in links]
        self.columns.show([heading(columns if width < WIDEST else f"{columns:<66}At the other end")])
        self.links.show(rows or [text("no network interface")])
        if not any(row.key == self.shown for row in self.links.rows):
            self.shown = self.links.key
        lines = min(len(rows), LAYERED_LIST) if self.layered else SMALLEST_LIST
        self.details.styles.height = max(1, min(DETAIL_LINES, self.app.size.height - FRAME - lines))
        self._show_details()

    def on_mount(self) -> None:
        """Listen on the cables from now on, also while another place is shown: switches speak every 30 seconds."""
        from tui.services.port.known import Ports

        self.session.ports = Ports(self.session.host, self.session.facts.links)
        self.app.run_worker(self._follow(self.session.ports), group="kernel", exit_on_error=False)

    async def _follow(self, known: Ports) -> None:
        async for _ in known.follow():
            self.app.post_message(PortsChanged())

    def _other_end(self, link: Link) -> str:
        """Who is there, for the last column; "" where nobody was heard, or there is no such column."""
        known = self.session.ports
        heard = known.neighbours(link.index) if known is not None and self.text_width >= WIDEST else ()
        return at_the_other_end(heard[0], self.text_width - 66) if heard else ""

    def action_find(self) -> None:
        from screens.port import PortScreen

        self.app.push_screen(PortScreen(self.session))

    def action_details(self) -> None:
        self.shown = self.links.key
        self._show_details()

    @property
    def layered(self) -> bool:
        """Whether something sits on something else, or will after the draft."""
        draft = self.session.draft
        return any(x.layer for x in self.session.facts.links) or (
            draft is not None and (bool(draft.removed) or any(wish.made for wish in draft.links))
        )

    def action_edit(self) -> None:
        """Open the editor; of a link that somebody else configures the details say why not."""
        link = self.session.facts.link(self.links.key)
        if self.layered:
            from screens import layers_rows

            if layers_rows.removed(self.session, self.links.key):
                self._ask_back(self.links.key)
                return
            editable = not layers_rows.port_of(self.session, self.links.key)
        else:
            editable = True
        if self.links.key and editable and (link is None or link.owner.writable):
            self.post_message(Edit(self.links.key))
        else:
            self.action_details()

    def _ask_back(self, name: str) -> None:
        from tui.widgets.dialog import Question

        words = "It is to be removed. What it is made of stays as it is, too."
        self.app.push_screen(
            Question(f"Leave {name} as it is?", words, yes="Leave it", no="Remove"),
            lambda yes: self._put_back(name) if yes else None,
        )

    def _put_back(self, name: str) -> None:
        from tui.models import layers

        draft = self.session.draft
        if draft is not None and self.put(
            self.session.replace_draft, layers.left_as_it_is(draft, self.session.facts, name)
        ):
            self.app.post_message(DraftChanged())

    def action_add(self) -> None:
        """Make something of the link at the mark; where nothing can be made of any, say so."""
        from screens.layers import LayersScreen

        if any(x.owner.writable and x.kind != "loopback" for x in self.session.facts.links):
            self.app.push_screen(LayersScreen(self.session, at=self.links.key))
        else:
            self.action_details()

    def _show_details(self) -> None:
        link = self.session.facts.link(self.shown)
        rows = list(details(link, self.text_width)) if link else []
        if link is not None and self.session.ports is not None:
            rows += _cable(link, self.session.ports, self.text_width)
        drafted = self.session.draft.link(link.identity) if link and self.session.draft else None
        if drafted is not None:
            rows.insert(1, text("changed in the draft, not applied: see Review"))
        if link is not None and link.owner.writable:
            # After the draft: the sentence why addresses stay, and what becomes of the file that decides now.
            why = [locked(link, self.session.facts), link.owner.reason if link.owner.config else ""]
            rows[1 + (drafted is not None) : 1 + (drafted is not None)] = [
                row for sentence in why if sentence for row in wrapped(sentence, self.text_width, "!")
            ]
        if self.layered:
            from screens import layers_rows

            rows[1:1] = layers_rows.sits(self.session, self.shown, self.text_width)
            if link is None:
                rows = list(layers_rows.coming(self.session, self.shown, self.text_width))
        self.details.show(rows)
        self.details.can_focus = len(rows) > self.details.size.height > 0


COLUMNS_NARROW = f"   {'Interface':<10}Address"
COLUMNS = f"   {'Interface':<10}{'Link':<13}{'Address':<23}From"


def _row(link: Link, width: int, other_end: str) -> Row:
    """One line of the list: mark, name, link, first address, where it is from or why it cannot be changed."""
    mark = link_mark(link)
    address = main_address(link)
    first = next((a for a in link.addresses if a.address == address), None)
    others = sum(not a.link_local for a in link.addresses) - 1
    where = "" if first is None else origin(first.origin)
    if not link.owner.writable:
        where = link.owner.backend
    more = f" +{others}" if others > 0 else ""
    if width < WIDE:
        return Row(((f"{mark:<3}", MARKS[mark]), clip(f"{link.name:<9} {address or 'none'}", width - 3)), link.identity)
    words = f"{clip(link.name, 9):<10}{carrier(link):<13}{clip(address or 'none', 19) + more:<23}{where}"
    words = f"{words:<63}{other_end}".rstrip() if other_end else words
    return Row(((f"{mark:<3}", MARKS[mark]), clip(words, width - 3)), link.identity or link.name)


def _cable(link: Link, known: Ports, width: int) -> Iterator[Row]:
    """Where the cable of a link leads, as far as it was heard, and what that means for its set-up."""
    for neighbour in known.neighbours(link.index):
        yield from _value("Leads to", at_the_other_end(neighbour, width), neighbour.protocol, width)
    if (issue := known.hints().get(link.index)) is not None:
        yield from wrapped(f"{issue.code} {issue.text} {issue.remedy}", width, SEVERITY_MARKS[issue.severity])


def details(link: Link, width: int) -> Iterator[Row]:
    """All about one link: every value with where it comes from, and why it cannot be changed if so."""
    yield heading(f"{link.name}: {', '.join(x for x in (link.kind, link.driver, link.mac) if x)}")
    if not link.owner.writable:
        yield from wrapped(link.owner.reason or f"{link.owner.backend} configures this interface.", width, "!")
    for address in link.addresses:
        if not address.link_local:
            note = ", another host has it too" if address.duplicate else ""
            yield from _value("Address", address.address, origin(address.origin) + note, width)
    for route in link.routes:
        if route.destination == "default" and route.gateway:
            yield from _value("Gateway", route.gateway, PROTOCOLS.get(route.protocol, ""), width)
    if link.nameservers:
        yield from _value("DNS", ", ".join(link.nameservers), "", width)
    if link.search_domains:
        yield from _value("Search", ", ".join(link.search_domains), "", width)
    if link.lease is not None:
        yield from _value(
            "Lease", link.lease.address, f"from {link.lease.server}" if link.lease.server else "DHCP", width
        )
    set_up = " and ".join(
        f"{family} {METHODS[method]}" for family, method in (("IPv4", link.method4), ("IPv6", link.method6)) if method
    )
    if set_up:
        yield from _value("Set to", set_up, f"by {origin(link.origin)}" if link.origin != "other" else "", width)
    yield from _value("MTU", str(link.mtu), "", width)


PROTOCOLS = {16: "DHCP", 9: "router", 4: "static", 3: "static"}


def _value(label: str, value: str, where: str, width: int) -> Iterator[Row]:
    first, *rest = wrapped(f"{value}{'  ' + where if where else ''}", width - 9)
    yield Row((f"{label:<9}", *first.parts))
    yield from (Row((" " * 9, *row.parts)) for row in rest)
