"""SSH keys for the hosts of the cluster: whose, and from where: a stick, a URL, a file, or pasted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from screens.cluster_page import BACK, HELP, issue_rows
from tui.models.change import Issue, Refused
from tui.models.form import Field, Form
from tui.models.kubernetes import shown_key
from tui.session import Session
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Row, clip, heading, text
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.services.trust.sticks import Stick

PASTE = Form("cluster", "Paste one public key", (
    Field("key", "sshkey", "Key", "ssh-ed25519 AAAA... name", help="One line, as in the file that ends in .pub."),
))  # fmt: skip
FOLDER = Form("cluster", "Which file or folder?", (
    Field("path", "text", "Path", "/home/ops/.ssh", help="A folder with files that end in .pub, or one file."),
))  # fmt: skip
URL = Form("cluster", "From which URL?", (
    Field("url", "text", "URL", "https://keys.example/ops.pub", help="Fetched by this host's proxy, if it has one."),
))  # fmt: skip
WAYS = (("paste", "Paste one"), ("url", "From a URL"), ("folder", "From a file or folder of this host"))


class KeysScreen(Place):
    """Args:
    keys: those that there are.
    kept: called with all of them after each change; returns what there is to say about it, mostly "".
    """

    NAME = "cluster"
    CSS_PATH = "../styles/cluster_create.tcss"
    IS_PLACE = False
    HELP_TEXT = (
        "Who has the other half of a key may log in to the hosts of the cluster. D takes the key at the mark out. A "
        "private key is never taken."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", key_display="Enter"),
        Binding("d", "drop", "take out", key_display="D"),
        Binding("r", "look", "look for sticks", key_display="R"),
        BACK,
        HELP,
    ]

    def __init__(self, session: Session, keys: Sequence[str], kept: Callable[[tuple[str, ...]], str]) -> None:
        super().__init__(session)
        self.keys, self.kept = tuple(keys), kept
        self.sticks: Sequence[Stick] = ()
        self.said = ""
        self.refused: tuple[Issue, ...] = ()

    def on_mount(self) -> None:
        super().on_mount()
        self.action_look()

    def update(self) -> None:
        rows = [heading("SSH keys of those who may log in"), BLANK]
        rows += [Row((clip(shown_key(key), self.text_width),), f"key:{n}") for n, key in enumerate(self.keys)]
        if not self.keys:
            rows.append(text("none yet"))
        rows += [BLANK, heading("Add")]
        for stick in self.sticks:
            words = f"From the stick {stick.device}  {stick.label or 'no name'}, {stick.file_system}, {stick.size}"
            rows.append(Row((clip(words, self.text_width),), stick.device))
        rows += [Row((words,), way) for way, words in WAYS]
        if self.said:
            rows += [BLANK, text(self.said)]
        if self.refused:
            rows += [BLANK, *issue_rows(self.refused, self.text_width)]
        self.page.show(rows)

    def action_look(self) -> None:
        self._look()

    @work(group="sticks", exclusive=True, exit_on_error=False)
    async def _look(self) -> None:
        from tui.services.trust import sticks

        self.sticks = await asyncio.to_thread(sticks.listed, self.session.host)
        if self.is_mounted:
            self.update()

    def action_choose(self) -> None:
        from screens.cluster_ask import ClusterAskScreen

        key = self.page.key
        stick = next((s for s in self.sticks if s.device == key), None)
        if stick is not None:
            self._do("Reading the stick...", partial(self._stick, stick))
        elif key == "paste":
            self.app.push_screen(ClusterAskScreen(self.session, PASTE, PASTE.title, self._pasted))
        elif key == "folder":
            self.app.push_screen(ClusterAskScreen(self.session, FOLDER, FOLDER.title, self._folder))
        elif key == "url":
            self.app.push_screen(ClusterAskScreen(self.session, URL, URL.title, self._url))
        elif key.startswith("code:"):
            self.post_message(Explain(key.removeprefix("code:")))

    def action_drop(self) -> None:
        if self.page.key.startswith("key:"):
            at = int(self.page.key.removeprefix("key:"))
            self._keep(tuple(k for n, k in enumerate(self.keys) if n != at), "Taken out.")

    def _pasted(self, key: str) -> None:
        self._add((key,))

    def _folder(self, path: str) -> None:
        self._do("Reading...", partial(self._from_folder, path))

    def _url(self, url: str) -> None:
        self._do("Fetching...", partial(self._from_url, url))

    async def _stick(self, stick: Stick) -> tuple[str, ...]:
        from tui.services.cluster import keys

        return await asyncio.to_thread(keys.of_stick, stick)

    async def _from_folder(self, path: str) -> tuple[str, ...]:
        from tui.services.cluster import keys

        return await asyncio.to_thread(keys.of_path, path, self.session.host.path(path))

    async def _from_url(self, url: str) -> tuple[str, ...]:
        from tui.services.cluster import keys
        from tui.services.trust import reach

        data = await reach.fetched(url, reach.upstream(self.session.draft, self.session.facts))
        return await asyncio.to_thread(keys.of_bytes, url, data)

    def _do(self, doing: str, job: Callable[[], Awaitable[tuple[str, ...]]]) -> None:
        self.said, self.refused = doing, ()
        self.update()
        self._job(job)

    @work(group="keys", exclusive=True, exit_on_error=False)
    async def _job(self, job: Callable[[], Awaitable[tuple[str, ...]]]) -> None:
        try:
            found = await job()
        except Refused as refused:
            self.said, self.refused = "", refused.issues
            self.update()
        else:
            self._add(found)

    def _add(self, found: Sequence[str]) -> None:
        known = {key.split()[1] for key in self.keys}
        fresh = tuple(key for key in found if key.split()[1] not in known)
        said = f"{len(fresh)} key{'' if len(fresh) == 1 else 's'} added." if fresh else "No key that was not there."
        self._keep((*self.keys, *fresh), said)

    def _keep(self, keys: tuple[str, ...], said: str) -> None:
        self.keys, self.refused = keys, ()
        self.said = f"{said} {self.kept(keys)}".strip()
        self.update()

    def action_leave_page(self) -> None:
        self.dismiss()
