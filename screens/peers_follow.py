"""Follow another host: which one, and what proves that its people want it?

The person standing here hears two groups of four digits from the other box, or has a token on the clipboard.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual import work
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget

from screens.editor import Editor
from tui.models.change import Issue, Refused
from tui.models.peers import FOLLOW_FORM
from tui.session import Session
from tui.widgets.actions import Action
from tui.widgets.form import FormView
from tui.widgets.page import Page, heading, wrapped


class FollowScreen(Editor):
    NAME = "peers"
    CSS_PATH = "../styles/peers.tcss"
    HELP_TEXT = "Done links this host at once: no Review, for nothing of its own settings changes. Esc goes back."

    class Begun(Message):
        """The agent began to link this host, or refused."""

        def __init__(self, refused: tuple[Issue, ...] = ()) -> None:
            super().__init__()
            self.refused = refused

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.head = Page(focusable=False, id="head")
        self.form = FormView(FOLLOW_FORM, {"by": "code"})
        self.message = Page(focusable=False, id="message")
        self.refused: tuple[Issue, ...] = ()

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield self.form
        yield self.message
        with Horizontal(id="actions"):
            yield Action("Done", id="done")
            yield Action("Cancel", id="cancel")

    def update(self) -> None:
        self.head.show([heading("Follow another host")])
        issue = self.form.issue or next(iter(self.refused), None)
        field = self.form.current
        words = f"{issue.code} {issue.text} {issue.remedy}" if issue else field.help if field else ""
        self.message.show(list(wrapped(words, self.text_width)) if words else [])

    def on_form_view_moved(self) -> None:
        self.update()

    def on_form_view_chose(self) -> None:
        self.update()

    def on_action_pressed(self, event: Action.Pressed) -> None:
        if event.action.id == "done":
            self.action_done()
        else:
            self.action_cancel()

    def action_done(self) -> None:
        values = self.form.values()
        if values is not None:
            self._follow(
                values["by"], str(values.get("address") or ""), str(values.get("code") or ""), values.get("token")
            )
        self.update()

    @work(group="peers", exclusive=True, exit_on_error=False)
    async def _follow(self, by: str, address: str, code: str, token: object) -> None:
        from tui.models.peers import Token
        from tui.services import peers

        try:
            agent = await self.session.agent_client()
            await peers.follow(agent, by, address, code, token if isinstance(token, Token) else None)
        except Refused as refused:
            self.post_message(self.Begun(refused.issues))
        else:
            self.post_message(self.Begun())

    def on_follow_screen_begun(self, message: Begun) -> None:
        self.refused = message.refused
        if self.refused:
            self.update()
        else:
            self.dismiss()
