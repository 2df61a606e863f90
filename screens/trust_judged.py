"""What was found in a file, a paste or on a server: is this the authority that I was told of?

The person standing here reads name and fingerprint, to somebody on the phone if it came over the network, and takes
one; or reads why it cannot be taken and what to ask for. Taking it changes nothing yet: it goes to Review.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.models.certificate import Certificate, Judged, groups
from tui.models.change import Issue
from tui.session import Session
from tui.widgets.dialog import Question
from tui.widgets.look import SEVERITY_MARKS
from tui.widgets.messages import DraftChanged, Explain
from tui.widgets.page import BLANK, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import Place

ALL = "take:"


class JudgedScreen(Place):
    """Judges some bytes and offers what may be taken.

    Args:
        source: where they came from, for the heading.
        compare: they came over the network, so that the fingerprint has to be compared before one is taken.
    """

    NAME = "trust"
    CSS_PATH = "../styles/trust.tcss"
    IS_PLACE = False
    HELP_TEXT = (
        "Enter on a certificate takes it into the draft; Enter on a line with a code explains it. Two people compare "
        "a fingerprint by phone: one reads the groups, the other looks at their own."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "trust this", key_display="Enter"),
        Binding("escape,ctrl+g", "leave_page", "back", key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session, source: str, data: bytes, *, compare: bool = False) -> None:
        super().__init__(session)
        self.source, self.data, self.compare = source, data, compare
        self.found: Judged | None = None

    def on_mount(self) -> None:
        super().on_mount()
        self.judge("")

    def judge(self, passphrase: str) -> None:
        self.found = None
        self.update()
        self._judge(passphrase)

    @work(group="trust", exclusive=True, exit_on_error=False)
    async def _judge(self, passphrase: str) -> None:
        from tui.services.trust import reading

        trusted = await asyncio.to_thread(reading.bundle, self.session.host)
        now = self.session.host.clock.now()
        self.found = await asyncio.to_thread(reading.judge, self.data, now, passphrase=passphrase, trusted=trusted)
        if "S111" in self.found.codes:
            self.data = b""  # nothing of a private key is kept, not even in memory
        first = next((ALL + c.sha256 for c in self._takeable()), None)
        self.update()
        self.page.show(self.page.rows, first)
        if "S117" in self.found.codes:
            self._ask_passphrase()

    def _ask_passphrase(self) -> None:
        from screens.trust_ask import AskScreen
        from tui.models.trust import PASSPHRASE_FORM

        self.app.push_screen(AskScreen(self.session, PASSPHRASE_FORM, self.source, self.judge))

    def _takeable(self) -> Iterator[Certificate]:
        """The likely one first: authorities that are not trusted yet, the root at the end of a chain."""
        if self.found is not None:
            new = [c for c in self.found.usable if not any(i.code == "S128" for i in self.found.about(c))]
            yield from sorted(new, key=lambda c: not c.self_signed)

    def update(self) -> None:
        self.page.show(list(self._rows()))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is offered to be trusted before it was looked into."""
        return action != "take" or self.found is not None

    def _rows(self) -> Iterator[Row]:
        width = self.text_width
        yield heading(clip(self.source, width))
        if self.found is None:
            yield text("looking into it...")
            return
        takeable = {c.sha256 for c in self._takeable()}
        if not takeable:
            yield from wrapped("Nothing of this can be added as an authority.", width, "x")
        elif self.compare:
            yield from wrapped("It came over the network: compare the fingerprint before you trust it.", width, "!")
        yield from issue_rows(self.found.whole, width)
        for number, certificate in enumerate(self.found.certificates, 1):
            yield BLANK
            mine = certificate.sha256 in takeable
            role = "root" if certificate.self_signed else "intermediate" if certificate.authority else "server"
            words = f"{number} of {len(self.found.certificates)}, {role}" if len(self.found.certificates) > 1 else role
            line = clip(f"{certificate.subject} ({words})", width - 3)
            yield marked("ok" if mine else "x", line, ALL + certificate.sha256 if mine else "")
            yield from certificate_rows(certificate, width, named=False)
            yield from issue_rows(self.found.about(certificate), width)

    def action_take(self) -> None:
        key = self.page.key
        if not key.startswith(ALL):
            if key:
                self.post_message(Explain(key))
            return
        certificate = next(c for c in self._takeable() if ALL + c.sha256 == key)
        if not self.compare:
            self._take(certificate)
            return
        words = f"{' '.join(groups(certificate.sha256))}  Compare all of it with its owner, by phone or on paper."
        question = Question("Is the fingerprint the same?", words, yes="Yes, the same", no="No")
        self.app.push_screen(question, lambda yes: self._take(certificate) if yes else None)

    def _take(self, certificate: Certificate) -> None:
        if not self.put(self.session.set_parts, trust=self.session.trust().including(certificate.pem)):
            return
        self.data = b""
        back_to_place(self)
        self.app.post_message(DraftChanged())

    def action_leave_page(self) -> None:
        self.data = b""
        self.dismiss()


def back_to_place(screen: Place) -> None:
    """Close all pages over the place that the import began from."""
    while isinstance(screen.app.screen, Place) and not screen.app.screen.IS_PLACE:
        screen.app.pop_screen()


def certificate_rows(certificate: Certificate, width: int, *, named: bool = True) -> Iterator[Row]:
    """What a person compares: issuer, days, fingerprint in groups of four, key and use."""
    if named:
        yield heading(clip(certificate.subject, width))
    if not certificate.self_signed:
        yield text(clip(f"   Issuer  {certificate.issuer}", width))
    yield text(f"   Valid   {_day(certificate.not_before)} to {_day(certificate.not_after)}")
    quads = groups(certificate.sha256)
    for number in range(0, len(quads), 8):
        lead = "SHA-256" if number == 0 else ""
        yield text(f"   {lead:<8}{' '.join(quads[number : number + 8])}")
    usage = ", ".join(u.replace("_", " ") for u in certificate.key_usage) or "not limited"
    yield text(clip(f"   Key     {certificate.key}, {certificate.signature or 'no hash'}; use: {usage}", width))


def issue_rows(issues: Iterable[Issue], width: int) -> Iterator[Row]:
    for issue in issues:
        first, *rest = wrapped(f"{issue.code} {issue.text} {issue.remedy}", width, SEVERITY_MARKS[issue.severity])
        yield first._replace(key=issue.code)
        yield from rest


def _day(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.gmtime(seconds))
    except (OverflowError, OSError, ValueError):
        return "?"
