"""Are the hosts fit for it? Everything that stands in the way on every host, at once, each with what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from screens.cluster_create import CreateStep, ListStep, Way
from screens.cluster_page import issue_rows
from tui.models.change import Issue, Refused
from tui.session import Session
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Row, heading, text, wrapped

if TYPE_CHECKING:
    from tui.models.onsite.preflight import HostPreflight, Preflight


class PreflightStep(ListStep):
    STEP = "preflight"
    HELP_TEXT = (
        "Every host is looked at before anything is written on any of them: room, time, network, what is left of "
        "earlier clusters, and whether all images are there. Mend what is wrong, then R looks again. Enter opens the "
        "page of a code."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "look", "look again", key_display="R"),
        Binding("enter", "choose", "page of the code", key_display="Enter"),
        *CreateStep.BINDINGS,
    ]

    def __init__(self, session: Session, way: Way) -> None:
        super().__init__(session, way)
        self.drafted: tuple[Issue, ...] = ()

    @property
    def found(self) -> Preflight | None:
        found: Preflight | None = self.way.found.get("preflight")
        return found

    def on_mount(self) -> None:
        super().on_mount()
        self.action_look()

    def action_look(self) -> None:
        if not self.busy:
            self.busy = True
            self.way.found.pop("preflight", None)
            self.update()
            self._look()

    @work(group="agent", exit_on_error=False)
    async def _look(self) -> None:
        from tui.services.cluster.asking import preflight
        from tui.services.cluster.create import configuration

        try:
            self.refused = await complete(self.session, self.way)
            self.drafted = wrong(self.way)
            if not any(i.severity == "error" for i in self.drafted):
                sent = configuration(self.draft, self.way.hosts or (), variables(self.way))
                self.way.found["preflight"] = await preflight(await self.session.agent_client(), sent)
        except Refused as refused:
            self.refused = refused.issues
        finally:
            self.busy = False
        if self.is_mounted:
            self.update()

    def update(self) -> None:
        self.show_head(self.verdict())
        self.list.show(list(self._rows()))

    def verdict(self) -> str:
        """What came of it, above all that was found."""
        if self.busy or self.found is None:
            return "Nothing is written for this."
        if self.blocking or any(i.severity == "error" for i in self.drafted):
            return "What is marked x stands in the way. Mend it, then R."
        return "Nothing stands in the way. ^X goes on."

    def _rows(self) -> Iterator[Row]:
        width = self.text_width
        if self.busy:
            yield text("Looking at the hosts...")
            return
        if self.drafted:
            yield heading("The draft")
            yield from issue_rows(self.drafted, width)
            yield BLANK
        not_offered = [i for i in self.refused if i.code == "A105"]
        yield from issue_rows([i for i in self.refused if i.code != "A105"], width)
        if not_offered:
            words = "This agent does not offer to look at the hosts beforehand; it says what is wrong while it works."
            yield from wrapped(words, width, "-")
        for hosts in alike(self.found.hosts if self.found else ()):
            yield from of_hosts(hosts, width)

    @property
    def blocking(self) -> bool:
        findings = [f for h in (self.found.hosts if self.found else ()) for f in h.findings]
        return any(f.severity == "error" for f in findings)

    def action_choose(self) -> None:
        if self.list.key.startswith("code:"):
            self.post_message(Explain(self.list.key.removeprefix("code:")))

    def ready(self) -> bool:
        """Errors of the draft keep one here; what was found on a host the agent will say again, in Review, too."""
        return not self.busy and not any(i.severity == "error" for i in self.drafted)


def alike(hosts: Iterable[HostPreflight]) -> list[list[HostPreflight]]:
    """Hosts of which the same was found together; those that have errors first."""
    groups: dict[tuple[tuple[str, str], ...], list[HostPreflight]] = {}
    for host in hosts:
        groups.setdefault(tuple((f.code, f.text) for f in host.findings), []).append(host)
    return sorted(groups.values(), key=lambda g: not any(f.severity == "error" for f in g[0].findings))


def of_hosts(hosts: Sequence[HostPreflight], width: int) -> Iterator[Row]:
    """Hosts that are alike: fit, or everything that is not."""
    found = [Issue(f.code, f.severity, "", f.text, f.remedy) for f in hosts[0].findings]
    mark = "x" if any(i.severity == "error" for i in found) else "!" if found else "ok"
    names = ", ".join(h.host_name or h.host_uid for h in hosts)
    yield from wrapped(f"{names}{'' if found else '  fit'}", width, mark)
    for row in issue_rows(found, width - 3):
        yield row._replace(parts=("   ", *row.parts))


async def complete(session: Session, way: Way) -> tuple[Issue, ...]:
    """Ask for definition and hosts where somebody came straight here. Raises Refused."""
    from tui.services.cluster.asking import hosts
    from tui.services.cluster.definition import definitions

    client = await session.agent_client()
    refused: tuple[Issue, ...] = ()
    if way.definition is None:
        way.definitions, refused = await definitions(client)
    way.hosts, more = await hosts(client)
    return (*refused, *more) if way.definition is None else more


def wrong(way: Way) -> tuple[Issue, ...]:
    """What is wrong with the draft as a whole."""
    from tui.services.cluster.create import check

    found = check(way.draft, way.hosts or ())
    if way.draft.archive and way.definition is None:
        text_ = "The chosen definition is gone from this host."
        found = (*found, Issue("K431", "error", "definition", text_, "Go back to Definition and choose again."))
    return found


def variables(way: Way) -> tuple[dict[str, str], ...]:
    """The values of the definition, as they are sent."""
    from tui.services.cluster.definition import form, texts, values

    if way.definition is None:
        return ()
    _, behind = form(way.definition)
    return values(behind, texts(behind, way.draft.variables))
