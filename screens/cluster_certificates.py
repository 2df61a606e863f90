"""Certificates of the cluster: until when do they hold, and shall they be renewed now?"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.cluster_page import BACK, HELP, AgentPage
from tui.services.cluster.members import SOON, Certificates
from tui.session import Session
from tui.widgets.dialog import Question
from tui.widgets.page import BLANK, Row, clip, marked, text, wrapped


class CertificatesScreen(AgentPage):
    TITLE_WORDS = "Certificates of the cluster"
    HELP_TEXT = (
        "Until when the cluster's own certificates hold, the first to end on top. N renews all of them; the control "
        "plane starts again for it, workloads go on."
    )
    SECONDS: ClassVar[float] = 30.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "renew", "renew now", key_display="N"),
        Binding("enter", "choose", show=False),
        Binding("r", "look", "ask again", key_display="R"),
        BACK,
        HELP,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.found = Certificates()

    async def load(self) -> None:
        from tui.models.contract import running
        from tui.services.cluster.members import certificates
        from tui.services.cluster.reading import SECONDS

        client = await self.session.agent_client()
        answer = await client.find(running.CERTIFICATES, seconds=SECONDS)
        self.found = certificates(answer.sent()) if answer is not None else Certificates()
        self.session.cluster_certificates(self.found)

    def rows(self) -> Iterable[Row]:
        now, width = self.session.host.clock.now(), self.text_width
        if not self.found.found:
            yield text("The agent names no certificate.")
            return
        if self.found.needs_renewal:
            yield from wrapped("They should be renewed now: N.", width, "!")
        if self.found.renews_itself:
            yield from wrapped(f"They are renewed by themselves from {self.found.renews_itself[:10]} on.", width)
        yield BLANK
        for number, one in enumerate(self.found.found):
            left = None if one.ends is None else one.ends - now
            mark = "" if left is None else "x" if left <= 0 else "!" if left < SOON else "ok"
            ends = one.ends_text if one.ends is None else time.strftime("%Y-%m-%d", time.gmtime(one.ends))
            words = "ended" if left is not None and left <= 0 else "" if left is None else f"{int(left // 86400)} days"
            line = f"{clip(one.name, 22):<23}{clip(one.node, 15):<16}{ends:<11}{words}"
            yield marked(mark, clip(line, width - 3), f"n{number}")

    def action_renew(self) -> None:
        words = "The control plane starts again, one host after the other. Workloads go on."
        self.app.push_screen(Question("Renew all certificates?", words, yes="Renew", no="Not now"), self._answered)

    def _answered(self, yes: bool | None) -> None:
        if yes:
            self.do("Asking the agent to renew them...", self._renew)

    async def _renew(self) -> str:
        from tui.models.contract import running

        client = await self.session.agent_client()
        await client.call(running.RENEW_CERTIFICATES, seconds=30.0)
        return "The agent renews them; the dates here change when it is done."
