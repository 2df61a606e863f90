"""What every editor has: a form, what there is to say about a field, and a way out that loses nothing unasked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from screens.explain import code_rows
from tui.models.form import Field
from tui.session import Session
from tui.widgets.actions import Action
from tui.widgets.dialog import Question
from tui.widgets.form import FormView
from tui.widgets.page import BLANK, Page, Row, heading, text, wrapped
from tui.widgets.place import Place


class Editor(Place):
    """A screen over a place. The subclass makes `form` and says what Done does (`action_done`)."""

    AUTO_FOCUS = "FormView > *"
    IS_PLACE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "next", key_display="Tab"),
        Binding("ctrl+x,f2", "done", "done", priority=True, key_display="^X"),
        Binding("escape,ctrl+g", "cancel", "cancel", priority=True, key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "why", key_display="^Y"),
    ]
    ACTIONS: ClassVar[tuple[tuple[str, str], ...]] = (("Done", "done"), ("Cancel", "cancel"))
    form: FormView

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.message = Page(focusable=False, id="message")

    def body(self) -> Iterable[Widget]:
        yield self.form
        yield self.message
        with Horizontal(id="actions"):
            for words, action in self.actions():
                yield Action(words, id=action)

    def actions(self) -> Iterable[tuple[str, str]]:
        """Words to press below the form, and the action of each."""
        return self.ACTIONS

    def update(self) -> None:
        self.say()

    def say(self) -> None:
        """What is wrong with the field at the mark and what to do, or what it is for."""
        issue, field = self.form.issue, self.form.current
        words = f"{issue.text} {issue.remedy}" if issue else self.hint(field) if field else ""
        self.message.show(list(wrapped(words, self.text_width)) if words else [])

    def hint(self, field: Field) -> str:
        """What stands below the form while nothing is wrong with this field."""
        return field.help

    def on_form_view_moved(self) -> None:
        self.say()

    async def on_action_pressed(self, event: Action.Pressed) -> None:
        await self.run_action(str(event.action.id))

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
