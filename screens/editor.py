"""What every editor has: a form, one line about the field at the mark, and a way out that loses nothing unasked."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.explain import code_rows
from tui.widgets.dialog import Question
from tui.widgets.form import FormView
from tui.widgets.page import BLANK, Row, heading, text, wrapped
from tui.widgets.place import Place


class Editor(Place):
    """A screen over a place. The subclass makes `form`, says what Done does, and what there is to say about a field."""

    AUTO_FOCUS = "FormView > *"
    IS_PLACE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "next", key_display="Tab"),
        Binding("ctrl+x,f2", "done", "done", priority=True, key_display="^X"),
        Binding("escape,ctrl+g", "cancel", "cancel", priority=True, key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "why", key_display="^Y"),
    ]
    form: FormView

    def on_mount(self) -> None:
        super().on_mount()
        self.put(self.session.claim)

    def explain(self) -> list[Row]:
        """The field at the mark: what it is for, an example, and the page of what is wrong with it."""
        field, issue = self.form.current, self.form.issue
        rows: list[Row] = []
        if field is not None:
            rows += [heading(field.label), *wrapped(field.help, self.text_width)]
            if field.example:
                rows.append(text(f"Such as {field.example}"))
            rows.append(BLANK)
        if issue is not None:
            rows += [*code_rows(issue.code), BLANK]
        return [*rows, *wrapped(self.HELP_TEXT, self.text_width)]

    def dirty(self) -> bool:
        """Whether leaving would lose what was typed."""
        return self.form.dirty

    def action_cancel(self) -> None:
        if not self.dirty():
            self.dismiss()
            return
        self.app.push_screen(
            Question("Leave without these changes?", "What you typed here is lost.", yes="Leave", no="Go on typing"),
            self._leave,
        )

    def _leave(self, yes: bool | None) -> None:
        if yes:
            self.dismiss()
