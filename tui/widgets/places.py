"""The table of places in the left column: where one can go, with a state mark each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.look import HERE, MARKS, STRONG


class Destination(NamedTuple):
    """One place. `name` is its module in `screens` and its file in `styles`; `key` goes there."""

    key: str
    name: str
    title: str


PLACES = (
    Destination("1", "home", "Home"),
    Destination("2", "network", "Network"),
    Destination("3", "proxy", "Proxy"),
    Destination("4", "trust", "Certs"),
    Destination("5", "system", "Name & time"),
    Destination("6", "registration", "Register"),
    Destination("7", "content", "Content"),
    Destination("8", "peers", "Hosts"),
    Destination("9", "cluster", "Cluster"),
    Destination("0", "checks", "Checks"),
    Destination("v", "review", "Review"),
    Destination("l", "log", "Log"),
    Destination("p", "power", "Power"),
    Destination("?", "help", "Help"),
)
"""In the order of a visit: the host, its management plane, its cluster; then what looks over all of it."""


class Places(Widget, can_focus=True):
    """The left column. The place one is in is bold with a `*`; with the focus here, `>` marks where Enter goes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+p", "move(-1)", show=False),
        Binding("down,ctrl+n", "move(1)", show=False),
        Binding("enter,right,space", "go", "go there", key_display="Enter"),
    ]

    @dataclass
    class Chosen(Message):
        """The operator wants to go to this place."""

        name: str

    def __init__(self, here: str) -> None:
        super().__init__()
        self.here = here
        self.marks: Mapping[str, str] = {}
        self.cursor = self._home()

    @property
    def title(self) -> str:
        """What the place one is in is called on screen."""
        return PLACES[self._home()].title

    def _home(self) -> int:
        return next((i for i, place in enumerate(PLACES) if place.name == self.here), 0)

    def show(self, marks: Mapping[str, str]) -> None:
        if marks != self.marks:
            self.marks = dict(marks)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        base = self.visual_style.rich_style
        y += max(0, min(self.cursor, len(PLACES) - 1) - self.size.height + 1)
        if y >= len(PLACES):
            return Strip.blank(self.size.width, base)
        place = PLACES[y]
        mark = self.marks.get(place.name, "")
        here = place.name == self.here
        pointer = ">" if self.has_focus and y == self.cursor else "*" if here else " "
        return Strip(
            [
                Segment(f"{pointer}{place.key} ", base),
                Segment(place.title, base + HERE if here else base),
                Segment(" " * max(1, 8 - len(place.title)), base),
                Segment(mark, base + MARKS.get(mark, STRONG)),
            ]
        )

    def action_move(self, step: int) -> None:
        before, self.cursor = self.cursor, max(0, min(self.cursor + step, len(PLACES) - 1))
        if self.size.height < len(PLACES):
            self.refresh()
        else:
            self.refresh(Region(0, before, 1, 1), Region(0, self.cursor, 1, 1))

    def action_go(self) -> None:
        self.post_message(self.Chosen(PLACES[self.cursor].name))

    def on_focus(self) -> None:
        self.cursor = self._home()
        self.refresh(Region(0, 0, 1, len(PLACES)))

    def on_blur(self) -> None:
        self.refresh(Region(0, 0, 1, len(PLACES)))
        self.styles.clear_rule("display")
