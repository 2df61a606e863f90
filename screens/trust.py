"""Certificates: whom does this host believe, beyond what its distribution believes?

The person standing here was told "the proxy opens TLS" or "the registry has our own CA". They see which authorities
were added to this host, add the one of their company without typing it, and try whether a server is believed now.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from screens.trust_judged import certificate_rows
from tui.models.certificate import SOON
from tui.services.trust.reading import Installed
from tui.session import Session
from tui.widgets.messages import DraftChanged, Explain
from tui.widgets.page import Page, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import Place


class TrustScreen(Place):
    NAME = "trust"
    CSS_PATH = "../styles/trust.tcss"
    AUTO_FOCUS = "#list"
    HELP_TEXT = (
        "The authorities (CA) that this host trusts beyond those of its distribution. I imports one from a stick, a "
        "folder, a URL, a server or by paste; D takes one away or leaves it after all; T asks the programs of this "
        "host whether they believe a server; H shows the certificate of this host itself. Nothing changes before "
        "Review."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "import", "import", key_display="I"),
        Binding("d", "remove", "remove", key_display="D"),
        Binding("t", "try", "try a server", key_display="T"),
        Binding("h", "host", "this host", key_display="H"),
        Binding("enter,space", "details", "details", key_display="Enter"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.list = Page(id="list")
        self.details = Page(id="details")
        self.shown = ""

    def body(self) -> Iterable[Widget]:
        yield self.list
        yield self.details

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.look()

    def look(self) -> None:
        """Read the certificates anew; the parser child takes a moment."""
        self._look()

    @work(group="trust", exclusive=True, exit_on_error=False)
    async def _look(self) -> None:
        if await self.session.read_authorities():
            self.refresh_all()

    def update(self) -> None:
        rows = list(self._rows())
        self.list.show(rows)
        self.list.styles.height = min(max(3, len(rows)), max(3, self.app.size.height - 14))
        self._show_details()

    def _rows(self) -> Iterator[Row]:
        yield heading("Authorities (CA) beyond the distribution")
        found, width = self.session.authorities, self.text_width
        if not self.session.facts.trust.store:
            yield from wrapped("This host has no trust store that Onsite knows; see S150 in Help.", width, "!")
        elif found is None:
            yield text("reading...")
        elif not found and not self._drafted():
            yield text("none; I imports one")
        kept = self.session.trust().authorities if found is not None else ()
        for one in found or ():
            yield _row(one, self.session.host.clock.now(), width, kept)
        for subject in self._drafted():
            yield marked("..", clip(f"{subject}: not applied, see Review", width - 3))

    def _drafted(self) -> list[str]:
        """Subjects of what the draft adds."""
        if self.session.draft is None or self.session.draft.trust is None:
            return []
        return [d.label for d in self.session.plan().differences if d.subject == "CA" and d.before == "not trusted"]

    @property
    def current(self) -> Installed | None:
        return next((x for x in self.session.authorities or () if x.path == self.list.key), None)

    def action_details(self) -> None:
        self.shown = self.list.key
        self._show_details()

    def _show_details(self) -> None:
        found = self.session.authorities or ()
        one = next((x for x in found if x.path == (self.shown or self.list.key)), None)
        width = self.text_width
        rows: list[Row] = []
        if one is not None and one.certificate is not None:
            rows = [*certificate_rows(one.certificate, width), *wrapped(f"File {one.path}", width)]
            rows += wrapped(f"Believed by {', '.join(one.consumers)}", width)
        elif one is not None:
            rows = list(wrapped(f"{one.path} cannot be read as a certificate.", width, "!"))
        if one is not None and not one.ours:
            rows += wrapped("Somebody else put it there; Onsite does not take it away.", width, "-")
        self.details.show(rows)
        self.details.can_focus = len(rows) > self.details.size.height > 0

    # --- what is done ----------------------------------------------------------------------------------------------

    def action_import(self) -> None:
        from screens.trust_sources import SourcesScreen

        self.app.push_screen(SourcesScreen(self.session))

    def action_host(self) -> None:
        from screens.trust_server import ServerScreen

        self.app.push_screen(ServerScreen(self.session))

    def action_try(self) -> None:
        from screens.trust_proof import ask_server

        ask_server(self)

    def action_remove(self) -> None:
        """Take one away with the next change, or leave it after all."""
        one = self.current
        if one is None or one.certificate is None:
            return
        if not one.ours:
            self.post_message(Explain("S157"))
            return
        trust, pem = self.session.trust(), one.certificate.pem
        if self.put(
            self.session.set_parts, trust=trust.without(pem) if pem in trust.authorities else trust.including(pem)
        ):
            self.app.post_message(DraftChanged())


def _row(one: Installed, now: float, width: int, kept: tuple[str, ...]) -> Row:
    certificate = one.certificate
    if certificate is None:
        return marked("x", clip(f"{one.path}: cannot be read", width - 3), one.path)
    mark = "x" if certificate.not_after <= now else "!" if certificate.not_after - now < SOON else "ok"
    day = time.strftime("%Y-%m-%d", time.gmtime(certificate.not_after))
    words = f"{'ended' if mark == 'x' else 'ends'} {day}"
    if one.ours and certificate.pem not in kept:
        mark, words = "-", "goes away, see Review"
    room = max(10, width - 5 - len(words))
    return marked(mark, f"{clip(certificate.subject, room):<{room}}  {words}", one.path)
