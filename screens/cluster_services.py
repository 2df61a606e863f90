"""Services: what does the cluster offer to others, and where?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.cluster_page import BACK, HELP, AgentPage
from tui.widgets.page import BLANK, Row, clip, heading, text


class ServicesScreen(AgentPage):
    TITLE_WORDS = "Services"
    HELP_TEXT = "Names, addresses and ports at which the cluster is reached from outside."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", show=False),  # only what is wrong can be opened here
        Binding("r", "look", "ask again", key_display="R"),
        BACK,
        HELP,
    ]

    async def load(self) -> None:
        await self.session.read_cluster()

    def rows(self) -> Iterable[Row]:
        from tui.services.cluster.members import services

        reading = self.session.cluster
        found = services(reading.details) if reading else ()
        if not found:
            yield text("The cluster offers nothing to others.")
            return
        yield BLANK
        yield heading(f"{'Name':<26}{'Address':<18}Ports")
        for number, (name, address, ports) in enumerate(found):
            yield Row((clip(f"{clip(name, 25):<26}{address:<18}{ports}", self.text_width),), f"n{number}")
