"""Content: which bundles and cluster definitions are on this host, and is anything missing?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui.session import Session
from tui.widgets.page import BLANK, Page, heading, wrapped
from tui.widgets.place import Place


class ContentScreen(Place):
    NAME = "content"
    HELP_TEXT = "Bundles and cluster definitions on this host."
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.page = Page()

    def body(self) -> Iterable[Widget]:
        yield self.page

    def update(self) -> None:
        words = "This is not offered by the agent of this host."
        self.page.show([heading("Content"), BLANK, *wrapped(words, self.text_width)])
