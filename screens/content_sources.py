"""Where is the archive? On a stick or a disc, in an ISO image or in a folder of this host.

The person standing here chooses the one file; the import itself is watched in the place Content.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from screens.content import keyed
from tui.models.change import Issue, Refused
from tui.models.form import Field, Form
from tui.session import Session
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Page, Row, clip, heading, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.models.content_api import Offer, Stick, Where

FORM = Form(
    "content",
    "Folder, archive or ISO image",
    (
        Field(
            "path", "text", "Path", "/mnt/stick", needed=True,
            help="A folder of this host with archives in it, one archive (.tar.zst, .tgz), or an ISO image (.iso).",
        ),
    ),
)  # fmt: skip


class ContentSourcesScreen(Place):
    NAME = "content"
    CSS_PATH = "../styles/content.tcss"
    IS_PLACE = False
    AUTO_FOCUS = "#page"
    HELP_TEXT = (
        "Choose a stick or a folder, then the archive. Sticks are read without being mounted for anybody else. Where a "
        "file NAME.sig lies beside an archive, it is taken as its signature."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", key_display="Enter"),
        Binding("r", "look", "look again", key_display="R"),
        Binding("escape,ctrl+g", "leave_page", "back", key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session, *, offered: bool) -> None:
        super().__init__(session)
        self.offered = offered
        self.page = Page(id="page")
        self.sticks: list[Stick] | None = None if offered else []
        self.offers: list[Offer] | None = None
        self.where = ""
        self.doing = ""
        self.issue: Issue | None = None

    def body(self) -> Iterable[Widget]:
        yield self.page

    def on_mount(self) -> None:
        super().on_mount()
        if self.offered:
            self.action_look()

    def update(self) -> None:
        from tui.services.content.store import size_words

        width = self.text_width
        rows: list[Row] = [heading("Where is the archive?"), BLANK]
        for stick in self.sticks or ():
            words = f"Stick {stick.device}  {stick.label or 'no name'}, {stick.file_system}, {stick.size}"
            rows.append(Row((clip(words, width),), stick.device))
        if self.offered and not self.sticks:
            waiting = self.sticks is None
            rows.append(text("looking for sticks..." if waiting else "no stick; plug one in, R looks again"))
        words = "A folder, archive or ISO image of this host" if self.offered else "A file that this console can read"
        rows.append(Row((words,), "path"))
        if self.offers is not None:
            rows += [BLANK, heading(clip(f"Archives in {self.where}", width))]
            rows += [] if self.offers else [text("none; an archive ends in .tar.zst or .tgz")]
            for number, one in enumerate(self.offers):
                signed = ", with signature" if one.signed_beside else ""
                name = one.source.inside or one.name
                rows.append(Row((clip(f"{name}  {size_words(one.size)}{signed}", width),), f"offer {number}"))
        if self.doing:
            rows += [BLANK, text(self.doing)]
        if self.issue is not None:
            rows += [BLANK, *keyed(wrapped(f"{self.issue.code} {self.issue.text}", width, "x"), self.issue.code)]
            rows += list(wrapped(self.issue.remedy, width, indent=3))
        self.page.show(rows)

    # --- choosing --------------------------------------------------------------------------------------------------

    def action_choose(self) -> None:
        key = self.page.key
        stick = next((s for s in self.sticks or () if s.device == key), None)
        if stick is not None:
            self._do(f"Reading {stick.device}...", partial(self._open, self._where(stick), f"stick {stick.device}"))
        elif key == "path":
            self._ask_path()
        elif key.startswith("offer ") and self.offers is not None:
            self._do("Beginning...", partial(self._begin, self.offers[int(key.removeprefix("offer "))].source))
        elif key:
            self.post_message(Explain(key))

    def _where(self, stick: Stick) -> Where:
        from tui.models.content_api import Where

        return Where(device=stick.device, file_system=stick.file_system)

    def _ask_path(self) -> None:
        from screens.content_path import PathScreen
        from screens.trust_sources import usual_folder

        typed = usual_folder(self.session.host)
        self.app.push_screen(PathScreen(self.session, FORM, FORM.title, self._typed, typed=typed))

    def _typed(self, path: str) -> None:
        if self.offered:
            from tui.models.content_api import Where

            self._do("Reading...", partial(self._open, Where(path=path), path))
        else:
            self._do("Uploading...", partial(self._upload, path))

    def action_look(self) -> None:
        if self.offered:
            self._do("", self._find_sticks)

    def action_leave_page(self) -> None:
        self.dismiss()

    # --- the agent -------------------------------------------------------------------------------------------------

    def _do(self, doing: str, job: Callable[[], Awaitable[None]]) -> None:
        self.issue, self.doing = None, doing
        self.update()
        self._guarded(job)

    @work(group="content", exclusive=True, exit_on_error=False)
    async def _guarded(self, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except Refused as refused:
            self.issue = refused.issues[0]
        finally:
            self.doing = ""
            if self.is_mounted:
                self.update()

    async def _find_sticks(self) -> None:
        from tui.models import content_api as api
        from tui.services.content.view import SLOW

        client = await self.session.agent_client()
        first = self.sticks is None
        self.sticks = []
        self.sticks = (await client.call(api.STICKS, seconds=SLOW)).items
        self.update()
        if first and self.sticks:  # a stick that was plugged in is what one came with
            self.page.show(self.page.rows, self.sticks[0].device)

    async def _open(self, where: Where, name: str) -> None:
        from tui.models import content_api as api
        from tui.services.content.view import SLOW

        client = await self.session.agent_client()
        self.offers, self.where = (await client.call(api.LOOK, where, seconds=SLOW)).items, name
        self.update()
        if self.offers:
            self.page.show(self.page.rows, "offer 0")

    async def _begin(self, source: Where) -> None:
        from tui.models import content_api as api

        client = await self.session.agent_client()
        await client.call(api.IMPORT, source, seconds=30.0)
        self.dismiss()

    async def _upload(self, typed: str) -> None:
        """By the contract alone: the file goes over the line, as a bundle or as a definition by its ending."""
        from tui.models.contract import content, definition

        path = self.session.host.path(typed)
        if not path.is_file():
            raise Refused(Issue("B121", "error", "", f"{typed} is not a plain file.", "Choose the archive itself."))
        operation = definition.UPLOAD if path.suffix in (".tgz", ".gz") else content.UPLOAD
        size, beside = path.stat().st_size, path.with_name(path.name + ".sig")
        shares: set[int] = set()

        def told(done: int) -> None:
            share = 100 * done // max(1, size)
            if share // 5 not in shares:  # a word every five percent
                shares.add(share // 5)
                self.doing = f"Uploading {Path(typed).name}: {share} %"
                self.update()

        client = await self.session.agent_client()
        try:
            await client.upload(operation, path, beside if beside.is_file() else None, told)
        except OSError as error:
            text_ = f"{typed} cannot be read: {error.strerror}."
            raise Refused(Issue("B121", "error", "", text_, "Look whether it is there.")) from error
        self.dismiss()
