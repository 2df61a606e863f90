"""Content: which bundles and cluster definitions are on this host, and is anything missing?

The person standing here came with a stick. They see whether what the cluster needs is on the host, bring what is
missing, watch how long it still takes, and make room.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widget import Widget

from tui.session import Session
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Page, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.models.content_api import Content, Entry, Import
    from tui.models.contract.base import Operation
    from tui.models.contract.common import Accepted
    from tui.services.content.view import View

EVERY, EVERY_SLOW = 1.0, 5.0
"""Seconds between two looks while an import runs; on a line of 9600 baud or less."""
IDLE = 10.0
"""Seconds between two looks otherwise: content also comes from the leader, without anybody here."""


class ContentScreen(Place):
    NAME = "content"
    CSS_PATH = "../styles/content.tcss"
    AUTO_FOCUS = "#list"
    HELP_TEXT = (
        "Bundles bring what the cluster engine needs; a cluster definition says what the cluster is made of. I brings "
        "one from a stick, a disc, an ISO image or a folder. P pauses an import and goes on with it, X stops it for "
        "good; what was written stays until then, also through a power cut. Enter shows the images and the digest, D "
        "deletes."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "import", "import", key_display="I"),
        Binding("p", "pause", "pause", key_display="P"),
        Binding("x", "abandon", "stop", key_display="X"),
        Binding("d", "delete", "delete", key_display="D"),
        Binding("enter,space", "details", "details", key_display="Enter"),
        Binding("r", "look", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.list = Page(id="list")
        self.details = Page(id="details")
        self.view: View | None = None
        self.shown = ""
        self.said = self.asked = ""
        self.timer: Timer | None = None
        self.looking = False

    def body(self) -> Iterable[Widget]:
        yield self.list
        yield self.details

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(IDLE, self._again)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.action_look()

    # --- what is there ---------------------------------------------------------------------------------------------

    def action_look(self) -> None:
        if not self.looking:  # a slow agent is waited for, not asked anew
            self.looking = True
            self._look()

    @work(group="content", exit_on_error=False)
    async def _look(self) -> None:
        from tui.models.change import Refused
        from tui.services.content import view

        try:
            found = await view.read(await self.session.agent_client())
        except Refused as refused:
            found = view.View(issue=refused.issues[0])
        finally:
            self.looking = False
        if found != self.view:
            self.view, self.said = found, self.asked
            self.asked = ""
            self.update()
        if self.running is not None and self.running.state in ("running", "undoing"):
            self.timer = self.set_timer(EVERY_SLOW if self.session.slow_line else EVERY, self._again)

    def _again(self) -> None:
        if self.is_current:
            self.action_look()

    @property
    def current(self) -> Entry | None:
        return next((e for e in self.view.entries if e.digest == self.list.key), None) if self.view else None

    @property
    def running(self) -> Import | None:
        return self.view.content.current if self.view and self.view.content else None

    def update(self) -> None:
        rows = list(self._rows())
        self.list.show(rows)
        self.list.styles.height = min(max(3, len(rows)), max(3, self.app.size.height - 12))
        shown = (
            next((e for e in self.view.entries if e.digest == (self.shown or self.list.key)), None)
            if self.view
            else None
        )
        self.details.show(list(entry_rows(shown, self.text_width)) if shown else [])
        self.details.can_focus = len(self.details.rows) > self.details.size.height > 0

    def _rows(self) -> Iterator[Row]:
        yield heading("Bundles and cluster definitions")
        width, view = self.text_width, self.view
        if view is None:
            yield text("asking the agent...")
            return
        if view.issue is not None:
            yield from keyed(wrapped(f"{view.issue.code} {view.issue.text}", width, "x"), view.issue.code)
            yield from wrapped(view.issue.remedy, width, indent=3)
            return
        if view.content is None:
            yield from contract_rows(view, width)
            return
        if not view.entries:
            yield text("none yet; I brings one from a stick, a disc or a folder")
        for entry in view.entries:
            yield list_row(entry, width)
        yield BLANK
        yield from import_rows(view.content, width)
        yield from room_rows(view.content, width)
        if self.said:
            yield from wrapped(self.said, width)

    # --- what is done ----------------------------------------------------------------------------------------------

    def action_details(self) -> None:
        if self.list.key[:1] == "B":
            self.post_message(Explain(self.list.key))
            return
        self.shown = self.list.key
        self.update()

    def action_import(self) -> None:
        from screens.content_sources import ContentSourcesScreen

        offered = self.view is not None and self.view.content is not None
        self.app.push_screen(ContentSourcesScreen(self.session, offered=offered))

    def action_pause(self) -> None:
        from tui.models import content_api as api

        one = self.running
        if one is not None and one.state in ("running", "paused", "failed"):
            self._ask(api.PAUSE if one.state == "running" else api.RETRY, job=one.job)
        else:
            self._say("No import is under way.")

    def action_abandon(self) -> None:
        one = self.running
        if one is None or one.state not in ("running", "paused", "failed"):
            self._say("No import is under way.")
            return
        from tui.widgets.dialog import Question

        words = f"What was brought of {one.name} goes away. Other content stays."
        self.app.push_screen(Question("Give the import up?", words, yes="Give up", no="Leave it"), self._abandon)

    def _abandon(self, yes: bool | None) -> None:
        from tui.models import content_api as api

        if yes and self.running is not None:
            self._ask(api.CANCEL, job=self.running.job)

    def action_delete(self) -> None:
        entry = self.current
        if entry is None:
            return
        from tui.services.content.store import size_words
        from tui.widgets.dialog import Question

        words = f"{entry.name} {entry.version}, {size_words(entry.size)}. To have it again, it has to be imported anew."
        digest = entry.digest

        def answered(yes: bool | None) -> None:
            from tui.models import content_api as api

            if yes:
                self._ask(api.DELETE, digest=digest)

        self.app.push_screen(Question("Delete this content?", words, yes="Delete", no="Leave it"), answered)

    @work(group="content-ask", exclusive=True, exit_on_error=False)
    async def _ask(self, operation: Operation[Accepted], *, job: str = "", digest: str = "") -> None:
        from tui.models.change import Refused
        from tui.services.content.view import SLOW

        try:
            client = await self.session.agent_client()
            if job:
                await client.call(operation, seconds=SLOW, job=job)
            else:
                self.asked = (await client.call(operation, seconds=SLOW, digest=digest)).message
        except Refused as refused:
            self._say(f"{refused.issues[0].code} {refused.issues[0].text}")
        self.action_look()

    def _say(self, words: str) -> None:
        self.said = words
        self.update()


def keyed(rows: Iterable[Row], key: str) -> Iterator[Row]:
    """The first of the rows stands for `key`."""
    for number, row in enumerate(rows):
        yield Row(row.parts, key) if number == 0 else row


def list_row(entry: Entry, width: int) -> Row:
    """One bundle or definition: is it whole, what is it, how large, who signed it."""
    from tui.services.content.store import size_words

    lacks = bool(entry.missing_engine or entry.missing_images or entry.images_not_provided)
    kind = "def" if entry.kind == "definition" else entry.kind
    words = f"{kind:<6} {size_words(entry.size):>7}  {'signed' if entry.signature == 'verified' else entry.signature}"
    name = f"{entry.name} {entry.version}"
    room = max(10, width - 5 - len(words))
    return marked("!" if lacks else "ok", clip(f"{clip(name, room):<{room}}  {words}", width - 3), entry.digest)


def entry_rows(entry: Entry, width: int) -> Iterator[Row]:
    """All of one: what is missing first."""
    if entry.missing_engine:
        yield from wrapped(f"No bundle brings {entry.missing_engine}.", width, "!")
    for ref in entry.missing_images:
        yield marked("!", clip(f"missing: {ref}", width - 3))
    for ref in entry.images_not_provided:
        yield marked("!", clip(f"not in it: {ref}", width - 3))
    if entry.kind == "definition" and not (entry.missing_engine or entry.missing_images):
        yield marked("ok", "everything that it needs is on this host")
    if entry.description:
        yield from wrapped(entry.description, width)
    if entry.engine:
        yield text(clip(f"Engine   {entry.engine} {entry.engine_version}  {entry.architecture}", width))
    groups = [entry.digest[i : i + 4] for i in range(0, len(entry.digest), 4)]
    yield text(f"Digest   {' '.join(groups[:8])}")
    yield text(f"         {' '.join(groups[8:])}")
    signed = {"verified": "by the key of this host", "not checked": "signed; this host has no key to check it with"}
    yield text(clip(f"Signed   {signed.get(entry.signature, 'no')}", width))
    source = f"{entry.file_name} ({entry.origin})" if entry.file_name else "another host, linked with this one"
    yield text(clip(f"From     {source}", width))
    for ref in entry.images or entry.needs_images:
        yield text(clip(f"Image    {ref}", width))


def import_rows(content: Content, width: int) -> Iterator[Row]:
    """The import that runs or waits, or why the last one failed."""
    one = content.current
    if one is None or one.state in ("done", "cancelled"):
        return
    share = f"{100 * one.done // one.total} %" if one.total else ""
    if one.state == "running":
        left = f", {left_words(one.seconds_left)} left" if one.seconds_left >= 0 else ""
        yield marked("..", clip(f"Import of {one.name}: {share or 'begins'}{left}", width - 3))
        yield text(clip(f"   {one.doing}", width))
    elif one.state == "paused":
        yield marked("!", clip(f"Import of {one.name}: paused{f' at {share}' if share else ''}; P goes on", width - 3))
    elif one.state == "undoing":
        yield marked("..", clip(f"Import of {one.name}: being given up", width - 3))
    else:
        yield from keyed(wrapped(f"Import of {one.name} failed: {one.code} {one.message}", width, "x"), one.code)


def room_rows(content: Content, width: int) -> Iterator[Row]:
    from tui.services.content.store import size_words

    yield text(f"Disk: {size_words(content.free)} free of {size_words(content.capacity)}")
    if content.key:
        yield from wrapped("This host takes only what is signed with the key of its installer.", width)


def left_words(seconds: float) -> str:
    """Time left, as coarse as it is known."""
    if seconds < 60:
        return f"{max(1, round(seconds / 5) * 5)} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def contract_rows(view: View, width: int) -> Iterator[Row]:
    """What an agent that knows the contract alone tells."""
    if view.uploaded is not None:
        from tui.services.content.store import size_words

        last = view.uploaded
        yield marked("ok", clip(f"last upload: {last.file_name}, {size_words(last.size_in_bytes)}", width - 3))
        yield text(clip(f"   {last.sha256_hash}", width))
    for origin, found in view.archives:
        for profile in found.cluster_profile_details:
            packs = ", ".join(f"{p.name} {p.version}" for p in profile.packs)
            name = f"{profile.profile_name} {profile.profile_version} ({origin})"
            yield marked("ok", clip(f"definition {name}: {packs}", width - 3))
    for item in view.registry:
        yield text(clip(f"   {item.content_type} {item.name} {item.version}  {item.size}", width))
    if view.uploaded is None and not view.archives and not view.registry:
        yield text("none yet; I uploads one from a file of this console's host")
    yield BLANK
    words = "a list with sizes and signatures, imports from a stick that can be paused, what is missing, disk space"
    yield from wrapped(f"Not offered by this agent: {'; '.join((words, *view.not_offered))}.", width, "-")
