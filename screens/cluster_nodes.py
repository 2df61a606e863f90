"""Nodes: which machine is not ready, and why?

Never a bare "NotReady": what is known of the reason stands under the node; Enter says all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from screens.cluster_page import AgentPage, trouble_rows
from screens.explain import ExplainScreen
from tui.session import Session
from tui.widgets.page import BLANK, Row, clip, heading, marked, text

if TYPE_CHECKING:
    from tui.services.cluster.members import Node


class NodesScreen(AgentPage):
    TITLE_WORDS = "Nodes"
    HELP_TEXT = "The machines of the cluster. Under one that is not ready stands why. Enter shows all about it."
    SECONDS: ClassVar[float] = 5.0

    async def load(self) -> None:
        await self.session.read_cluster()

    def rows(self) -> Iterable[Row]:
        reading = self.session.cluster
        nodes = reading.nodes if reading else ()
        if not nodes:
            yield text("The agent names no node yet.")
            return
        now, width = self.session.host.clock.now(), self.text_width
        for node in sorted(nodes, key=lambda n: (ORDER.get(n.mark, 9), not n.control_plane, n.name)):
            yield line(node, width)
            if node.wrong:
                for row in list(trouble_rows(node.wrong[0], width - 3, now))[:3]:
                    yield Row(("   ", *row.parts))

    def chosen(self, key: str) -> None:
        reading = self.session.cluster
        node = next((n for n in (reading.nodes if reading else ()) if n.name == key), None)
        if node is not None:
            self.app.push_screen(ExplainScreen(self.session, list(details(node, self.session, self.text_width))))


ORDER = {"x": 0, "!": 1, "..": 2, "ok": 3}


def line(node: Node, width: int) -> Row:
    role = "control plane" if node.control_plane else node.pool or "worker"
    return marked(
        node.mark,
        clip(f"{clip(node.name, 17):<18}{node.word:<12}{clip(role, 13):<14}{node.address}", width - 3),
        node.name,
    )


def details(node: Node, session: Session, width: int) -> Iterator[Row]:
    """All about one node."""
    yield heading(f"{node.name}  {node.mark} {node.word}")
    pairs = (
        ("Role", "control plane" if node.control_plane else "worker"), ("Pool", node.pool), ("Address", node.address),
        ("Kubernetes", node.version), ("System", node.system), ("Age", node.age), ("Host id", node.host_id),
    )  # fmt: skip
    for label, value in pairs:
        if value:
            yield text(f"{label:<12}{clip(value, width - 12)}")
    for found in node.wrong:
        yield BLANK
        yield from trouble_rows(found, width, session.host.clock.now())
    if not node.wrong:
        yield BLANK
        yield text("Nothing is known to be wrong with it.")
