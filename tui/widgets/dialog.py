"""A question over the place: one sentence, two answers."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from tui.widgets.actions import Action
from tui.widgets.page import Page, heading, text


class Question(ModalScreen[bool], inherit_bindings=False):
    """Asks before something that cannot be taken back; the safe answer has the focus.

    Args:
        title: the question itself.
        words: what happens.
        yes: the word of the answer that does it; its first letter, or y, says it too.
        no: the word of the answer that does not; Esc, Ctrl-G and n say it too.
    """

    DEFAULT_CSS = """
    Question { align: center middle; }
    Question #box {
        width: 42; max-width: 100%; height: auto; max-height: 100%; border: solid ansi_default; padding: 0 1;
    }
    Question Horizontal { height: 1; margin-top: 1; overflow-x: auto; scrollbar-size: 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,right,down", "app.focus_next", show=False),
        Binding("shift+tab,ctrl+t,left,up", "app.focus_previous", show=False),
        Binding("escape,ctrl+g,n", "answer(False)", show=False),
        Binding("y", "answer(True)", show=False),
        Binding("ctrl+l", "app.repaint", show=False),
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, title: str, words: str = "", *, yes: str = "Yes", no: str = "No") -> None:
        super().__init__()
        self.question, self.words, self.yes, self.no = title, words, yes, no

    def compose(self) -> ComposeResult:
        from textwrap import wrap

        rows = [heading(self.question), *(text(line) for line in wrap(self.words, 36))]
        page = Page(rows, focusable=False)
        page.styles.height = len(rows)
        with Vertical(id="box"):
            yield page
            with Horizontal():
                yield Action(self.no, id="no")
                yield Action(self.yes, id="yes")

    def on_action_pressed(self, event: Action.Pressed) -> None:
        self.dismiss(event.action.id == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
