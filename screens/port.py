"""Find the port: which interface is the socket in front of me, and where does its cable lead?

The person standing here holds a cable, or was told by IT to use "switch-a, port 14". They decide which interface to set
up, or into which socket the cable has to go: by pulling and plugging it, by a lamp that blinks, or by the name of the
switch port. They look at this screen from behind a rack, so what moved last stands at the top. No link is taken down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.worker import Worker

from tui.models.change import Issue, Refused
from tui.models.facts import Link
from tui.models.port import Neighbour, Plug, ports
from tui.session import Session
from tui.widgets.look import MARKS, SEVERITY_MARKS, STRONG
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Page, Row, clip, heading, text, wrapped
from tui.widgets.place import Place
from tui.widgets.words import at_the_other_end, carrier

if TYPE_CHECKING:
    from tui.services.port.known import Ports

WIDE = 55
"""Columns that the whole list needs; with fewer it has name and cable."""
COLUMNS_NARROW = f"   {'Interface':<10}Cable"
COLUMNS = f"{COLUMNS_NARROW:<33}At the other end"
NEWS = 3
"""Lines for what moved; the newest at the top."""


class PortScreen(Place):
    NAME = "network"
    CSS_PATH = "../styles/port.tcss"
    AUTO_FOCUS = "#ports"
    IS_PLACE = False
    HELP_TEXT = (
        "Pull a cable or plug one in: the port that noticed it stands at the top, the newest first. L lets the lamp of "
        "the port at the mark blink, where its driver can, until L again or Esc. Beside each port stands who is at "
        "the other end, the port there and its VLAN, where a switch announces it (LLDP, CDP); most do every 30 s. "
        "Enter shows all that it says. No link is taken down for any of this. A port that is switched off notices "
        "no cable: O has all of them on while this page is open, without an address."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "details", "details", key_display="Enter"),
        Binding("l", "blink", "blink", key_display="L"),
        Binding("o", "switch_on", "switch on", key_display="O"),
        Binding("escape,ctrl+g,q", "leave_page", "back", key_display="Esc"),
        Binding("ctrl+y,f1,question_mark", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.news = Page(id="news", focusable=False)
        self.columns = Page(id="columns", focusable=False)
        self.list = Page(id="ports")
        self.blinking: Worker[None] | None = None
        self.one_lamp = asyncio.Lock()
        self.lamp: str | Issue = ""
        """What the lamp does, or why it does not."""
        self.awake: tuple[str, ...] = ()
        """Ports that are on for as long as this page is open."""

    def body(self) -> Iterable[Widget]:
        yield self.news
        yield self.columns
        yield self.list

    def update(self) -> None:
        known, width = self.session.ports, self.text_width
        self.news.show(list(news(known, width)))
        self.columns.show([heading(COLUMNS if width >= WIDE else COLUMNS_NARROW)])
        found = ports(self.session.facts.links)
        rows = [port_row(link, known, width) for link in found] or [text("no network interface")]
        below = list(self._below(found, known, width))
        self.list.show([*rows, BLANK, *below] if below else rows)
        self.refresh_bindings()

    def _below(self, found: tuple[Link, ...], known: Ports | None, width: int) -> Iterator[Row]:
        """What the lamp does, what is wrong, and how long one may have to wait."""
        if isinstance(self.lamp, Issue):
            yield from _issue_rows(self.lamp, width)
        elif self.lamp:
            yield text(clip(self.lamp, width))
        if self.awake:
            yield from wrapped(f"Switched on while this page is open: {', '.join(self.awake)}.", width)
        elif off := self._off():
            names = ", ".join(link.name for link in off)
            yield from wrapped(f"Switched off, so they notice no cable: {names}. O has them on for now.", width, "-")
        if known is None:
            return
        for issue in {issue.text: issue for issue in known.hints().values()}.values():
            yield from _issue_rows(issue, width)
        if known.refused is not None:
            yield from _issue_rows(known.refused, width)
        elif not any(known.neighbours(link.index) for link in found):
            yield from wrapped("No switch has announced itself yet; most do it every 30 seconds.", width)

    def action_details(self) -> None:
        from screens.explain import ExplainScreen

        key = self.list.key
        if key.startswith("code:"):
            self.post_message(Explain(key.removeprefix("code:")))
        elif link := self.session.facts.link(key):
            rows = list(port_details(link, self.session.ports, self.text_width))
            self.app.push_screen(ExplainScreen(self.session, rows))

    # --- ports that are off ------------------------------------------------------------------------------------------

    def _off(self) -> list[Link]:
        """None of a recorded host, where nobody can plug anything in."""
        recorded = self.session.host.kind == "recorded"
        return [] if recorded else [x for x in ports(self.session.facts.links) if not x.admin_up]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "switch_on" or (bool(self._off()) and not self.awake)

    def action_switch_on(self) -> None:
        off = self._off()
        self.awake = tuple(link.name for link in off)
        self.run_worker(self._stay_on(off), group="switched", exit_on_error=False)
        self.update()

    async def _stay_on(self, links: list[Link]) -> None:
        from tui.services.port import switched

        try:
            with switched.on(self.session.host, links):
                await asyncio.Event().wait()  # until the page is left, which cancels this
        except Refused as refused:
            self.awake, self.lamp = (), refused.issues[0]
            self.update()

    # --- the lamp ----------------------------------------------------------------------------------------------------

    def action_blink(self) -> None:
        """Let the lamp of the port at the mark blink, or stop it."""
        if self.blinking is not None and self.blinking.is_running:
            self.blinking.cancel()
            self.blinking, self.lamp = None, ""
            self.update()
        elif link := self.session.facts.link(self.list.key):
            from tui.services.port.blink import SECONDS

            self.lamp = f"The lamp of {link.name} blinks for {SECONDS} s; L stops it."
            self.blinking = self.run_worker(self._blink(link.name), group="lamp", exit_on_error=False)
            self.update()

    async def _blink(self, name: str) -> None:
        from tui.services.port.blink import blink

        try:
            async with self.one_lamp:  # the one before has the rest of its second
                await blink(self.session.host, name)
            self.lamp = ""
        except Refused as refused:
            self.lamp = refused.issues[0]
        if self.is_mounted:
            self.update()

    def action_leave_page(self) -> None:
        """Back to Network; a lamp that blinks stops with the screen that asked for it."""
        self.dismiss()


def news(known: Ports | None, width: int) -> Iterator[Row]:
    """What moved, the newest first, each with the time of day."""
    plugs = known.plugs[:NEWS] if known is not None else []
    if known is None or not plugs:
        yield from wrapped("Pull a cable or plug one in: its port is named here.", width)
        return
    for number, plug in enumerate(plugs):
        words = clip(f"{_clock(known, plug)} {plug.name} {_moved(known, plug, first=number == 0)}", width)
        yield Row(((words, STRONG),)) if number == 0 else text(words)


def _clock(known: Ports, plug: Plug) -> str:
    clock = known.host.clock
    return time.strftime("%H:%M:%S", time.localtime(clock.now() - clock.boottime() + plug.at))


def _moved(known: Ports, plug: Plug, *, first: bool = True) -> str:
    return f"{plug.move} just now" if first and known.just_now(plug) else plug.move


def port_row(link: Link, known: Ports | None, width: int) -> Row:
    """One port: whether there is a cable, or what happened to it just now, and where it leads."""
    plug = known.moved(link.index) if known is not None else None
    fresh = known is not None and plug is not None and known.just_now(plug)
    cable = f"{plug.move} just now" if fresh and plug is not None else carrier(link)
    wrong = known is not None and link.index in known.hints()
    mark = "!" if fresh or wrong else "ok" if link.carrier and link.admin_up else "-"
    words = f"{clip(link.name, 9):<10}{cable:<20}"
    if width >= WIDE and known is not None:
        words += beside(known, link.index, width - 33)
    return Row(((f"{mark:<3}", MARKS[mark]), clip(words, width - 3).rstrip()), link.identity or link.name)


def beside(known: Ports, index: int, width: int) -> str:
    """Who is at the other end, the port there and its VLAN, as short as the room wants it."""
    found = known.neighbours(index)
    if found:
        return at_the_other_end(found[0], width)
    bundle = known.bundle(index)
    return clip(f"{bundle.system} (LACP)", width) if bundle is not None else ""


def port_details(link: Link, known: Ports | None, width: int) -> Iterator[Row]:
    """All that is known of the other end of one port."""
    yield heading(f"{link.name}: {', '.join(x for x in (link.kind, link.driver, link.mac) if x)}")
    yield from _value("Cable", carrier(link), width)
    if known is None:
        return
    if (plug := known.moved(link.index)) is not None:
        yield from _value("Last", f"{plug.move} at {_clock(known, plug)}", width)
    for neighbour in known.neighbours(link.index):
        yield BLANK
        yield from neighbour_rows(neighbour, width)
    if (bundle := known.bundle(link.index)) is not None:
        yield BLANK
        yield heading("Announced by LACP (a bundle of ports)")
        yield from _value("Box", bundle.system, width)
        yield from _value("Bundle", f"number {bundle.key}, its port {bundle.port}", width)
        partner = "nobody yet" if bundle.partner == "00:00:00:00:00:00" else bundle.partner
        yield from _value("Partner", partner, width)
    if (issue := known.hints().get(link.index)) is not None:
        yield BLANK
        yield from wrapped(f"{issue.code} {issue.text} {issue.remedy}", width, SEVERITY_MARKS[issue.severity])


def neighbour_rows(neighbour: Neighbour, width: int) -> Iterator[Row]:
    yield heading(f"Announced by {neighbour.protocol}")
    yield from _value("Name", neighbour.system, width)
    yield from _value("Box", neighbour.chassis if neighbour.chassis != neighbour.system else "", width)
    yield from _value("Port", neighbour.port, width)
    yield from _value("Called", neighbour.about_port, width)
    vlan = {None: "", 0: "none: frames without a tag are not taken"}.get(neighbour.vlan, str(neighbour.vlan))
    yield from _value("VLAN", vlan, width)
    named = ", ".join(f"{number} {name}".strip() for number, name in neighbour.vlans)
    yield from _value("VLANs", named, width)
    yield from _value("Address", ", ".join(neighbour.addresses), width)


def _value(label: str, value: str, width: int) -> Iterator[Row]:
    if value:
        first, *rest = wrapped(value, width - 9)
        yield Row((f"{label:<9}", *first.parts))
        yield from (Row((" " * 9, *row.parts)) for row in rest)


def _issue_rows(issue: Issue, width: int) -> Iterator[Row]:
    first, *rest = wrapped(f"{issue.code} {issue.text} {issue.remedy}", width, SEVERITY_MARKS[issue.severity])
    yield first._replace(key=f"code:{issue.code}")
    yield from rest
