"""Events: what happened, newest first, and only what has certain words?"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from screens.cluster_page import BACK, HELP, AgentPage
from screens.explain import ExplainScreen
from tui.models.form import Field, Form
from tui.session import Session
from tui.widgets.page import Row, clip, heading, marked, text, wrapped

if TYPE_CHECKING:
    from tui.services.cluster.events import Event, Events

FILTER = Form(
    "cluster",
    "Which events?",
    (Field("words", "text", "Words", "warning etcd", help="Events with all of these words. Empty: all of them."),),
)


class EventsScreen(AgentPage):
    TITLE_WORDS = "Events"
    HELP_TEXT = (
        "What Kubernetes and the agent said, newest first. F shows only those with certain words, such as warning, a "
        "name of a node or a pod. Enter shows the whole of one."
    )
    SECONDS: ClassVar[float] = 15.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "all of it", key_display="Enter"),
        Binding("f", "filter", "by words", key_display="F"),
        Binding("r", "look", "ask again", key_display="R"),
        BACK,
        HELP,
    ]

    def __init__(self, session: Session, words: str = "") -> None:
        super().__init__(session)
        self.words = words
        self.said: Events | None = None
        self.found: tuple[Event, ...] = ()

    async def load(self) -> None:
        from tui.services.cluster import events
        from tui.services.cluster.reading import SECONDS

        self.said = await events.asked(await self.session.agent_client(), SECONDS)

    def rows(self) -> Iterable[Row]:
        from tui.services.cluster.events import Events, newest
        from tui.services.cluster.words import count as counted

        found, count = newest(self.said or Events(), self.words)
        self.found = found
        which = f' with "{self.words}"' if self.words else ""
        more = f", the newest {len(found)} of them" if count > len(found) else ""
        yield text(f"{counted(count, 'event')}{which}{more}" if count else f"No event{which}.")
        day = ""
        for number, event in enumerate(found):
            at = time.gmtime(event.when) if event.when is not None else None
            if at is not None and (of := time.strftime("%Y-%m-%d", at)) != day:
                day = of
                yield heading(f"{day} UTC")
            when = time.strftime("%H:%M:%S", at) if at is not None else ""
            words = f"{when:<9}{event.subject}: {event.reason}  {event.message}"
            yield marked(event.mark, clip(words, self.text_width - 3), str(number))

    def chosen(self, key: str) -> None:
        if key.isdigit() and int(key) < len(self.found):
            event, width = self.found[int(key)], self.text_width
            when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(event.when)) if event.when is not None else ""
            rows = [heading(event.reason or "Event"), text(when), text(clip(event.subject, width))]
            self.app.push_screen(ExplainScreen(self.session, [*rows, *wrapped(event.message, width)]))

    def action_filter(self) -> None:
        from screens.cluster_ask import ClusterAskScreen

        self.app.push_screen(ClusterAskScreen(self.session, FILTER, FILTER.title, self._filtered, typed=self.words))

    def _filtered(self, words: str) -> None:
        self.words = words
        self.update()
