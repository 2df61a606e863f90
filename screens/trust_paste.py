"""Paste a certificate: over SSH or a serial line, into a box that counts and shows nothing of it.

The person standing here has the certificate in their clipboard. They see lines, BEGIN and END being counted, so that
a paste that lost its end is noticed; the text itself is not shown, for nobody reads base64 and it may hold a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from screens.trust_judged import JudgedScreen
from tui.session import Session
from tui.widgets.page import Page, heading, wrapped
from tui.widgets.place import Place

LARGEST = 256 << 10


class PasteBox(Widget, can_focus=True):
    """Takes keys and pastes, and counts."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+u", "clear", "empty", key_display="^U")]

    class Changed(Message):
        pass

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.size_so_far = 0

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def render_line(self, y: int) -> Strip:
        content = self.text
        lines = content.count("\n") + (not content.endswith("\n") and bool(content))
        begins, ends = (len(re.findall(f"-{word}", content)) for word in ("BEGIN", "END"))
        words = f"{lines} lines   BEGIN {begins}   END {ends}   {len(content)} characters"
        return Strip([Segment(f"> {words}", self.visual_style.rich_style)])

    def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self._add(event.text)

    def on_key(self, event: events.Key) -> None:
        """A line without bracketed paste sends the clipboard as keys."""
        if event.key in ("enter", "ctrl+j", "ctrl+m"):
            self._add("\n")
        elif event.key == "tab":
            self._add(" ")
        elif event.is_printable and event.character:
            self._add(event.character)
        else:
            return
        event.prevent_default()
        event.stop()

    def action_clear(self) -> None:
        self.pieces.clear()
        self.size_so_far = 0
        self.refresh()

    def _add(self, text: str) -> None:
        if self.size_so_far <= LARGEST:
            self.pieces.append(text)
            self.size_so_far += len(text)
        self.refresh()


class PasteScreen(Place):
    NAME = "trust"
    CSS_PATH = "../styles/trust.tcss"
    IS_PLACE = False
    AUTO_FOCUS = "PasteBox"
    HELP_TEXT = (
        "Paste as your terminal does it (often Ctrl-Shift-V or the right button). When BEGIN and END are equal, "
        "Ctrl-X looks into it. Ctrl-U empties the box. On a serial line let the terminal program wait between lines."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+x,f2", "done", "look into it", priority=True, key_display="^X"),
        Binding("escape,ctrl+g", "leave_page", "back", priority=True, key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.head = Page([heading("Paste the certificate now")], focusable=False, id="head")
        self.box = PasteBox()
        self.message = Page(focusable=False, id="message")

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield self.box
        yield self.message

    def update(self) -> None:
        self.message.show(list(wrapped(self.HELP_TEXT, self.text_width)))

    def action_done(self) -> None:
        if self.box.text.strip():
            data = self.box.text.encode("utf-8", "replace")
            self.box.action_clear()
            self.app.push_screen(JudgedScreen(self.session, "Pasted", data))

    def action_leave_page(self) -> None:
        self.box.action_clear()
        self.dismiss()
