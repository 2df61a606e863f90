"""Power: restart this host or switch it off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui.session import Session
from tui.widgets.page import BLANK, Page, heading, wrapped
from tui.widgets.place import Place


class PowerScreen(Place):
    NAME = "power"
    HELP_TEXT = "Restart this host or switch it off."
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.page = Page()

    def body(self) -> Iterable[Widget]:
        yield self.page

    def update(self) -> None:
        words = "This host can be restarted at its power button."
        self.page.show([heading("Power"), BLANK, *wrapped(words, self.text_width)])
