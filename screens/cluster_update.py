"""Update: what becomes of the cluster with the other definition, side by side, and was every change looked at?

The person standing here compares what runs with what comes. Each variable that changes is marked until somebody has
looked at it and said whether the cluster's own value stays or the new default is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from screens.cluster_page import BACK, HELP, AgentPage, issue_rows
from tui.models.change import Issue
from tui.models.cluster_create import SOURCES
from tui.session import Session
from tui.widgets.dialog import Question
from tui.widgets.page import BLANK, Row, clip, heading, marked, text, wrapped

if TYPE_CHECKING:
    from tui.services.cluster.answers import Answer
    from tui.services.cluster.definition import Definition
    from tui.services.cluster.update import Change


class UpdateScreen(AgentPage):
    TITLE_WORDS = "Update"
    SECONDS = 0.0
    HELP_TEXT = (
        "Left what the cluster has, right what the other definition comes with. Space keeps the own value and "
        "marks it as looked at, T takes the new default, Enter types another value. X updates when all are marked ok. "
        "Nodes are updated one after the other and may restart."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "own", "keep own", key_display="Space"),
        Binding("t", "default", "take new", key_display="T"),
        Binding("enter", "choose", "type", key_display="Enter"),
        Binding("x", "update_cluster", "update", key_display="X"),
        Binding("o", "other", "other", key_display="O"),
        Binding("r", "look", show=False),
        BACK,
        HELP,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.configuration: Answer = {}
        self.offered: tuple[Definition, ...] = ()
        self.at = 0
        self.chosen_values: dict[str, str] = {}
        self.looked_at: set[str] = set()
        self.complaints: tuple[Issue, ...] = ()

    @property
    def incoming(self) -> Definition | None:
        return self.offered[self.at % len(self.offered)] if self.offered else None

    @property
    def changes(self) -> tuple[Change, ...]:
        from tui.services.cluster.update import changes

        return changes(self.configuration, self.incoming) if self.incoming else ()

    async def load(self) -> None:
        from tui.services.cluster import reading
        from tui.services.cluster.definition import definitions

        client = await self.session.agent_client()
        self.configuration = await reading.configuration(client) or {}
        found, self.complaints = await definitions(client)
        now = self.configuration.get("spec", {}).get("archiveUploadPath", "")
        self.offered = tuple(sorted((d for d in found if d.archive != now), key=lambda d: d.source != "update"))
        await self.session.read_cluster(thoroughly=True)

    def rows(self) -> Iterable[Row]:
        width, incoming = self.text_width, self.incoming
        yield from issue_rows(self.complaints, width)
        if incoming is None:
            words = "There is no other definition on this host. Content imports one, alone or in a bundle."
            yield from wrapped(words, width)
            return
        left = sum(c.to_review and c.key not in self.looked_at for c in self.changes)
        yield text(clip(f"to {incoming.title}, {SOURCES[incoming.source]}", width))
        yield text(f"{left} to look at" if left else "All changes were looked at: X updates.")
        yield BLANK
        yield from self._packs(incoming, width)
        yield BLANK
        yield heading(f"   {'Setting':<18}{'Now':<16}Comes")
        for change in self.changes:
            yield self._line(change, width)

    def _packs(self, incoming: Definition, width: int) -> Iterator[Row]:
        from tui.services.cluster.update import packs

        reading = self.session.cluster
        yield heading(f"   {'Pack':<18}{'Now':<16}Comes")
        for name, now, comes in packs(reading.packs if reading else (), incoming):
            mark = "!" if now != comes else ""
            yield marked(
                mark, clip(f"{clip(name, 17):<18}{clip(now or '(none)', 15):<16}{comes or '(goes)'}", width - 3)
            )

    def _line(self, change: Change, width: int) -> Row:
        from tui.services.cluster.update import shown

        mark = "" if not change.to_review else "ok" if change.key in self.looked_at else "!"
        now = shown(change, change.current) if change.kind != "new" else "(new)"
        comes = shown(change, change.incoming) if change.kind != "gone" else "(goes)"
        value = self.chosen_values.get(change.key)
        note = "  fixed" if change.fixed and change.kind == "changed" else ""
        if change.to_review and mark == "ok" and change.kind != "gone":
            note = f"  -> {shown(change, change.kept if value is None else value)}"
        words = f"{clip(change.label, 17):<18}{clip(now, 15):<16}{clip(comes, 11):<12}{note}"
        return marked(mark, clip(words, width - 3), f"var:{change.key}")

    # --- deciding --------------------------------------------------------------------------------------------------

    def _at(self) -> Change | None:
        return next((c for c in self.changes if self.page.key == f"var:{c.key}"), None)

    def _decided(self, change: Change, value: str | None) -> None:
        if value is None:
            self.chosen_values.pop(change.key, None)
        else:
            self.chosen_values[change.key] = value
        self.looked_at.add(change.key)
        self.failed = ()
        self.update()

    def action_own(self) -> None:
        change = self._at()
        if change is not None and change.to_review:
            self._decided(change, None)

    def action_default(self) -> None:
        change = self._at()
        if change is not None and change.to_review and change.kind != "gone":
            self._decided(change, change.incoming)

    def chosen(self, key: str) -> None:
        from screens.cluster_ask import ClusterAskScreen
        from tui.models.definition import form_of

        change = self._at()
        if change is None or change.fixed or change.kind == "gone" or change.variable is None:
            return
        form = form_of([change.variable])
        form = replace(form, fields=tuple(replace(f, path="value") for f in form.fields))
        typed = self.chosen_values.get(change.key, "" if change.secret else change.kept)
        self.app.push_screen(
            ClusterAskScreen(self.session, form, change.label, partial(self._typed, change), typed=typed)
        )

    def _typed(self, change: Change, value: str) -> None:
        self._decided(change, value)

    def action_other(self) -> None:
        """The next definition that this host has."""
        if len(self.offered) > 1:
            self.at += 1
            self.chosen_values.clear()
            self.looked_at.clear()
            self.update()

    def action_update_cluster(self) -> None:
        if self.incoming is None or self.busy:
            return
        waiting = [c for c in self.changes if c.to_review and c.key not in self.looked_at]
        empty = [
            c for c in self.changes if c.required and not self.chosen_values.get(c.key, c.kept) and c.kind != "gone"
        ]
        if waiting or empty:
            name = (waiting or empty)[0].label
            words = f"{name} was not looked at." if waiting else f"{name} is empty, and the cluster needs it."
            remedy = "Space keeps the own value, T takes the new one, Enter types another."
            self.failed = (Issue("K442", "error", "", words, remedy),)
            self.update()
            return
        words = "Nodes are updated one after the other and may restart; workloads move meanwhile."
        self.app.push_screen(
            Question(f"Update to {self.incoming.title}?", words, yes="Update", no="Not now"), self._answered
        )

    def _answered(self, yes: bool | None) -> None:
        if yes:
            self.do("Checking and telling the agent...", self._update, watch=True)

    async def _update(self) -> str:
        from tui.models.change import Refused
        from tui.models.contract import cluster
        from tui.services.cluster.definition import form, judged
        from tui.services.cluster.update import configuration_after

        incoming = self.incoming
        if incoming is None:
            return ""
        client = await self.session.agent_client()
        sent = configuration_after(self.configuration, incoming, self.changes, self.chosen_values)
        values = {(v["profileUid"], v["name"]): v["value"] for v in sent["spec"]["profileVariables"]}
        _, behind = form(incoming)
        wrong = await judged(client, incoming, {path: values.get((a.uid, a.name), "") for path, a in behind.items()})
        if wrong:
            raise Refused(*wrong.values())
        name = str(self.configuration.get("metadata", {}).get("name", ""))
        await client.call(
            cluster.REPLACE, cluster.ClusterConfiguration.model_validate(sent), seconds=30.0, clusterName=name
        )
        return "The agent updates the cluster; Watch shows how far it is."
