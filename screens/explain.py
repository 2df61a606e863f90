"""One text to read over what is on the screen: the page of a code, or why a field wants what it wants.

The person standing here was stopped by a sentence and decides what to do about it; Esc leads back to where they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.session import Session
from tui.widgets.page import BLANK, Row, heading, text, wrapped
from tui.widgets.place import Place


class ExplainScreen(Place):
    NAME = "help"
    OPEN = True
    IS_PLACE = False
    HELP_TEXT = "Up and Down scroll, Esc goes back."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g,enter,q", "leave_page", "back", key_display="Esc"),
    ]

    def __init__(self, session: Session, rows: Sequence[Row]) -> None:
        super().__init__(session)
        self.lines = rows

    def update(self) -> None:
        self.page.show(self.lines)

    def action_leave_page(self) -> None:
        self.dismiss()


def code_rows(code: str) -> Iterator[Row]:
    """The page of a code, as it is in the documentation."""
    from tui.models.codes import page

    for line in page(code).splitlines():
        yield heading(line.lstrip("# ")) if line.startswith("#") else text(line) if line else BLANK


def paragraphs(words: str, width: int) -> Iterator[Row]:
    for part in words.split("\n"):
        yield from wrapped(part, width)
