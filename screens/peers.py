"""Linked hosts: does this host lead or follow, which hosts belong to it, and is each of them well?

Two people stand at two boxes. One opens the window here and reads the code out; the other types it there. Both then
look for the other host in the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.models.change import Issue, Refused
from tui.models.peers import spoken
from tui.session import Session
from tui.widgets.dialog import Question
from tui.widgets.digits import large
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.models.contract.peers import LinkPeer
    from tui.services.peers import Linked

LOOK_EVERY = 5.0
"""Seconds between two looks while this place is shown."""
_STEP = 10
"""The seconds that are left are told in tens: a slow line paints them in time."""


class PeersScreen(Place):
    NAME = "peers"
    HELP_TEXT = (
        "Hosts that form one cluster are linked first: one leads, the others follow. O on the leader shows a code; "
        "F on each of the others, and type address and code there. S ends letting others in. U unlinks the host at "
        "the mark."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open_window", "let others in", key_display="O"),
        Binding("s", "close_window", "stop letting in", key_display="S"),
        Binding("f", "follow", "follow another", key_display="F"),
        Binding("t", "token", "token", key_display="T"),
        Binding("u", "unlink", "unlink", key_display="U"),
        Binding("enter", "explain", "explain", key_display="Enter"),
    ]

    class Looked(Message):
        """The agent was asked how this host is linked, or refused."""

        def __init__(self, linked: Linked | None, refused: tuple[Issue, ...] = (), token: str = "") -> None:
            super().__init__()
            self.linked, self.refused, self.token = linked, refused, token

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.linked: Linked | None = None
        self.refused: tuple[Issue, ...] = ()
        self.token = ""
        self.looking = False

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(LOOK_EVERY, self._look_again)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._look_again()

    def on_screen_suspend(self) -> None:
        self.token = ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        linked = self.linked
        follows = linked is not None and linked.leader is not None
        is_open = linked is not None and linked.window is not None and linked.window.open
        if action == "open_window":
            return linked is not None and linked.window is not None and not follows and not is_open
        if action == "close_window":
            return is_open
        if action == "follow":
            return linked is not None and not follows and not linked.leads
        if action == "token":
            return linked is not None and not follows and (is_open or linked.window is None)
        if action == "unlink":
            return bool(self.page.key) and linked is not None and self._peer() is not None
        if action == "explain":
            return any(issue.code == self.page.key for issue in self._issues())
        return True

    # --- what is shown ---------------------------------------------------------------------------------------------

    def update(self) -> None:
        self.page.show(list(self._rows(self.text_width)))
        self.refresh_bindings()

    def _rows(self, width: int) -> Iterator[Row]:
        yield heading("Linked hosts")
        for issue in self._issues():
            first, *rest = wrapped(
                f"{issue.code} {issue.text} {issue.remedy}", width, "x" if issue.severity == "error" else "!"
            )
            yield first._replace(key=issue.code)
            yield from rest
        if self.linked is None:
            if not self.refused:
                yield text("Asking the agent.")
            return
        yield BLANK
        yield from self._standing(self.linked, width)
        if self.token:
            yield BLANK
            yield from wrapped("Token, good once and for two minutes. T shows another.", width)
            yield from (text(self.token[at : at + width]) for at in range(0, len(self.token), width))
        peers = self.linked.status.peers if self.linked.status else []
        if peers:
            yield BLANK
            yield heading(f"   {'Host':<19}{'Address':<16}{'Role':<10}State")
            yield from (_row(each, width) for each in peers)

    def _standing(self, linked: Linked, width: int) -> Iterator[Row]:
        from tui.services.peers import name

        status = linked.status.status if linked.status else ""
        if linked.window is not None and linked.window.open:
            yield text("This host lets others in. At each of them: Hosts, F, then")
            yield BLANK
            yield text(f"Address   {linked.window.address}")
            yield BLANK
            yield from (text(clip(line, width)) for line in large(spoken(linked.window.code)))
            yield BLANK
            left = max(_STEP, -(-linked.window.remaining // _STEP) * _STEP)
            failed = f"; {linked.window.failures} of 10 wrong tries" if linked.window.failures else ""
            yield text(f"Good for one try and about {left} s, then there is another{failed}.")
        elif status == "InProgress":
            yield marked("..", "This host is being linked.")
        elif linked.leader is not None:
            yield marked("ok", f"This host follows {name(linked.leader)}.")
        elif linked.leads:
            yield marked("ok", "This host leads. O shows a code for more hosts.")
        else:
            yield from wrapped(
                "This host is linked with no other. One host of a cluster leads, the others follow it.", width
            )
            yield BLANK
            how = "O  this host leads: show a code" if linked.window is not None else "T  this host leads: show a token"
            yield text(how)
            yield text("F  this host follows: type the code of another")

    def _issues(self) -> tuple[Issue, ...]:
        status = self.linked.status if self.linked else None
        if status is not None and status.status == "Failed":
            remedy = "Open the leader's window (Hosts, O) and type the code that it shows now."
            words = status.error_message or "The agent does not say why this host was not linked."
            return (*self.refused, Issue("L103", "error", "", words, remedy))
        return self.refused

    # --- asking the agent ------------------------------------------------------------------------------------------

    def _look_again(self) -> None:
        if self.is_current and not self.looking:  # a slow agent is waited for, not asked anew
            self.looking = True
            self._look()

    @work(group="peers-look", exit_on_error=False)
    async def _look(self) -> None:
        """How things stand."""
        from tui.services import peers

        try:
            linked = await peers.read(await self.session.agent_client())
        except Refused as refused:
            self.post_message(self.Looked(None, refused.issues))
        else:
            self.post_message(self.Looked(linked))
        finally:
            self.looking = False

    @work(group="peers-wish", exclusive=True, exit_on_error=False)
    async def _do(self, wish: str, of: str = "") -> None:
        """Do what was wished, then look how things stand."""
        from tui.models import window
        from tui.models.contract import peers as contract
        from tui.services import peers

        token = ""
        try:
            agent = await self.session.agent_client()
            if wish == "open":
                await agent.call(window.OPEN_WINDOW)
            elif wish == "close":
                await agent.call(window.CLOSE_WINDOW)
            elif wish == "token":
                token = (await agent.call(contract.GENERATE_TOKEN)).token
            elif wish == "unlink":
                await agent.call(contract.UNLINK, query={"peerId": of}, seconds=peers.LINK_SECONDS)
            linked = await peers.read(agent)
        except Refused as refused:
            self.post_message(self.Looked(self.linked, refused.issues))
        else:
            self.post_message(self.Looked(linked, token=token))

    def on_peers_screen_looked(self, message: Looked) -> None:
        self.linked, self.refused = message.linked, message.refused
        self.token = message.token or self.token
        self.update()

    # --- actions ---------------------------------------------------------------------------------------------------

    def action_open_window(self) -> None:
        self._do("open")

    def action_close_window(self) -> None:
        self.token = ""
        self._do("close")

    def action_token(self) -> None:
        self._do("token")

    def action_follow(self) -> None:
        from screens.peers_follow import FollowScreen

        self.app.push_screen(FollowScreen(self.session))

    def action_unlink(self) -> None:
        from tui.services.peers import name

        peer = self._peer()
        if peer is not None:
            words = "It is trusted no more. Its own configuration and content stay as they are."
            self.app.push_screen(Question(f"Unlink {name(peer)}?", words, yes="Unlink", no="Keep it"), self._unlink)

    def _unlink(self, yes: bool | None) -> None:
        peer = self._peer()
        if yes and peer is not None:
            self._do("unlink", peer.id)

    def action_explain(self) -> None:
        self.post_message(Explain(self.page.key))

    def _peer(self) -> LinkPeer | None:
        peers = self.linked.status.peers if self.linked and self.linked.status else []
        return next((p for p in peers if p.id == self.page.key), None)


def _row(peer: LinkPeer, width: int) -> Row:
    from tui.services import peers

    wrong = peers.silent(peer)
    mark, state = _content(str(peer.content_sync_status or ""))
    if wrong:
        mark, state = "x", f"{wrong.code} {peer.health.reason if peer.health else ''}"
    words = f"{clip(peers.name(peer), 18):<19}{peer.ip:<16}{peer.role:<10}{state}"
    return marked(mark, clip(words, width - 3), peer.id)


def _content(status: str) -> tuple[str, str]:
    """Whether it has the content of its leader, in a mark and few words."""
    if status in ("", "Synced"):
        return "ok", "ready"
    if status == "Pending":
        return "..", "content comes"
    if status.startswith("Syncing"):
        return "..", f"content{status.removeprefix('Syncing')}"
    return "!", status
