"""Review: is this the cluster that is wanted, and what is written on which host? The last page before it begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from screens.cluster_create import CreateStep, ListStep, Way, made
from screens.cluster_page import issue_rows
from screens.cluster_preflight import complete, variables, wrong
from tui.models.change import Issue, Refused
from tui.models.cluster_create import STEPS, TITLES
from tui.session import Session
from tui.widgets.dialog import Question
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Row, clip, heading, text, wrapped

if TYPE_CHECKING:
    from tui.models.onsite.preflight import Preflight


class ReviewStep(ListStep):
    STEP = "review"
    HELP_TEXT = (
        "All that was chosen, and what is written on which host. Enter on a line goes to the step where it is changed. "
        "C makes the cluster, after a question. It takes twenty minutes and longer; hosts may restart meanwhile."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "create", "create it", key_display="C"),
        Binding("enter", "choose", "change", key_display="Enter"),
        *CreateStep.BINDINGS[1:],
        Binding("ctrl+x,f2", "create", show=False, priority=True),
    ]

    def __init__(self, session: Session, way: Way) -> None:
        super().__init__(session, way)
        self.busy = True
        self.doing = ""

    def on_mount(self) -> None:
        super().on_mount()
        self._look()

    @work(group="agent", exit_on_error=False)
    async def _look(self) -> None:
        try:
            self.refused = await complete(self.session, self.way)
        except Refused as refused:
            self.refused = refused.issues
        finally:
            self.busy = False
        if self.is_mounted:
            self.update()

    def update(self) -> None:
        self.show_head("Nothing is written yet. C makes it.")
        self.list.show(list(self._rows()))

    def _rows(self) -> Iterator[Row]:
        width = self.text_width
        if self.doing:
            yield text(self.doing)
        yield from issue_rows(self.refused, width)
        if self.busy:
            yield text("Asking the agent...")
            return
        for issue in wrong(self.way):
            first, *rest = issue_rows((issue,), width)
            yield first._replace(key=f"step:{issue.field}" if issue.field in STEPS else first.key)
            yield from rest
        yield from summary(self.way, width)
        yield BLANK
        yield from written(self.way.found.get("preflight"), width)
        yield from expected(self.session, width)

    def action_choose(self) -> None:
        key = self.list.key
        if key.startswith("code:"):
            self.post_message(Explain(key.removeprefix("code:")))
        elif key.startswith("step:"):
            self.app.switch_screen(made(key.removeprefix("step:"), self.session, self.way))

    def action_create(self) -> None:
        if self.busy:
            return
        if any(i.severity == "error" for i in wrong(self.way)):
            self.refused = (
                Issue("K433", "error", "", "It cannot be made like this.", "Mend what stands above first."),
            )
            self.update()
            return
        hosts = len(self.draft.hosts)
        words = f"{hosts} host{'' if hosts == 1 else 's'} will be written to, and may restart."
        self.app.push_screen(Question(f"Create {self.draft.title}?", words, yes="Create", no="Not yet"), self._answered)

    def _answered(self, yes: bool | None) -> None:
        if yes and not self.busy:
            self.busy, self.doing, self.refused = True, "Telling the agent...", ()
            self.update()
            self._create()

    @work(group="agent", exit_on_error=False)
    async def _create(self) -> None:
        from screens.cluster_watch import WatchScreen
        from tui.services.cluster import asking, draft
        from tui.services.cluster.create import configuration

        sent = configuration(self.draft, self.way.hosts or (), variables(self.way))
        try:
            await asking.create(await self.session.agent_client(), sent)
        except Refused as refused:
            self.refused = refused.issues
            return
        finally:
            self.busy, self.doing = False, ""
            if self.is_mounted:
                self.update()
        draft.forget(self.session.host)
        self.done = True
        self.app.switch_screen(WatchScreen(self.session))


def summary(way: Way, width: int) -> Iterator[Row]:
    """One line a choice; Enter goes where it is changed."""
    draft = way.draft
    place = draft.address.get("range", "") + " (overlay)" if draft.overlay else draft.address.get("vip", "")
    values = variables(way)
    lines = (
        ("name", draft.title + (f"  {draft.name['tags']}" if draft.name.get("tags") else "")),
        ("definition", way.definition.title if way.definition else "-"),
        ("variables", f"{len(values)} value{'' if len(values) == 1 else 's'}"),
        ("address", place),
    )
    for step, value in lines:
        yield Row((clip(f"{TITLES[step]:<13}{value}", width),), f"step:{step}")
    keys = len(draft.ssh_keys)
    who = f"{keys or 'no'} SSH key{'' if keys == 1 else 's'}"
    yield text(clip(f"{'':<13}{who}; time servers: {draft.address.get('ntp') or 'as they are'}", width))
    names = {h.id: h.name for h in way.hosts or ()}
    for pool in draft.pools:
        for host in draft.members(pool.name):
            role = "control plane" if pool.control_plane else "worker"
            nic = draft.nics.get(host, "auto")
            yield Row(
                (clip(f"{'Node':<13}{clip(names.get(host, host), 15):<16}{role}, {pool.name}, {nic}", width),),
                "step:nodes",
            )


def written(found: Preflight | None, width: int) -> Iterator[Row]:
    """What is written on which host."""
    yield heading("What is written on which host")
    if found is None or not any(h.files or h.commands for h in found.hosts):
        words = "This agent does not tell beforehand. On every host above: the engine's files, its images and units."
        yield from wrapped(words, width)
        return
    for host in found.hosts:
        yield text(f"{host.host_name or host.host_uid}: {len(host.files)} files, {len(host.commands)} commands")
        for file in host.files:
            yield text(clip(f"   {file.path}", width))
        for command in host.commands:
            yield text(clip(f"   runs {command}", width))


def expected(session: Session, width: int) -> Iterator[Row]:
    """How long it took before, where that is known."""
    from tui.services.cluster.durations import learned
    from tui.services.cluster.words import spell

    known = learned(session.host)
    yield BLANK
    if known:
        yield text(f"Here it took {spell(sum(known.values()))} before.")
    else:
        yield from wrapped("How long it takes here is not known yet; twenty to forty-five minutes are usual.", width)
