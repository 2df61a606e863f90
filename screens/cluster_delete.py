"""Delete: is it really this cluster that shall go? Its name is typed, for nothing brings it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from screens.cluster_page import issue_rows
from screens.editor import Editor
from tui.models.change import Issue, Refused
from tui.models.form import Field, Form
from tui.session import Session
from tui.widgets.form import FormView
from tui.widgets.page import BLANK, Page, heading, text, wrapped

FORM = Form(
    "cluster", "Delete", (Field("name", "text", "Its name", needed=True, help="Type the name of the cluster."),)
)
GOES = (
    "Every workload and its data on the nodes, the nodes themselves, and the address of the cluster. Hosts may "
    "restart. Content, links between hosts, addresses and names of the hosts stay."
)


class DeleteScreen(Editor):
    NAME = "cluster"
    CSS_PATH = "../styles/cluster_delete.tcss"
    HELP_TEXT = GOES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+x,f2", "done", "delete it", priority=True, key_display="^X"),
        Binding("escape,ctrl+g", "cancel", "leave it", priority=True, key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "why", key_display="^Y"),
    ]

    ACTIONS = (("Leave it", "cancel"), ("Delete it", "done"))

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.head = Page(focusable=False, id="head")
        self.form = FormView(FORM, {})
        self.busy = False
        self.refused: tuple[Issue, ...] = ()

    @property
    def cluster_name(self) -> str:
        reading = self.session.cluster
        return reading.standing.name if reading else ""

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield from super().body()

    def update(self) -> None:
        title = f"Delete the cluster {self.cluster_name}?"
        self.head.show([heading(title), BLANK, text("What goes:"), *wrapped(GOES, self.text_width)])
        if self.refused:
            self.message.show(list(issue_rows(self.refused, self.text_width)))
        elif not self.busy:
            self.say()

    def hint(self, field: Field) -> str:
        return ""

    def tell(self, words: str) -> None:
        """In place of what there is to say about the field."""
        self.message.show(list(wrapped(words, self.text_width)))

    def dirty(self) -> bool:
        return False

    def action_done(self) -> None:
        values = self.form.values()
        if values is None or self.busy:
            return
        self.refused = ()
        if values["name"] != self.cluster_name or not self.cluster_name:
            words = f"This cluster is called {self.cluster_name or 'nothing'}."
            self.form.blame({"name": Issue("K440", "error", "name", words, "Type its name, or leave it.")})
            self.update()
            return
        self.busy = True
        self.tell("Telling the agent...")
        self._delete()

    @work(group="agent", exit_on_error=False)
    async def _delete(self) -> None:
        from screens.cluster_watch import WatchScreen
        from tui.models.contract import cluster

        try:
            client = await self.session.agent_client()
            await client.call(cluster.DELETE, seconds=30.0)
        except Refused as refused:
            self.busy, self.refused = False, refused.issues
            if self.is_mounted:
                self.update()
            return
        if self.is_mounted:
            self.app.switch_screen(WatchScreen(self.session))
