"""Is this server believed now? Asked of each kind of program on this host.

The person standing here has added an authority and wants to know whether the registry works before they go home.
"""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.models.change import Issue, Refused
from tui.services.trust.proof import Proof
from tui.session import Session
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Row, clip, heading, marked, text
from tui.widgets.place import Place


class ProofScreen(Place):
    NAME = "trust"
    CSS_PATH = "../styles/trust.tcss"
    IS_PLACE = False
    HELP_TEXT = (
        "Each program has rules of its own: what curl and Go believe, Python 3.13 and later may refuse. This asks the "
        "server directly, with the authorities that this host has now, not with those of the draft."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "again", key_display="R"),
        Binding("enter", "explain", "explain", key_display="Enter"),
        Binding("escape,ctrl+g", "leave_page", "back", key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session, server: str) -> None:
        super().__init__(session)
        self.server = server
        self.proofs: list[Proof] = []
        self.asking = True
        self.refused: tuple[Issue, ...] = ()

    def on_mount(self) -> None:
        super().on_mount()
        self.action_again()

    def action_again(self) -> None:
        self._ask()

    @work(group="trust", exclusive=True, exit_on_error=False)
    async def _ask(self) -> None:
        from tui.services.trust import proof, reach

        self.proofs, self.asking, self.refused = [], True, ()
        self.update()
        try:
            where = reach.server(self.server)
            async for one in proof.proofs(self.session.host, where):
                self.proofs.append(one)
                self.update()
        except Refused as refused:
            self.refused = refused.issues
        finally:
            self.asking = False
            self.update()

    def update(self) -> None:
        from screens.trust_judged import issue_rows

        rows = [heading(clip(f"Is {self.server} believed here?", self.text_width)), BLANK]
        rows += [_row(one, self.text_width) for one in self.proofs]
        rows += [text("asking...")] if self.asking else []
        rows += issue_rows(self.refused, self.text_width)
        self.page.show(rows)

    def action_explain(self) -> None:
        if self.page.key:
            self.post_message(Explain(self.page.key))

    def action_leave_page(self) -> None:
        self.dismiss()


def ask_server(place: Place) -> None:
    """Ask for the server, then show the proofs."""
    from screens.trust_ask import AskScreen
    from tui.models.trust import SERVER_FORM

    def typed(server: str) -> None:
        place.app.push_screen(ProofScreen(place.session, server))

    place.app.push_screen(AskScreen(place.session, SERVER_FORM, "Which server?", typed))


def _row(one: Proof, width: int) -> Row:
    mark, word = {True: ("ok", "believed"), False: ("x", "refused"), None: ("!", "not asked")}[one.believed]
    code = f"{one.code} " if one.code else ""
    reason = f": {one.reason}" if one.reason else ""
    return marked(mark, clip(f"{one.consumer:<22} {code}{word}{reason}", width - 3), one.code)
