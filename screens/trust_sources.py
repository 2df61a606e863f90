"""Where is the certificate? On a stick, in a folder, on the web, on the server itself, or in the clipboard.

The person standing here has it somewhere and should not have to type it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from screens.trust_judged import JudgedScreen, issue_rows
from tui.models.change import Issue, Refused
from tui.services.trust.folder import ENDINGS
from tui.session import Session
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Row, clip, heading, text
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.models.form import Form
    from tui.services.host import Host
    from tui.services.trust.folder import Found
    from tui.services.trust.sticks import Stick

WAYS = (
    ("folder", "A folder or file of this host"),
    ("url", "A URL"),
    ("server", "What a server, or the proxy before it, presents"),
    ("paste", "Paste it here"),
)


class SourcesScreen(Place):
    TITLE = "Where is the certificate?"
    WAYS: ClassVar[tuple[tuple[str, str], ...]] = WAYS
    ENDINGS: ClassVar[tuple[str, ...]] = ENDINGS
    """Of the files that are looked at."""
    NAME = "trust"
    CSS_PATH = "../styles/trust.tcss"
    IS_PLACE = False
    HELP_TEXT = (
        "Choose where the certificate comes from. Sticks are read without being mounted for anybody else; plug one in "
        "and press R. Several certificates may be in one file."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", key_display="Enter"),
        Binding("r", "look", "look again", key_display="R"),
        Binding("escape,ctrl+g", "leave_page", "back", key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.sticks: Sequence[Stick] | None = None
        self.doing = ""
        self.refused: tuple[Issue, ...] = ()

    def on_mount(self) -> None:
        super().on_mount()
        self.action_look()

    def action_look(self) -> None:
        self._look()

    @work(group="trust", exclusive=True, exit_on_error=False)
    async def _look(self) -> None:
        from tui.services.trust import sticks

        first = self.sticks is None
        self.sticks = await asyncio.to_thread(sticks.listed, self.session.host)
        self.update()
        if first and self.sticks:  # a stick that was plugged in is what one came with
            self.page.show(self.page.rows, self.sticks[0].device)

    def update(self) -> None:
        rows = [heading(self.TITLE), BLANK]
        for stick in self.sticks or ():
            words = f"Stick {stick.device}  {stick.label or 'no name'}, {stick.file_system}, {stick.size}"
            rows.append(Row((clip(words, self.text_width),), stick.device))
        if not self.sticks:
            rows.append(
                text("looking for sticks..." if self.sticks is None else "no stick; plug one in, R looks again")
            )
        rows += [Row((words,), way) for way, words in self.WAYS]
        if self.doing:
            rows += [BLANK, text(self.doing)]
        if self.refused:
            rows += [BLANK, *issue_rows(self.refused, self.text_width)]
        self.page.show(rows)

    # --- choosing --------------------------------------------------------------------------------------------------

    def action_choose(self) -> None:
        from tui.models import trust

        key = self.page.key
        stick = next((s for s in self.sticks or () if s.device == key), None)
        if stick is not None:
            self._do(f"Reading {stick.device}...", partial(self._read_stick, stick))
        elif key == "folder":
            self._ask(trust.FOLDER_FORM, self._folder_typed, usual_folder(self.session.host))
        elif key == "url":
            self._ask(trust.URL_FORM, self._url_typed)
        elif key == "server":
            self._ask(trust.SERVER_FORM, self._server_typed)
        elif key == "paste":
            from screens.trust_paste import PasteScreen

            self.app.push_screen(PasteScreen(self.session))
        elif key:
            self.post_message(Explain(key))

    def _ask(self, form: Form, then: Callable[[str], None], typed: str = "") -> None:
        from screens.trust_ask import AskScreen

        self.app.push_screen(AskScreen(self.session, form, form.title, then, typed=typed))

    def _do(self, doing: str, job: Callable[[], Awaitable[None]]) -> None:
        self.refused, self.doing = (), doing
        self.update()
        self._guarded(job)

    @work(group="trust", exclusive=True, exit_on_error=False)
    async def _guarded(self, job: Callable[[], Awaitable[None]]) -> None:
        """What a source refuses is said here; typed text is asked for again by Enter."""
        try:
            await job()
        except Refused as refused:
            self.refused = refused.issues
        finally:
            self.doing = ""
            self.update()

    async def _read_stick(self, stick: Stick) -> None:
        from tui.services.trust import sticks

        self.show_files(
            f"Stick {stick.device} {stick.label}".strip(), await asyncio.to_thread(sticks.read, stick, self.ENDINGS)
        )

    def _folder_typed(self, path: str) -> None:
        self._do("Reading...", partial(self._read_folder, path))

    async def _read_folder(self, path: str) -> None:
        from tui.services.trust import folder

        where = self.session.host.path(path)
        self.show_files(path, await asyncio.to_thread(folder.opened, path, where, self.ENDINGS), str(where))

    def _url_typed(self, url: str) -> None:
        self._do("Fetching...", partial(self._fetch, url))

    async def _fetch(self, url: str) -> None:
        from tui.services.trust import reach

        proxy = reach.upstream(self.session.draft, self.session.facts)
        data = await reach.fetched(url, proxy)
        self.app.push_screen(JudgedScreen(self.session, url, data, compare=True))

    def _server_typed(self, server: str) -> None:
        self._do("Asking the server...", partial(self._ask_server, server))

    async def _ask_server(self, text_: str) -> None:
        import ssl

        from tui.services.trust import reach

        where = reach.server(text_)
        chain = await reach.presented(where, reach.upstream(self.session.draft, self.session.facts))
        data = "".join(ssl.DER_cert_to_PEM_cert(der) for der in chain).encode()
        self.app.push_screen(JudgedScreen(self.session, f"Presented by {where}", data, compare=True))

    def show_files(self, source: str, found: Sequence[Found], where: str = "") -> None:
        from screens.trust_files import FilesScreen

        self.app.push_screen(FilesScreen(self.session, source, found, where))

    def action_leave_page(self) -> None:
        self.dismiss()


def usual_folder(host: Host) -> str:
    """What one would type: where a stick of this host is mounted, if one is."""
    for top in ("/mnt", "/media", "/run/media"):
        try:
            if any(host.path(top).iterdir()):
                return top
        except OSError:
            continue
    return ""
