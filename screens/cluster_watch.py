"""Watch: how far is it, does it go on, and if not, what is in the way?

The person standing here waits for twenty minutes and longer. They see each step with the time it took, the one that
they wait for, and the first thing that is wrong in one line. Leaving the page, the console or the power changes
nothing: the agent goes on, and the page comes back where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from screens.cluster_page import BACK, HELP, AgentPage, issue_rows, trouble_rows
from tui.widgets.dialog import Question
from tui.widgets.look import MARKS
from tui.widgets.page import BLANK, Row, clip, heading, marked, text, wrapped

if TYPE_CHECKING:
    from tui.services.cluster.reading import Import, Reading
    from tui.services.cluster.steps import Step

UNDONE = (
    "Every host is cleaned of what was written for the cluster and leaves it. Content, links between the hosts, "
    "addresses and names stay."
)


class WatchScreen(AgentPage):
    TITLE_WORDS = "Watch"
    HELP_TEXT = (
        "The steps in the order of the agent, with the time each took and, where one was made here before, the time "
        "it took then. W shows the whole story of what is wrong. C stops it and undoes what was done. You may leave: "
        "it goes on without you, also over a restart."
    )
    SECONDS: ClassVar[float] = 4.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open", key_display="Enter"),
        Binding("w", "story", "why", key_display="W"),
        Binding("c", "cancel", "stop and undo", key_display="C"),
        Binding("r", "look", "ask again", show=False),
        BACK,
        HELP,
    ]

    async def load(self) -> None:
        await self.session.read_cluster(thoroughly=True)

    def update(self) -> None:
        reading = self.session.cluster
        rows: list[Row] = [*issue_rows((*self.failed, *self.refused), self.text_width)]
        if self.doing:
            rows += wrapped(self.doing, self.text_width)
        # What was read before is about the job before: after an order it would say that all is done.
        if reading is not None and (self.asked or self.refused):
            rows += watched(reading, self.text_width, self.session.host.clock.now())
        elif not self.refused:
            rows.append(text("Asking the agent..."))
        self.page.show(rows)

    def action_story(self) -> None:
        from screens.cluster_story import StoryScreen

        self.app.push_screen(StoryScreen(self.session))

    def action_cancel(self) -> None:
        reading = self.session.cluster
        if reading is None or reading.standing.state not in ("Provisioning", "Error", ""):
            self.doing = "There is nothing under way that could be stopped; Delete takes a cluster away that runs."
            self.update()
            return
        self.app.push_screen(Question("Stop and undo it?", UNDONE, yes="Stop", no="Go on"), self._answered)

    def _answered(self, yes: bool | None) -> None:
        if yes:
            self.do("Asking the agent to stop...", self._stop)

    async def _stop(self) -> str:
        from tui.models.contract import cluster

        client = await self.session.agent_client()
        await client.call(cluster.DELETE, seconds=30.0)
        return "The agent undoes it; this page shows how far it is."


def watched(reading: Reading, width: int, now: float) -> Iterator[Row]:
    """State, the first thing that is wrong, steps, and images on their way."""
    from tui.services.cluster.words import spell

    standing = reading.standing
    if not standing.exists:
        if reading.issue is not None:
            yield from issue_rows((reading.issue,), width)
        yield from wrapped("There is no cluster on this host, and none is being made.", width)
        return
    spent = sum(s.spent or 0.0 for s in reading.steps)
    expected = sum(s.expected or 0.0 for s in reading.steps)
    took = f"  {spell(spent)}" if spent else ""
    of = f" of about {spell(expected)}" if expected and standing.state == "Provisioning" else ""
    yield Row(
        ((f"{standing.name}  ", MARKS[""]), (f"{standing.mark} {standing.word}", MARKS[standing.mark]), took + of)
    )
    if reading.issue is not None:
        yield from issue_rows((reading.issue,), width)
        yield text("What follows is what it said before.")
    if standing.first is not None:
        yield from trouble_rows(standing.first, width, now)
    yield BLANK
    category = None
    for step in reading.steps:
        if step.category and step.category != category:
            category = step.category
            yield heading(_words(category))
        yield line(step, width)
    if not reading.steps:
        yield from wrapped("This agent names no steps; its state above is all that it tells.", width)
    yield from images(reading.imports, width)


def line(step: Step, width: int) -> Row:
    """`.. First control plane      2 min 10 s of about 1 min`; where there is little room the times come first."""
    from tui.services.cluster.words import spell

    spent, before = spell(step.spent), spell(step.expected)
    if step.mark == "!" and before:
        took = f"{spent} (before: {before})"
    elif step.mark in ("..", "!", "x"):
        took = f"{spent} of about {before}" if spent and before else spent
    elif step.mark == "ok":
        took = spent
    else:
        took = f"about {before}" if before else ""
    room = max(20, min(34, width - 3 - len(took)))
    return marked(step.mark, clip(f"{clip(step.label, room - 1):<{room}}{took}", width - 3))


def images(imports: Iterable[Import], width: int) -> Iterator[Row]:
    """Images on their way: how many are there, and those that are not, by name."""
    found = list(imports)
    if not found:
        return
    there = sum(i.mark == "ok" for i in found)
    yield BLANK
    yield heading(f"Images: {there} of {len(found)} are there")
    for item in [i for i in found if i.mark != "ok"][:20]:
        note = f"  {item.message}" if item.message else f"  {item.size}"
        yield marked(item.mark, clip(f"{item.name}{note}", width - 3))


def _words(category: str) -> str:
    from tui.services.cluster.steps import words_of

    known = {"edgehost": "This host", "host": "This host", "cluster": "Cluster"}
    return known.get(category.lower().replace("-", "").replace("_", ""), words_of(category))
