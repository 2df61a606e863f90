"""Log in: may whoever stands here change this host?

The person standing here wants to go on to a place where something can be changed. They type user and password once;
where this host has no administrator yet, they make the first one. Esc goes back to looking.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.models.change import Issue, Refused
from tui.models.login import FIRST_FORM, LOGIN_FORM
from tui.session import Session
from tui.widgets.form import FormView, step_from
from tui.widgets.messages import LoggedIn
from tui.widgets.page import Page, heading, wrapped
from tui.widgets.place import Place

FIRST = "This host has no administrator yet. Whom you make here may change everything, also over SSH and with sudo."


class LoginScreen(Place):
    """Args:
    then: the place to go to afterwards.
    onward: what was to be opened there.
    """

    NAME = "login"
    OPEN = True
    CSS_PATH = "../styles/login.tcss"
    IS_PLACE = False
    AUTO_FOCUS = "FormView > *"
    HELP_TEXT = (
        "Looking needs no login, changing does. Esc goes back to Home. After some minutes without a key the console "
        "asks again; a change that waits for its Keep can be decided by anybody who stands here."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "go on", priority=True, key_display="Enter"),
        Binding("ctrl+x,f2", "done", show=False, priority=True),
        Binding("escape,ctrl+g", "cancel", "cancel", priority=True, key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session, then: str, onward: Place | None = None) -> None:
        super().__init__(session)
        self.then, self.onward = then, onward
        self.first = not session.administrator
        self.head = Page(focusable=False, id="head")
        self.form = FormView(FIRST_FORM if self.first else LOGIN_FORM, {})
        self.message = Page(focusable=False, id="message")
        self.issue: Issue | None = None
        self.asking = False

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield self.form
        yield self.message

    def update(self) -> None:
        head = [heading(self.form.form.title), *(wrapped(FIRST, self.text_width) if self.first else ())]
        self.head.styles.height = len(head)
        self.head.show(head)
        self._say()

    def _say(self) -> None:
        field = self.form.current
        words = field.help if field is not None else ""
        if self.asking:
            words = "Asking..."
        elif self.issue is not None:
            words = f"{self.issue.code} {self.issue.text} {self.issue.remedy}"
        self.message.show(list(wrapped(words, self.text_width)))

    def on_form_view_moved(self) -> None:
        self._say()

    def action_enter(self) -> None:
        last = self.form.form.fields[-1].path
        if self.form.at == last or self.focused is None:
            self.action_done()
        else:
            step_from(self.focused, 1)

    def action_done(self) -> None:
        if self.asking:
            return
        typed = self.form.texts
        user = typed["user"].strip()
        if self.first and typed["password"] != typed["repeat"]:
            self._refused(Issue("A514", "error", "repeat", "The two passwords differ.", "Type both again."))
            return
        self.issue, self.asking = None, True
        self._say()
        self.app.run_worker(self._ask(user, typed["password"]), group="login", exit_on_error=False)

    async def _ask(self, user: str, password: str) -> None:
        try:
            await (self.session.create_first if self.first else self.session.log_in)(user, password)
        except Refused as refused:
            self._refused(refused.issues[0])
        else:
            self.dismiss()
            self.app.post_message(LoggedIn(self.then, self.onward))
        finally:
            self.asking = False

    def _refused(self, issue: Issue) -> None:
        """Say it, and clear what cannot be seen."""
        self.asking, self.issue = False, issue
        for path in ("password", "repeat"):
            if path in self.form.fields:
                self.form.put(path, "")
        there = "user" if issue.field == "user" else "password"
        self.form.fields[there].focus()
        self._say()

    def action_cancel(self) -> None:
        if not self.asking:
            self.dismiss()
