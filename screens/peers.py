"""Linked hosts: which hosts belong together, and which of them leads?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui.session import Session
from tui.widgets.page import BLANK, Page, heading, wrapped
from tui.widgets.place import Place


class PeersScreen(Place):
    NAME = "peers"
    HELP_TEXT = "The hosts that form one cluster."
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.page = Page()

    def body(self) -> Iterable[Widget]:
        yield self.page

    def update(self) -> None:
        words = "This is not offered by the agent of this host."
        self.page.show([heading("Linked hosts"), BLANK, *wrapped(words, self.text_width)])
