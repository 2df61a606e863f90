"""Cluster: is there one, is it healthy, and if not, why not?

The person standing here reads the name, one word for the state and, where something is wrong, one sentence about the
first cause with the event that says so. From here they go on: make one, watch it being made, look into it, change it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from screens.cluster_page import issue_rows, trouble_rows, valued
from tui.session import Session
from tui.widgets.look import MARKS
from tui.widgets.messages import Explain, Go
from tui.widgets.page import BLANK, Row, heading, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.services.cluster.reading import Reading

SECONDS = 15.0
"""Between two readings of packs and images while somebody looks; nodes and state come with every look at the agent."""
OPENED = (
    "watch",
    "nodes",
    "pools",
    "packs",
    "events",
    "certificates",
    "services",
    "kubeconfig",
    "update",
    "settings",
    "delete",
)


class ClusterScreen(Place):
    NAME = "cluster"
    CSS_PATH = "../styles/cluster.tcss"
    HELP_TEXT = (
        "The Kubernetes cluster of this host: how it is, and the first thing that is wrong with the event that says "
        "so. Enter opens the line at the mark; on a line with a code it opens the page of that code."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="Enter"),
        Binding("w", "story", "why", key_display="W"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.busy = False

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(SECONDS, self._again)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._again()

    def _again(self) -> None:
        if self.is_current and not self.busy:
            self.busy = True
            self._read()

    @work(group="agent", exit_on_error=False)
    async def _read(self) -> None:
        try:
            news = await self.session.read_cluster(thoroughly=True)
        finally:
            self.busy = False
        if news:
            self.refresh_all()

    def update(self) -> None:
        self.page.show(list(self._rows()))

    def _rows(self) -> Iterator[Row]:
        agent, reading, width = self.session.agent, self.session.cluster, self.text_width
        if reading is None:
            yield heading("Cluster")
            if agent.issue is not None:
                yield from issue_rows((agent.issue,), width)
            elif not agent.known or agent.answers:
                yield text("Asking the agent...")
            else:
                yield from wrapped("No agent runs on this host, so there is nobody to make a cluster.", width)
            return
        if reading.issue is not None:
            yield from issue_rows((reading.issue,), width)
            if reading.details is not None:
                yield text("What follows is what it said before.")
        if reading.standing.exists:
            yield from overview(reading, width, self.session.host.clock.now())
        elif reading.issue is None:
            yield from self._none()

    def _none(self) -> Iterator[Row]:
        from tui.models.cluster_create import STEPS, TITLES
        from tui.services.cluster import draft

        yield heading("This host is in no cluster")
        yield BLANK
        found = draft.load(self.session.host)
        if found is not None:
            where = STEPS.index(found.step) + 1 if found.step in STEPS else 1
            name = f'"{found.title}"' if found.title else "the new one"
            yield Row((f"Go on with {name}: step {where} of {len(STEPS)}, {TITLES[STEPS[where - 1]]}",), "create")
            yield Row(("Throw that draft away",), "forget")
        else:
            yield Row(("Create a cluster",), "create")
        yield Row(("Join the cluster of another host (Hosts: link this one to it)",), "join")
        yield BLANK
        words = (
            "Creating asks for a name, a definition and its settings, an address, and the hosts. Nothing is written "
            "on any host before the last step."
        )
        yield from wrapped(words, self.text_width)

    # --- going on --------------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        key = self.page.key
        if key.startswith("code:"):
            self.post_message(Explain(key.removeprefix("code:")))
        elif key == "join":
            self.post_message(Go("peers"))
        elif key == "create":
            from screens.cluster_create import open_draft

            open_draft(self.app, self.session)
        elif key == "forget":
            from tui.widgets.dialog import Question

            self.app.push_screen(Question("Throw the draft away?", yes="Throw away", no="Keep it"), self._forget)
        elif key in OPENED:
            self.app.push_screen(opened(key, self.session))

    def _forget(self, yes: bool | None) -> None:
        from tui.services.cluster import draft

        if yes:
            draft.forget(self.session.host)
        self.update()

    def action_story(self) -> None:
        """Everything that is wrong, and what the agent has said, newest first."""
        reading = self.session.cluster
        if reading is not None and reading.standing.exists:
            from screens.cluster_story import StoryScreen

            self.app.push_screen(StoryScreen(self.session))


def opened(key: str, session: Session) -> Place:
    """The page behind a line, imported when somebody opens it."""
    import importlib

    names = {
        "watch": ("cluster_watch", "WatchScreen"),
        "nodes": ("cluster_nodes", "NodesScreen"),
        "pools": ("cluster_pools", "PoolsScreen"),
        "packs": ("cluster_packs", "PacksScreen"),
        "events": ("cluster_events", "EventsScreen"),
        "certificates": ("cluster_certificates", "CertificatesScreen"),
        "services": ("cluster_services", "ServicesScreen"),
        "kubeconfig": ("cluster_kubeconfig", "KubeconfigScreen"),
        "update": ("cluster_update", "UpdateScreen"),
        "settings": ("cluster_settings", "SettingsScreen"),
        "delete": ("cluster_delete", "DeleteScreen"),
    }
    module, name = names[key]
    made: Place = getattr(importlib.import_module(f"screens.{module}"), name)(session)
    return made


def overview(reading: Reading, width: int, now: float) -> Iterator[Row]:
    """The cluster on one page: state, first cause, and a line for everything that can be opened."""
    from tui.services.cluster.members import services
    from tui.services.cluster.words import count, spell

    standing = reading.standing
    yield Row(
        ((standing.name or "Cluster", MARKS[""]), "  ", (f"{standing.mark} {standing.word}", MARKS[standing.mark]))
    )
    if standing.first is not None:
        yield from trouble_rows(standing.first, width, now)
        if len(standing.wrong) > 1:
            yield text(f"   and {count(len(standing.wrong) - 1, 'thing')} more: W")
    if standing.reboot_pending:
        yield from wrapped("A host waits for a restart before all of its changes hold.", width, "!")
    yield BLANK
    if standing.state != "Running" or standing.step is not None:
        step = standing.step
        words = f"{step.label}, {spell(step.spent)}" if step is not None and step.spent is not None else ""
        done = sum(s.mark == "ok" for s in reading.steps)
        so_far = f"step {min(done + 1, len(reading.steps))} of {len(reading.steps)}" if reading.steps else ""
        yield valued("Watch", ": ".join(x for x in (so_far, words) if x), width, "watch", "..")
    if standing.endpoint:
        yield valued("Address", standing.endpoint, width)
    if standing.version:
        yield valued("Kubernetes", standing.version, width)
    bad = [n for n in reading.nodes if n.mark in ("x", "!")]
    mark = "x" if any(n.mark == "x" for n in bad) else "!" if bad else "ok" if reading.nodes else ""
    yield valued("Nodes", f"{standing.ready} of {standing.nodes} ready", width, "nodes", mark)
    yield valued("Pools", "hosts, labels, taints; add and take away", width, "pools")
    wrong = sum(p.mark == "x" for p in reading.packs)
    under_way = sum(p.mark == ".." for p in reading.packs)
    words = f"{wrong} with trouble" if wrong else f"{under_way} being installed" if under_way else "all there"
    if reading.packs:
        mark = "x" if wrong else ".." if under_way else "ok"
        yield valued("Packs", f"{len(reading.packs)}, {words}", width, "packs", mark)
    else:
        yield valued("Packs", "", width, "packs")
    yield valued("Events", "newest first, by words", width, "events")
    if standing.state in ("Provisioning", "Deleting"):
        return
    yield valued("Certificates", "until when they hold; renew", width, "certificates")
    yield valued("Services", count(len(services(reading.details)), "service"), width, "services")
    yield valued("Kubeconfig", "to a stick or a file", width, "kubeconfig")
    yield valued("Update", "to another definition, side by side", width, "update")
    yield valued("Settings", "time servers, SSH keys of all hosts", width, "settings")
    yield valued("Delete", "the whole cluster", width, "delete")
