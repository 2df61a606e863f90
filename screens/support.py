"""Support: what leaves this host for whoever helps, and by which way?

The person standing here was asked for "the logs". They see what is in the bundle before it is written, look into a
member if they want to, and take the way that this site allows: a stick, a file, a link for one download.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.worker import Worker

from screens.trust_ask import AskScreen
from screens.trust_judged import issue_rows
from tui.models.certificate import groups
from tui.models.change import Issue, Refused
from tui.models.facts import main_address
from tui.services import draft
from tui.services.support import leaving, pack
from tui.services.support.collect import collect
from tui.session import Session
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.models.support import Bundle, Member, Offered
    from tui.services.trust.sticks import Stick

STEPS = 10
"""Times that the progress is painted at most: lines may be slow."""


class Cancelled(Exception):
    """The person has left; raised in the thread that works for them."""


class SupportScreen(Place):
    NAME = "log"
    IS_PLACE = False
    HELP_TEXT = (
        "What is listed is what is written, with secrets masked as ***; Enter looks into a line. F writes a file on "
        "this host, U a stick, H opens a link that can be fetched once within ten minutes. Esc ends what is under way."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "stick", "to a stick", key_display="U"),
        Binding("f", "file", "to a file", key_display="F"),
        Binding("h", "link", "HTTPS link", key_display="H"),
        Binding("enter", "look", "look into it", key_display="Enter"),
        Binding("escape,ctrl+g", "leave_page", "back", key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.bundle: Bundle | None = None
        self.doing = ""
        self.progress = (0, 0)
        self.result: tuple[str, str] = ("", "")
        self.refused: tuple[Issue, ...] = ()
        self.sticks: Sequence[Stick] | None = None
        """The sticks to choose from, while that is the question."""
        self.offered: Offered | None = None
        self.working: Worker[None] | None = None
        self.stop = threading.Event()

    def on_mount(self) -> None:
        super().on_mount()
        self._begin("Collecting", self._collect)

    def on_unmount(self) -> None:
        self.stop.set()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("stick", "file", "link"):
            return self.bundle is not None and not self.doing and self.offered is None and self.sticks is None
        if action == "look":
            return not self.doing and self.offered is None
        return True

    # --- what is shown ---------------------------------------------------------------------------------------------

    def update(self) -> None:
        self.page.show(list(self._rows(self.text_width)))
        self.refresh_bindings()

    def _rows(self, width: int) -> Iterator[Row]:
        if self.offered is not None:
            yield from self._link_rows(self.offered, width)
            return
        if self.sticks is not None:
            yield from self._stick_rows(self.sticks, width)
            return
        yield heading("Support bundle: what leaves this host")
        done, whole = self.progress
        if self.doing:
            part = f": {100 * done // whole} %" if whole else ""
            yield marked("..", f"{self.doing}{part}. Esc cancels.")
        if self.result[1]:
            yield from wrapped(self.result[1], width, self.result[0])
        yield from issue_rows(self.refused, width)
        if self.bundle is None:
            return
        if not self.doing and not self.result[1] and not self.refused:
            yield text("Nothing is written yet: U to a stick, F to a file, H by a link.")
        yield BLANK
        size = f"{self.bundle.size:>9} B  in all, uncompressed; masked at {self.bundle.hidden} places"
        yield text(clip(size, width))
        for member in self.bundle.members:
            yield Row((clip(f"{member.size:>9} B  {member.name:<26}  {member.what}", width),), member.name)

    def _stick_rows(self, sticks: Sequence[Stick], width: int) -> Iterator[Row]:
        yield heading("Which stick?")
        yield BLANK
        for stick in sticks:
            words = f"{stick.device}  {stick.label or 'no name'}, {stick.file_system}, {stick.size}"
            yield Row((clip(words, width),), stick.device)
        if not sticks:
            yield text("no stick that can be written; plug one in, then press Esc and U again")

    def _link_rows(self, offered: Offered, width: int) -> Iterator[Row]:
        yield heading("Link for one download")
        yield from wrapped(f"Open this address within {offered.seconds / 60:.0f} minutes; it works once:", width)
        yield BLANK
        for start in range(0, len(offered.url), width - 3):
            yield text(f"   {offered.url[start : start + width - 3]}")
        yield BLANK
        yield from wrapped("The browser warns of a certificate that it does not know. Compare its SHA-256:", width)
        yield BLANK
        quads = groups(offered.fingerprint)
        for number in range(0, len(quads), 8):
            yield text(f"   {' '.join(quads[number : number + 8])}")
        yield BLANK
        done, whole = self.progress
        sent = f"Being fetched: {100 * done // whole} %." if whole else "Nobody has fetched it yet."
        yield marked("..", f"{sent} Esc closes the link.")

    # --- what is done ----------------------------------------------------------------------------------------------

    def _begin(self, doing: str, job: Callable[[], Awaitable[None]]) -> None:
        self.stop = threading.Event()
        self.doing, self.progress, self.result, self.refused = doing, (0, 0), ("", ""), ()
        self.working = self.run_worker(self._guarded(job), group="support", exclusive=True, exit_on_error=False)
        self.update()

    async def _guarded(self, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except Refused as refused:
            self.refused = refused.issues
        except Cancelled:
            self.result = ("-", "Cancelled; nothing of it is left.")
        finally:
            self.doing, self.working, self.offered = "", None, None
            if self.is_mounted:
                self.update()

    def _told(self, stop: threading.Event, done: int, whole: int) -> None:
        """From a thread: so far; the work ends here where the person has left."""
        if stop.is_set():
            raise Cancelled
        if done * STEPS // max(1, whole) != self.progress[0] * STEPS // max(1, self.progress[1]):
            self.app.call_from_thread(self._show_progress, done, whole)

    def _show_progress(self, done: int, whole: int) -> None:
        self.progress = (done, whole)
        self.update()

    async def _collect(self) -> None:
        told, typed = partial(self._told, self.stop), draft.secrets(self.session.draft)
        self.bundle = await asyncio.to_thread(collect, self.session.host, told=told, extra=typed)
        self.update()
        self.page.show(self.page.rows, self.bundle.members[0].name)

    async def _packed(self) -> tuple[str, bytes]:
        assert self.bundle is not None  # noqa: S101 - no key leads here before
        now, told = self.session.host.clock.now(), partial(self._told, self.stop)
        return self.bundle.file_name, await asyncio.to_thread(pack.packed, self.bundle, now, told)

    async def _save(self, path: str) -> None:
        name, data = await self._packed()
        session, told = self.session, partial(self._told, self.stop)
        where = await leaving.to_file(session.host, path, name, data, told=told, who=session.who, line=session.line)
        self.result = ("ok", f"Written: {where} ({len(data)} B)")

    async def _write(self, stick: Stick) -> None:
        name, data = await self._packed()
        session, told = self.session, partial(self._told, self.stop)
        where = await leaving.to_stick(session.host, stick, name, data, told=told, who=session.who, line=session.line)
        self.result = ("ok", f"Written: {where} ({len(data)} B). The stick can be pulled out.")

    async def _offer(self) -> None:
        name, data = await self._packed()
        session = self.session
        main = session.facts.speaking if session.host.kind != "recorded" else None
        address = main_address(main).partition("/")[0] if main else ""
        peer = await leaving.by_link(
            session.host, address, name, data, self._link_opened, told=self._sent, who=session.who, line=session.line
        )
        self.result = ("ok", f"Fetched by {peer}; the link is closed.")

    def _link_opened(self, offered: Offered) -> None:
        self.offered, self.progress = offered, (0, 0)
        self.update()

    def _sent(self, done: int, whole: int) -> None:
        if done * STEPS // whole != self.progress[0] * STEPS // max(1, self.progress[1]):
            self._show_progress(done, whole)

    async def _look_for_sticks(self) -> None:
        from tui.services.support import stick
        from tui.services.trust import sticks

        found = await asyncio.to_thread(sticks.listed, self.session.host)
        self.sticks = [s for s in found if stick.writable(s)]

    # --- keys ------------------------------------------------------------------------------------------------------

    def action_file(self) -> None:
        from tui.models.support import FILE_FORM

        def typed(path: str) -> None:
            self._begin("Writing", partial(self._save, path))

        self.app.push_screen(
            WhereScreen(self.session, FILE_FORM, "Write the support bundle to", typed, typed=pack.FOLDER)
        )

    def action_stick(self) -> None:
        self._begin("Looking for sticks", self._look_for_sticks)

    def action_link(self) -> None:
        self._begin("Opening the link", self._offer)

    def action_look(self) -> None:
        key = self.page.key
        if self.sticks is not None:
            stick = next((s for s in self.sticks if s.device == key), None)
            if stick is not None:
                self.sticks = None
                self._begin(f"Writing to {stick.device}", partial(self._write, stick))
            return
        member = next((m for m in self.bundle.members if m.name == key), None) if self.bundle else None
        if member is not None:
            self.app.push_screen(MemberScreen(self.session, member))
        elif key:
            self.post_message(Explain(key))

    def action_leave_page(self) -> None:
        """One step back: what is under way ends, the question for a stick is taken back, or the page is left."""
        if self.working is not None:
            self.stop.set()
            if self.offered is not None:
                self.working.cancel()
                self.result = ("-", "The link is closed; nobody has fetched the bundle.")
            elif self.bundle is None:
                self.dismiss()
        elif self.sticks is not None:
            self.sticks = None
            self.update()
        else:
            self.dismiss()


class WhereScreen(AskScreen):
    """Which file? Asked from here, so that the column of places shows where one is."""

    NAME = "log"


class MemberScreen(Place):
    """What does this member say? Read it to somebody, or make sure that nothing is in it that must not leave."""

    NAME = "log"
    IS_PLACE = False
    HELP_TEXT = "One member of the support bundle, as it will be written; of a long one the end."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g", "leave_page", "back", key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]
    SHOWN = 2000
    """Lines."""

    def __init__(self, session: Session, member: Member) -> None:
        super().__init__(session)
        self.member = member

    def update(self) -> None:
        width = self.text_width
        rows = [
            heading(clip(self.member.name, width)),
            *wrapped(f"{self.member.what}, {self.member.size} B", width),
            BLANK,
        ]
        for line in self.member.data.decode("utf-8", "replace").splitlines()[-self.SHOWN :]:
            plain = "".join(c if " " <= c <= "~" else "?" for c in line.expandtabs(4))
            rows += [text(plain[at : at + width]) for at in range(0, max(1, len(plain)), width)]
        self.page.show(rows)

    def action_leave_page(self) -> None:
        self.dismiss()
