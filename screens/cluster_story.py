"""Why: everything that is wrong with the cluster, the first cause on top, and what the agent said on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from screens.cluster_page import AgentPage, issue_rows, trouble_rows
from tui.widgets.page import BLANK, Row, heading, marked, text, wrapped


class StoryScreen(AgentPage):
    TITLE_WORDS = "Why"
    HELP_TEXT = (
        "Everything that is wrong, the cause of the others first, each with the words of the event that says so. "
        "Enter on a code opens its page. Below stands what the agent says of each step."
    )

    async def load(self) -> None:
        await self.session.read_cluster(thoroughly=True)

    def rows(self) -> Iterable[Row]:
        reading, width = self.session.cluster, self.text_width
        if reading is None:
            return
        if reading.issue is not None:
            yield from issue_rows((reading.issue,), width)
        for found in reading.standing.wrong:
            yield from trouble_rows(found, width, self.session.host.clock.now())
            yield BLANK
        if not reading.standing.wrong:
            yield text("Nothing is known to be wrong.")
            yield BLANK
        yield from issue_rows(reading.refused, width)
        yield from self._steps()

    def _steps(self) -> Iterator[Row]:
        reading = self.session.cluster
        said = [step for step in (reading.steps if reading else ()) if step.message]
        if said:
            yield heading("What the agent says of the steps")
        for number, step in enumerate(said):
            yield marked(step.mark, step.label, f"n{number}")
            yield from wrapped(step.message, self.text_width, indent=3)
