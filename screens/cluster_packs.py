"""Packs: what runs on the cluster, and which part of it does not come up?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from screens.cluster_page import AgentPage, issue_rows, trouble_rows
from screens.explain import ExplainScreen
from tui.widgets.page import BLANK, Row, clip, heading, marked, text

if TYPE_CHECKING:
    from tui.services.cluster.members import Pack


class PacksScreen(AgentPage):
    TITLE_WORDS = "Packs"
    HELP_TEXT = "The parts of the definition as they run, those with trouble first. Enter shows all about one."
    SECONDS: ClassVar[float] = 15.0

    async def load(self) -> None:
        await self.session.read_cluster(thoroughly=True)

    def rows(self) -> Iterable[Row]:
        reading, width = self.session.cluster, self.text_width
        if reading is None:
            return
        if not reading.packs:
            offered = [i for i in reading.refused if "applications" in i.text]
            yield from issue_rows(offered, width)
            if not offered:
                yield text("The agent names no pack.")
            return
        order = {"x": 0, "..": 1, "-": 2, "ok": 3}
        for number, pack in sorted(enumerate(reading.packs), key=lambda p: order.get(p[1].mark, 9)):
            yield line(pack, width, str(number))

    def chosen(self, key: str) -> None:
        reading = self.session.cluster
        packs = reading.packs if reading else ()
        if key.isdigit() and int(key) < len(packs):
            rows = details(packs[int(key)], self.text_width, self.session.host.clock.now())
            self.app.push_screen(ExplainScreen(self.session, list(rows)))


def line(pack: Pack, width: int, key: str) -> Row:
    images = f"{pack.synced} of {pack.contents}" if pack.contents else ""
    words = f"{clip(pack.name, 21):<22}{clip(pack.version, 11):<12}{clip(pack.status, 13):<14}{images}"
    return marked(pack.mark, clip(words, width - 3), key)


def details(pack: Pack, width: int, now: float) -> Iterator[Row]:
    """All about one pack."""
    yield heading(f"{pack.name} {pack.version}  {pack.mark} {pack.status}")
    for label, value in (("Layer", pack.layer), ("Profile", pack.profile)):
        if value:
            yield text(f"{label:<10}{clip(value, width - 10)}")
    if pack.contents:
        yield text(f"{'Images':<10}{pack.synced} of {pack.contents} are there")
    yield BLANK
    if pack.wrong is not None:
        yield from trouble_rows(pack.wrong, width, now)
    else:
        yield text("Nothing is known to be wrong with it.")
