"""Which of these files is the certificate?

The person standing here sees what is on their stick, by name, and opens one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from screens.trust_judged import JudgedScreen, issue_rows
from tui.models.change import Issue
from tui.services.trust import folder
from tui.services.trust.folder import Found
from tui.session import Session
from tui.widgets.page import BLANK, Row, clip, heading, text, wrapped
from tui.widgets.place import Place


class FilesScreen(Place):
    """Files of a stick (already read) or of a folder (read when chosen)."""

    NAME = "trust"
    CSS_PATH = "../styles/trust.tcss"
    IS_PLACE = False
    HELP_TEXT = "Enter looks into a file; nothing is taken by that. Only files that end like certificates are listed."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "look into it", key_display="Enter"),
        Binding("escape,ctrl+g", "leave_page", "back", key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "help", key_display="^Y"),
    ]

    def __init__(self, session: Session, source: str, found: Sequence[Found], where: str = "") -> None:
        super().__init__(session)
        self.source, self.found, self.where = source, found, where
        self.refused: tuple[Issue, ...] = ()

    def update(self) -> None:
        width = self.text_width
        rows = [heading(clip(self.source, width)), BLANK]
        shown = [(n, "".join(c if c.isprintable() else "?" for c in file.name)) for n, file in enumerate(self.found)]
        rows += [
            Row((f"{clip(name, width - 12):<{width - 12}}{self.found[n].size:>9} B",), str(n)) for n, name in shown
        ]
        if not self.found:
            rows.append(text("no certificate here"))
            rows += wrapped(f"Files that end in {', '.join(folder.ENDINGS)} would be listed.", width)
        rows += [BLANK, *issue_rows(self.refused, width)] if self.refused else []
        self.page.show(rows)

    def action_open(self) -> None:
        if self.page.key.isdigit():
            self._open(self.found[int(self.page.key)])

    @work(group="trust", exclusive=True, exit_on_error=False)
    async def _open(self, file: Found) -> None:
        data = await self.content(file)
        if data is not None:
            self.app.push_screen(JudgedScreen(self.session, file.name, data))

    async def content(self, file: Found) -> bytes | None:
        """The bytes of a file; None where it cannot be read, which is said then."""
        try:
            return await asyncio.to_thread(self._bytes, file)
        except OSError as error:
            words = f"{file.name} cannot be read: {error.strerror}."
            self.refused = (Issue("S141", "error", "", words, "Choose another file."),)
            self.update()
            return None

    def _bytes(self, file: Found) -> bytes:
        if file.data is not None:
            return file.data
        top = Path(self.where)
        return folder.read(top / file.name if top.is_dir() else top)

    def action_leave_page(self) -> None:
        self.dismiss()
