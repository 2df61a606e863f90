"""A word to press: `[ Done ]`. One line, no frame; the mark in front shows the focus on any terminal."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.look import STRONG


class Action(Widget, can_focus=True):
    """Pressed with Enter or Space; arrows go to the next and the previous one."""

    DEFAULT_CSS = "Action { height: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", show=False),
        Binding("right,down,ctrl+n", "app.focus_next", show=False),
        Binding("left,up,ctrl+p", "app.focus_previous", show=False),
    ]

    class Pressed(Message):
        def __init__(self, action: Action) -> None:
            super().__init__()
            self.action = action

        @property
        def control(self) -> Action:
            return self.action

    def __init__(self, words: str, *, id: str) -> None:
        super().__init__(id=id)
        self.words = words
        self.styles.width = len(words) + 6

    def render_line(self, y: int) -> Strip:
        base = self.visual_style.rich_style
        mark = ">" if self.has_focus else " "
        return Strip([Segment(f"{mark}[ ", base), Segment(self.words, base + STRONG), Segment(" ]", base)])

    def action_press(self) -> None:
        self.post_message(self.Pressed(self))

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()
