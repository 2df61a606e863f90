"""Settings of the cluster: which time servers its hosts follow, and who may log in to them by SSH.

The person standing here changes one of the two on all hosts at once. Nothing is sent before X and its question.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.cluster_page import BACK, HELP, AgentPage
from tui.models.form import Field, Form
from tui.session import Session
from tui.widgets.dialog import Question
from tui.widgets.page import BLANK, Row, clip, wrapped

FORM = Form("cluster", "Time servers", (
    Field("ntp", "timeservers", "Time servers", "ntp1.site.example",
          help="For all hosts of the cluster. Empty: each host keeps its own."),
))  # fmt: skip


class SettingsScreen(AgentPage):
    TITLE_WORDS = "Settings of the cluster"
    SECONDS: ClassVar[float] = 0.0
    HELP_TEXT = (
        "Time servers and SSH keys of all hosts of the cluster. Enter changes the line at the mark, X sends what was "
        "changed to every host after a question; Esc before that leaves all as it is."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "change", key_display="Enter"),
        Binding("x", "apply", "apply", key_display="X"),
        Binding("r", "look", show=False),
        BACK,
        HELP,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.before: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self.servers: tuple[str, ...] = ()
        self.keys: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return (self.servers, self.keys) != self.before

    async def load(self) -> None:
        from tui.services.cluster import reading
        from tui.services.cluster.answers import part

        if self.asked and self.changed:  # what was typed is not lost to a look
            return
        found = await reading.configuration(await self.session.agent_client()) or {}
        cluster = part(found, "spec", "cloudConfig", "spec", "clusterConfig")
        listed = ([v for v in cluster.get(name) or () if isinstance(v, str)] for name in ("ntpServers", "sshKeys"))
        self.servers, self.keys = map(tuple, listed)  # whole, for they are sent back
        self.before = (self.servers, self.keys)

    def rows(self) -> Iterable[Row]:
        width = self.text_width
        servers = ", ".join(self.servers) or "as each host has them"
        yield BLANK
        yield Row((clip(f"Time servers  {servers}{self._note(0, self.servers)}", width),), "servers")
        many = f"{len(self.keys)} key{'' if len(self.keys) == 1 else 's'}" if self.keys else "none"
        yield Row((clip(f"SSH keys      {many}{self._note(1, self.keys)}", width),), "keys")
        yield BLANK
        yield from wrapped("X sends it to every host." if self.changed else "Enter changes a line.", width)

    def _note(self, place: int, now: tuple[str, ...]) -> str:
        return "  (changed)" if now != self.before[place] else ""

    def chosen(self, key: str) -> None:
        if key == "servers":
            from screens.cluster_ask import ClusterAskScreen

            typed = ", ".join(self.servers)
            self.app.push_screen(ClusterAskScreen(self.session, FORM, FORM.title, self._typed, typed=typed))
        elif key == "keys":
            from screens.cluster_keys import KeysScreen

            self.app.push_screen(KeysScreen(self.session, self.keys, self._chose))

    def _typed(self, servers: str) -> None:
        from tui.models.values import parse

        self.servers = tuple(str(s) for s in parse("timeservers", servers))
        self.update()

    def _chose(self, keys: tuple[str, ...]) -> str:
        self.keys = keys
        return ""

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.update()

    def action_apply(self) -> None:
        if not self.changed:
            self.doing = "Nothing was changed yet."
            self.update()
            return
        words = "Time servers and keys of every host of the cluster are set; the time service starts again."
        self.app.push_screen(Question("Apply the settings?", words, yes="Apply", no="Not now"), self._answered)

    def _answered(self, yes: bool | None) -> None:
        if yes:
            self.do("Telling the agent...", self._apply)

    async def _apply(self) -> str:
        from tui.models.contract import cluster

        client = await self.session.agent_client()
        body = cluster.ClusterSettings(ntp_servers=list(self.servers), ssh_keys=list(self.keys))
        await client.call(cluster.SETTINGS, body, seconds=30.0)
        self.before = (self.servers, self.keys)
        return "The agent sets them on every host; Watch shows how far it is."
