"""Which definition? What shall run on the cluster: the layers of each stand below its name."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from screens.cluster_create import CreateStep, ListStep
from screens.cluster_page import issue_rows
from tui.models.change import Refused
from tui.models.cluster_create import SOURCES
from tui.widgets.messages import Explain, Go
from tui.widgets.page import BLANK, Row, text, wrapped


class DefinitionStep(ListStep):
    STEP = "definition"
    HELP_TEXT = (
        "The definition is a file that says what runs on the cluster. One may be in the installer, one may have been "
        "imported, one may have come in a content bundle. I goes to Content, where one is imported from a stick; the "
        "draft waits here meanwhile."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", key_display="Enter"),
        Binding("i", "import", "import one", key_display="I"),
        Binding("r", "look", "ask again", key_display="R"),
        *CreateStep.BINDINGS[1:],
    ]

    def on_mount(self) -> None:
        super().on_mount()
        self.action_look()

    def action_look(self) -> None:
        if not self.busy:
            self.busy = True
            self._look()

    @work(group="agent", exit_on_error=False)
    async def _look(self) -> None:
        from tui.services.cluster.definition import definitions

        try:
            self.way.definitions, self.refused = await definitions(await self.session.agent_client())
        except Refused as refused:
            self.refused = refused.issues
        finally:
            self.busy = False
        if self.is_mounted:
            self.update()

    def update(self) -> None:
        self.show_head("What shall run on it?")
        rows: list[Row] = []
        for number, one in enumerate(self.way.definitions or ()):
            chosen = one is self.way.definition
            rows.append(Row((f"{'*' if chosen else ' '} {one.title}, {SOURCES[one.source]}",), f"d{number}"))
            rows += wrapped(", ".join(" ".join(x) for x in one.layers) or "no layers named", self.text_width, indent=4)
        if self.way.definitions is None and not self.refused:
            rows.append(text("Asking the agent..."))
        elif not self.way.definitions:
            rows += wrapped("This host has no definition yet: I imports one from a stick.", self.text_width)
        if self.refused:
            rows += [BLANK, *issue_rows(self.refused, self.text_width)]
        place = next((n for n, d in enumerate(self.way.definitions or ()) if d is self.way.definition), None)
        self.list.show(rows, f"d{place}" if place is not None and not self.list.key else None)

    def action_choose(self) -> None:
        key = self.list.key
        if key.startswith("code:"):
            self.post_message(Explain(key.removeprefix("code:")))
        elif key:
            one = (self.way.definitions or ())[int(key[1:])]
            self.change(source=one.source, archive=one.archive)
            self.go(1)

    def action_onward(self) -> None:
        self.action_choose()

    def action_import(self) -> None:
        self.dismiss()
        self.app.post_message(Go("content"))
