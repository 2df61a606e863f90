"""One question with one field: a folder, a URL, a server, a passphrase."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.models.form import Form
from tui.session import Session
from tui.widgets.form import FormView
from tui.widgets.page import Page, heading, wrapped
from tui.widgets.place import Place


class AskScreen(Place):
    """Closes itself before it goes on with the text.

    Args:
        typed: what stands in the field at first.
        then: what to do with the text; not called where the question was cancelled.
    """

    NAME = "trust"
    CSS_PATH = "../styles/trust.tcss"
    IS_PLACE = False
    AUTO_FOCUS = "FormView > *"
    HELP_TEXT = "Enter goes on with what is typed, Esc goes back without it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+x,f2", "done", "go on", priority=True, key_display="Enter"),
        Binding("escape,ctrl+g", "cancel", "cancel", priority=True, key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(
        self, session: Session, form: Form, title: str, then: Callable[[str], None], *, typed: str = ""
    ) -> None:
        super().__init__(session)
        self.field = form.fields[0]
        self.head = Page(focusable=False, id="head")
        self.form = FormView(form, {self.field.path: typed})
        self.message = Page(focusable=False, id="message")
        self.question, self.then = title, then

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield self.form
        yield self.message

    def update(self) -> None:
        self.head.show([heading(self.question)])
        issue = self.form.issue
        words = f"{issue.text} {issue.remedy}" if issue else self.field.help
        self.message.show(list(wrapped(words, self.text_width)))

    def on_form_view_moved(self) -> None:
        self.update()

    def action_done(self) -> None:
        values = self.form.values()
        if values is not None:
            self.dismiss()
            value = values[self.field.path]
            self.then(", ".join(map(str, value)) if isinstance(value, tuple) else str(value))

    def action_cancel(self) -> None:
        self.dismiss()
