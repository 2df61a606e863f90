"""The certificate of this host: what do people see who open its management page, and shall it be another one?

The person standing here reads the fingerprint to somebody whose browser warns, or brings the certificate that their
company made for this host, with its key, on a stick.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from screens.trust_files import FilesScreen
from screens.trust_judged import back_to_place, certificate_rows, issue_rows
from screens.trust_sources import SourcesScreen
from tui.services.trust import folder, server
from tui.services.trust.folder import Found
from tui.session import Session
from tui.widgets.messages import DraftChanged, Explain
from tui.widgets.page import BLANK, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.services.trust.server import Pair

ENDINGS = (*folder.ENDINGS, ".key")
TAKE = "take"


class ServerScreen(Place):
    NAME = "trust"
    CSS_PATH = "../styles/trust.tcss"
    IS_PLACE = False
    HELP_TEXT = (
        "What this host presents to those who open its management page. A browser that does not know it shows the same "
        "SHA-256. I takes a certificate with its key from a stick or folder, N makes a new one for the names and "
        "addresses of today. Nothing changes before Review."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "import", "import", key_display="I"),
        Binding("n", "make", "make a new one", key_display="N"),
        Binding("enter", "explain", "explain", key_display="Enter"),
        Binding("escape,ctrl+g", "leave_page", "back", key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.pair: Pair | None = None

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._look()

    @work(group="trust", exclusive=True, exit_on_error=False)
    async def _look(self) -> None:
        self.pair = await self.session.server_certificate()
        self.update()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.page.key) if action == "explain" else True

    def update(self) -> None:
        self.page.show(list(self._rows(self.text_width)))
        self.refresh_bindings()

    def _rows(self, width: int) -> Iterator[Row]:
        yield heading("Certificate of this host")
        if self.pair is None:
            yield text("reading...")
            return
        if self.session.draft is not None and self.session.draft.server is not None:
            yield marked("..", "another one is in the draft; see Review")
        if not self.pair.chain:
            if not self.pair.issues:
                yield from wrapped("None yet: the agent makes one when HTTPS is switched on. N makes one now.", width)
        else:
            yield from pair_rows(self.pair, width)
        yield from issue_rows(self.pair.issues, width)

    def action_import(self) -> None:
        self.app.push_screen(ServerSourcesScreen(self.session))

    @work(group="trust", exclusive=True, exit_on_error=False)
    async def action_make(self) -> None:
        pair = await asyncio.to_thread(server.anew, self.session.facts, self.session.host.clock.now())
        if self.is_mounted and pair.usable:
            self.session.set_parts(server=pair.config)
            back_to_place(self)
            self.app.post_message(DraftChanged())

    def action_explain(self) -> None:
        self.post_message(Explain(self.page.key))

    def action_leave_page(self) -> None:
        self.dismiss()


def pair_rows(pair: Pair, width: int) -> Iterator[Row]:
    """The certificate, its names, and how many issuers go with it."""
    yield from certificate_rows(pair.chain[0], width)
    yield from wrapped(f"For {', '.join(pair.chain[0].names) or 'no name'}", width, indent=3)
    if len(pair.chain) > 1:
        yield text(clip(f"   With {', '.join(c.subject for c in pair.chain[1:])}", width))


class ServerSourcesScreen(SourcesScreen):
    """On a stick, or in a folder? A key comes over no network and by no clipboard."""

    TITLE = "Where are the certificate and its key?"
    WAYS = (("folder", "A folder or file of this host"),)
    ENDINGS = ENDINGS

    def show_files(self, source: str, found: Sequence[Found], where: str = "") -> None:
        self.app.push_screen(ServerFilesScreen(self.session, source, found, where))


class ServerFilesScreen(FilesScreen):
    """Which file is the certificate? Its key is looked for in all of them."""

    HELP_TEXT = "Enter looks into a file. Its key may be in the same file or in any other one of this list."

    @work(group="trust", exclusive=True, exit_on_error=False)
    async def _open(self, file: Found) -> None:
        others = await asyncio.to_thread(self._others, file)
        data = await self.content(file)
        if data is not None:
            self.app.push_screen(PairScreen(self.session, file.name, data, others))

    def _others(self, chosen: Found) -> list[bytes]:
        """What lies beside it; a single file that was typed has its folder for that."""
        found = list(self.found)
        if self.where and len(found) == 1 and Path(self.where).is_file():
            top = Path(self.where).parent
            found = [Found(str(top / f.name), f.size) for f in folder.look(top, ENDINGS)]
        kept: list[bytes] = []
        for file in found:
            if file is not chosen:
                try:
                    kept.append(self._bytes(file))
                except OSError:
                    continue
        return kept


class PairScreen(Place):
    """Is this the certificate that was made for this host?"""

    NAME = "trust"
    CSS_PATH = "../styles/trust.tcss"
    IS_PLACE = False
    HELP_TEXT = "Enter takes certificate and key into the draft; Enter on a line with a code explains it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "use this", key_display="Enter"),
        Binding("escape,ctrl+g", "leave_page", "back", key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session, source: str, data: bytes, others: Sequence[bytes]) -> None:
        super().__init__(session)
        self.source, self.data, self.others = source, data, others
        self.pair: Pair | None = None

    def on_mount(self) -> None:
        super().on_mount()
        self.judge("")

    def judge(self, passphrase: str) -> None:
        self.pair = None
        self.update()
        self._judge(passphrase)

    @work(group="trust", exclusive=True, exit_on_error=False)
    async def _judge(self, passphrase: str) -> None:
        from tui.services.trust import server

        now = self.session.host.clock.now()
        self.pair = await asyncio.to_thread(server.judge, self.data, now, passphrase=passphrase, others=self.others)
        self.update()
        self.page.show(self.page.rows, TAKE)
        if any(issue.code == "S117" for issue in self.pair.issues):
            from screens.trust_ask import AskScreen
            from tui.models.trust import PASSPHRASE_FORM

            self.app.push_screen(AskScreen(self.session, PASSPHRASE_FORM, self.source, self.judge))

    def update(self) -> None:
        self.page.show(list(self._rows(self.text_width)))

    def _rows(self, width: int) -> Iterator[Row]:
        yield heading(clip(self.source, width))
        if self.pair is None:
            yield text("looking into it...")
            return
        if self.pair.usable:
            yield marked("ok", "certificate and key belong together", TAKE)
        else:
            yield from wrapped("Nothing of this can be used for this host.", width, "x")
        yield from issue_rows(self.pair.issues, width)
        if self.pair.chain:
            yield BLANK
            yield from pair_rows(self.pair, width)

    def action_take(self) -> None:
        if self.pair is not None and self.page.key == TAKE:
            self.session.set_parts(server=self.pair.config)
            self._forget()
            back_to_place(self)
            self.app.post_message(DraftChanged())
        elif self.page.key:
            self.post_message(Explain(self.page.key))

    def _forget(self) -> None:
        self.pair, self.data, self.others = None, b"", ()

    def action_leave_page(self) -> None:
        self._forget()
        self.dismiss()
