"""Kubeconfig: to a stick or to a file? Who has it may do everything in the cluster, so it is never shown here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from screens.cluster_page import AgentPage
from tui.models.form import Field, Form
from tui.session import Session
from tui.widgets.page import BLANK, Row, clip, text, wrapped

if TYPE_CHECKING:
    from tui.services.trust.sticks import Stick

FILE = Form("cluster", "Into which file?", (
    Field("path", "text", "Path", "/root/shop-12.kubeconfig", help="A file or a folder; readable by root alone."),
))  # fmt: skip


class KubeconfigScreen(AgentPage):
    TITLE_WORDS = "Kubeconfig"
    SECONDS = 0.0
    HELP_TEXT = (
        "Who has the kubeconfig may do everything in the cluster. It is written to a stick, or to a file of root's "
        "alone that somebody copies by SSH. Keep it like a key."
    )

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.sticks: Sequence[Stick] = ()

    @property
    def file_name(self) -> str:
        reading = self.session.cluster
        name = reading.standing.name if reading else ""
        plain = "".join(c for c in name if c.isalnum() or c in "-_")
        return f"{plain or 'cluster'}.kubeconfig"

    async def load(self) -> None:
        from tui.services.support import stick
        from tui.services.trust import sticks

        found = await asyncio.to_thread(sticks.listed, self.session.host)
        self.sticks = tuple(s for s in found if stick.writable(s))

    def rows(self) -> Iterable[Row]:
        yield from wrapped("Who has it may do everything in the cluster. It is not shown here.", self.text_width)
        yield BLANK
        for stick in self.sticks:
            words = f"To the stick {stick.device}  {stick.label or 'no name'}, {stick.file_system}, {stick.size}"
            yield Row((clip(words, self.text_width),), stick.device)
        if not self.sticks:
            yield text("no stick that can be written; plug one in, R looks again")
        yield Row(("To a file of this host",), "file")

    def chosen(self, key: str) -> None:
        from screens.cluster_ask import ClusterAskScreen
        from tui.services.cluster.kubeconfig import FOLDER

        stick = next((s for s in self.sticks if s.device == key), None)
        if stick is not None:
            self.do("Writing...", partial(self._to_stick, stick))
        elif key == "file":
            typed = f"{FOLDER}/{self.file_name}"
            self.app.push_screen(ClusterAskScreen(self.session, FILE, FILE.title, self._typed, typed=typed))

    def _typed(self, path: str) -> None:
        self.do("Writing...", partial(self._to_file, path))

    async def _to_stick(self, stick: Stick) -> str:
        from tui.services.cluster.kubeconfig import fetched
        from tui.services.support import stick as sticks

        data = await fetched(await self.session.agent_client())
        where = await asyncio.to_thread(sticks.write, stick, self.file_name, data)
        return f"Written to {where}. The stick may be taken out."

    async def _to_file(self, path: str) -> str:
        from tui.services.cluster.kubeconfig import fetched
        from tui.services.support import pack

        data = await fetched(await self.session.agent_client())
        where = await asyncio.to_thread(pack.save, self.session.host, path, self.file_name, data)
        return f"Written to {where}, readable by root alone."
