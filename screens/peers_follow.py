"""Follow another host: which one, and what proves that its people want it?

The person standing here hears two groups of four digits from the other box, or has a token on the clipboard.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual import work
from textual.message import Message
from textual.widget import Widget

from screens.editor import Editor
from tui.models.change import Issue, Refused
from tui.models.peers import FOLLOW_FORM
from tui.session import Session
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
        self.refused: tuple[Issue, ...] = ()

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield from super().body()

    def update(self) -> None:
        self.head.show([heading("Follow another host")])
        self.say()

    def say(self) -> None:
        """What the agent refused too, as long as nothing is wrong in the form."""
        super().say()
        if self.form.issue is None and self.refused:
            issue = self.refused[0]
            self.message.show(list(wrapped(f"{issue.code} {issue.text} {issue.remedy}", self.text_width)))

    def on_form_view_chose(self) -> None:
        self.say()

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
