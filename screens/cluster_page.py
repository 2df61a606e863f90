"""What the pages behind Cluster share: one list that is asked of the agent, what it refuses in words, and a way back.

The agent may be slow, wrong or away: the page says so, keeps what it knew, and asks again by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.models.change import Issue, Refused
from tui.session import Session
from tui.widgets.look import SEVERITY_MARKS
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Row, heading, marked, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.services.cluster.trouble import Trouble

BACK = Binding("escape,ctrl+g", "leave_page", "back", key_display="Esc")
HELP = Binding("ctrl+y,f1", "app.help", "help", key_display="^Y")


class AgentPage(Place):
    """A page over Cluster. The subclass says what `load` asks and which `rows` that makes."""

    NAME = "cluster"
    CSS_PATH = "../styles/cluster.tcss"
    IS_PLACE = False
    TITLE_WORDS: ClassVar[str] = ""
    SECONDS: ClassVar[float] = 5.0
    """After that long it asks again by itself; 0: only when told to."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open", key_display="Enter"),
        Binding("r", "look", "ask again", key_display="R"),
        BACK,
        HELP,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.asked = False
        self.looking = self.busy = False
        """A look at the agent that is under way keeps nobody from doing something; a second job it would."""
        self.doing = ""
        self.refused: tuple[Issue, ...] = ()
        self.failed: tuple[Issue, ...] = ()

    # --- what a subclass says --------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Ask the agent. Raises Refused."""

    def rows(self) -> Iterable[Row]:
        """The page, from what was loaded."""
        return ()

    def chosen(self, key: str) -> None:
        """Enter on a row with that key."""

    # --- what all of them do ---------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        super().on_mount()
        self.action_look()
        if self.SECONDS:
            self.set_interval(self.SECONDS, self._again)

    def _again(self) -> None:
        if self.is_current and not self.busy:
            self.action_look()

    def action_look(self) -> None:
        if not self.looking:
            self.looking = True
            self._look()

    @work(group="agent", exit_on_error=False)
    async def _look(self) -> None:
        try:
            await self.load()
            self.refused, self.asked = (), True
        except Refused as refused:
            self.refused = refused.issues
        finally:
            self.looking = False
        if self.is_mounted:
            self.update()

    def update(self) -> None:
        rows: list[Row] = [heading(self.TITLE_WORDS), *issue_rows((*self.failed, *self.refused), self.text_width)]
        if self.doing:
            rows.append(text(self.doing))
        if self.asked:
            rows += self.rows()
        elif not self.refused:
            rows += [BLANK, text("Asking the agent...")]
        self.page.show(rows)

    def action_choose(self) -> None:
        key = self.page.key
        if key.startswith("code:"):
            self.post_message(Explain(key.removeprefix("code:")))
        elif key:
            self.chosen(key)

    def action_leave_page(self) -> None:
        self.dismiss()

    def do(self, doing: str, job: Callable[[], Awaitable[str]], watch: bool = False) -> None:
        """Do something at the agent; the job returns a sentence about what became of it.

        Args:
            watch: the agent goes on with it for minutes, which is to be watched next.
        """
        if self.busy:
            return
        self.busy, self.doing, self.failed = True, doing, ()
        self.update()
        self._job(job, watch)

    @work(group="agent", exit_on_error=False)
    async def _job(self, job: Callable[[], Awaitable[str]], watch: bool) -> None:
        try:
            self.doing = await job()
        except Refused as refused:
            self.failed, self.doing, watch = refused.issues, "", False
        finally:
            self.busy = False
        if watch and self.is_current:
            from screens.cluster_watch import WatchScreen

            self.app.switch_screen(WatchScreen(self.session))
        elif self.is_mounted:
            self.update()
            self.action_look()


def issue_rows(issues: Sequence[Issue], width: int) -> Iterable[Row]:
    """What is wrong and what can be done about it; Enter opens the page of its code."""
    for issue in issues:
        first, *rest = wrapped(f"{issue.code} {issue.text} {issue.remedy}", width, SEVERITY_MARKS[issue.severity])
        yield first._replace(key=f"code:{issue.code}")
        yield from rest


def trouble_rows(found: Trouble, width: int, now: float) -> Iterable[Row]:
    """One thing that is wrong, with the event that says so."""
    from tui.services.cluster.words import spell

    yield from issue_rows((found.issue,), width)
    since = f"since {spell(now - found.since)}, " if found.since is not None else ""
    if found.event:
        yield from wrapped(f"({since}{found.event})", width, indent=3)


def valued(label: str, value: str, width: int, key: str = "", mark: str = "") -> Row:
    """`ok Nodes        3 of 3 ready`."""
    from tui.widgets.page import clip

    return marked(mark, f"{label:<14}{clip(value, max(10, width - 17))}", key)
