"""The settings that the definition asks for: what does this site need, and is all of it there?

The same form as everywhere: checked when a field is left, by the definition's own rules when the step is done, and by
the agent. Secrets are shown as stars.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Horizontal
from textual.widget import Widget

from screens.cluster_create import FormStep, Way
from tui.models.change import Refused
from tui.models.form import Form
from tui.session import Session
from tui.widgets.actions import Action
from tui.widgets.form import FormView

if TYPE_CHECKING:
    from tui.services.cluster.definition import Asked


class VariablesStep(FormStep):
    STEP = "variables"
    FORM = Form("variables", "Settings", ())
    PART = "variables"
    HELP_TEXT = "What the definition needs to know of this site. A value that cannot be changed later says so."

    def __init__(self, session: Session, way: Way) -> None:
        super().__init__(session, way)
        self.behind: dict[str, Asked] = {}
        self.asked = False
        self.judging = False
        if way.definition is not None:
            self._take()

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield self.form
        yield self.message
        with Horizontal(id="actions"):
            yield Action("Next", id="onward")
            yield Action("Back", id="back")

    def on_mount(self) -> None:
        super().on_mount()
        if not self.asked:
            self._load()

    def _take(self) -> None:
        """The form of the chosen definition."""
        from tui.services.cluster.definition import form, texts

        assert self.way.definition is not None  # noqa: S101 - the callers looked
        made, self.behind = form(self.way.definition)
        self.form = FormView(made, texts(self.behind, self.draft.variables))
        self.asked = True

    @work(group="agent", exit_on_error=False)
    async def _load(self) -> None:
        """Somebody comes back to this very step: ask for the definition again."""
        from tui.services.cluster.definition import definitions

        try:
            self.way.definitions, refused = await definitions(await self.session.agent_client())
        except Refused as error:
            refused = error.issues
        if not self.is_mounted:
            return
        if self.way.definition is None:
            self.asked = True
            self.say(
                " ".join(i.text for i in refused) or "The chosen definition is gone from this host. Go a step back."
            )
            return
        before = self.form
        self._take()
        await before.remove()
        await self.query_one("#body").mount(self.form, before=self.message)
        first = next(iter(self.form.fields.values()), None)
        if first is not None:
            first.focus()
        self.update()

    def update(self) -> None:
        self.show_head(self.progress())
        self._say()

    def progress(self) -> str:
        from tui.services.cluster.definition import complete

        if not self.asked:
            return "Asking the agent..."
        if not self.behind:
            return "This definition asks for nothing."
        done, all_ = complete(self.behind, self.form.texts)
        return f"{done} of {all_} complete"

    def on_form_view_moved(self) -> None:
        self.update()

    def keep(self) -> None:
        typed = {a.key: self.form.texts[path] for path, a in self.behind.items()}
        if self.asked and self.behind:
            self.change(variables={**self.draft.variables, **typed})

    def ready(self) -> bool:
        if self.judging or self.way.definition is None or self.form.values() is None:
            return False
        self.judging = True
        self.say("Checking...")
        self._judge()
        return False

    @work(group="agent", exit_on_error=False)
    async def _judge(self) -> None:
        """Our own rules, then the agent; what it cannot judge now it judges when the cluster is made."""
        from tui.services.cluster.definition import judged, values

        assert self.way.definition is not None  # noqa: S101 - `ready` looked
        now = dict(self.form.texts)
        try:
            client = await self.session.agent_client() if self.session.agent.answers else None
            issues = await judged(client, self.way.definition, now)
        except Refused as refused:
            self.say(f"{refused.issues[0].text} {refused.issues[0].remedy}")
            return
        finally:
            self.judging = False
        if not self.is_mounted:
            return
        if issues:
            self.form.blame(issues)
        else:
            self.way.values = values(self.behind, now)
            self.go(1)
