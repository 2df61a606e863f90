"""What this host is among its linked hosts, as it runs: the window, the listener, who was heard of when."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import httpx
import uvicorn
from starlette.types import ASGIApp

from agent.links import identity, joining, peers, wire
from agent.links.peers import Peer, Peers
from agent.links.window import Refusal, Window
from tui.models.peers import Token
from tui.services.host import Host

log = logging.getLogger("agent.links")

HEARD_EVERY = 10.0
"""Seconds between two reports of a follower to its leader."""
END_WITHIN = 2.0
"""Seconds that a report or a linking may still take when the agent ends."""
SILENT_AFTER = 35.0
"""Seconds after which a host that was not heard of is unhealthy: three reports and some."""
Status = Literal["Pending", "InProgress", "Completed", "Failed"]


class Synced(Protocol):
    """What brings content over from the leader, and says how far it is."""

    state: str
    have: list[str]

    async def with_leader(self, leader: Peer) -> None: ...


@dataclass(slots=True)
class Links:
    """One for an agent. `describe` says who this host is (`v1EdgeHostInfo`); `port` is where peers find it."""

    host: Host
    describe: Callable[[], dict[str, Any]]
    port: int = wire.PORT
    asked_port: int = wire.PORT
    """Where the listener of a leader is whose address was typed."""
    status: Status = "Pending"
    error: str = ""
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each host said of itself last, by its id."""
    content: dict[str, str] = field(default_factory=dict)
    """How far the content of each follower is, in its own words."""
    have: dict[str, frozenset[str]] = field(default_factory=dict)
    """Digests of what each follower has."""
    heard: dict[str, float] = field(default_factory=dict)
    """When, in seconds of CLOCK_BOOTTIME."""
    own: identity.Identity = field(init=False)
    peers: Peers = field(init=False)
    window: Window = field(init=False)
    synced: Synced | None = None
    """Content from the leader; None where nobody brings it over."""
    app: ASGIApp | None = None
    _server: uvicorn.Server | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _context: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self.own = identity.load_or_make(self.host)
        self.peers = peers.load(self.host)
        self.window = Window(self.host.clock, self.own.fingerprint)
        if self.peers.leader is not None:
            self.status = "Completed"

    # --- the process ---------------------------------------------------------------------------------------------

    async def start(self, app: ASGIApp) -> None:
        """Listen and report where this host is linked already; `app` serves the peers."""
        self.app = app
        if self.peers.all:
            self._listen()
        if self.peers.leader is not None:
            self._spawn(self._report_for_ever())

    async def stop(self) -> None:
        """What is under way comes to its end, or is broken off after a moment: a handshake that is cancelled leaks."""
        self._stopping.set()
        under_way = {task for task in self._tasks if task.get_name() != "listener"}
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=END_WITHIN)
            for task in late:
                task.cancel()
        if self._server is not None:
            self._server.should_exit = True
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Any, name: str = "") -> None:
        task = asyncio.create_task(work, name=name or None)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _listen(self) -> None:
        """Raises OSError: the port is taken."""
        if self._server is not None or self.app is None:
            return
        context = self._context = wire.serving(self.own, self.peers)
        listener = wire.listening(self.port)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self.app, http=wire.PeerTls, ws="none", lifespan="off", log_level="warning", access_log=False,
            server_header=False, proxy_headers=False, ssl_context_factory=lambda _config, _default: context,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._spawn(self._server._serve([listener]), "listener")  # serve() would take the signals of the agent

    # --- leading -------------------------------------------------------------------------------------------------

    def lead(self) -> None:
        """Open the window.

        Raises:
            Refusal: this host follows another.
            OSError: the port for peers is taken.
        """
        if self.peers.leader is not None:
            raise Refusal(f"This host follows {self.peers.leader.name}. Unlink it first.")
        self._listen()
        self.window.open()

    def stop_leading(self) -> None:
        self.window.close()

    def admitted(self, peer: Peer, own_id: str) -> None:
        """A follower has proven that it knows the password.

        Raises:
            Refusal: it cannot be told from another host.
            OSError: it cannot be written down.
        """
        same = self.peers.by_id(peer.id)
        if peer.id == own_id or (same is not None and same.fingerprint != peer.fingerprint):
            raise Refusal(f"Another linked host has the host id of {peer.name} too ({peer.id}). Was a disk copied?")
        self._trust(self.peers.added(peer))
        log.info("linked: %s at %s, certificate %s", peer.name, peer.address, peer.fingerprint)

    def _trust(self, now: Peers) -> None:
        peers.store(self.host, now)
        if self._context is not None:
            for each in now.all:
                if self.peers.by_fingerprint(each.fingerprint) is None:
                    self._context.load_verify_locations(cadata=each.certificate)
        self.peers = now

    # --- following -----------------------------------------------------------------------------------------------

    def follow(self, token: Token, kind: str) -> None:
        """Begin to link this host to a leader; `status` tells how it goes.

        Raises:
            Refusal: this host leads others, or follows already.
        """
        if self.peers.leader is not None:
            raise Refusal(f"This host follows {self.peers.leader.name} already. Unlink it first.")
        if self.peers.followers or self.window.opened:
            raise Refusal("This host leads others. Unlink them and stop leading first.")
        if self.status == "InProgress":
            raise Refusal("This host is just being linked.")
        self.status, self.error = "InProgress", ""
        self._spawn(self._join(token, kind))

    async def _join(self, token: Token, kind: str) -> None:
        try:
            self._listen()
            found = await joining.join(self.own, token, kind, await self.me())
            self._trust(found)
            self.status = "Completed"
            self._spawn(self._report_for_ever())
        except (joining.JoinError, OSError) as error:
            log.warning("not linked to %s: %s", token.address, error)
            self.status, self.error = "Failed", str(error)

    async def _report_for_ever(self) -> None:
        while (leader := self.peers.leader) is not None and not self._stopping.is_set():
            try:
                await self._report(leader)
            except (httpx.HTTPError, OSError, ValueError) as error:
                log.info("the leader %s does not answer: %s", leader.name, type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), HEARD_EVERY)

    async def _report(self, leader: Peer) -> None:
        """Say who this host is, hear of the others.

        Raises:
            httpx.HTTPError, OSError: the leader does not answer.
            ValueError: it answers nonsense.
        """
        async with wire.client_to(self.own, leader) as client:
            info = await self.info()
            body = {"info": info, "content": "", "have": []}
            if self.synced is not None:
                body |= {"content": self.synced.state, "have": self.synced.have}
            answer = await client.post("/v1/onsite/peer/state", json=body)
        if answer.status_code == 403:  # the leader has unlinked this host while it was away
            self._trust(self.peers.without(leader.id))
            self.status, self.error = "Failed", f"{leader.name} has unlinked this host."
            return
        said = answer.raise_for_status().json()
        self.heard[leader.id] = self.host.clock.boottime()
        self.told[leader.id] = dict(said["info"])
        others = [peers.peer({**each, "role": "follower"}) for each in said["peers"]]
        if self.synced is not None:
            self._spawn(self.synced.with_leader(leader))
        now = Peers((leader, *(each for each in others if each.id != info["metadata"]["id"])))
        if now != self.peers:
            self._trust(now)

    # --- both ----------------------------------------------------------------------------------------------------

    async def info(self) -> dict[str, Any]:
        """Who this host is now; reading that takes a while."""
        return await asyncio.to_thread(self.describe)

    async def me(self) -> dict[str, Any]:
        """This host as its peers write it down; the address is the one that they see."""
        described = (await self.info())["metadata"]
        return {
            "id": described["id"], "name": described["name"], "port": self.port, "certificate": self.own.pem,
        }  # fmt: skip

    def heard_of(self, peer: Peer, info: dict[str, Any], content: str = "", have: Iterable[str] = ()) -> None:
        self.heard[peer.id], self.told[peer.id] = self.host.clock.boottime(), info
        self.content[peer.id], self.have[peer.id] = content, frozenset(have)

    def silent(self, peer: Peer) -> float | None:
        """Seconds since a host was heard of, None where it is well."""
        last = self.heard.get(peer.id)
        if last is None:
            return SILENT_AFTER
        since = self.host.clock.boottime() - last
        return since if since > SILENT_AFTER else None

    async def unlink(self, peer_id: str) -> None:
        """End the trust in a host, and tell it.

        Raises:
            KeyError: no such host is linked.
            OSError: it cannot be written down.
        """
        peer = self.peers.by_id(peer_id)
        if peer is None:
            raise KeyError(peer_id)
        if peer.role == "follower" and self.peers.leader is not None:
            raise Refusal(f"{peer.name} follows {self.peers.leader.name}: unlink it there.")
        with contextlib.suppress(httpx.HTTPError, OSError):
            async with wire.client_to(self.own, peer) as client:
                await client.post("/v1/onsite/peer/unlink")
        self.forget(peer)

    def forget(self, peer: Peer) -> None:
        """Raises OSError: it cannot be written down."""
        left = (
            Peers() if peer.role == "leader" else self.peers.without(peer.id)
        )  # a follower knows others by its leader
        self._trust(left)
        self.heard.pop(peer.id, None)
        self.told.pop(peer.id, None)
        if peer.role == "leader":
            self.status, self.error = "Pending", ""
        log.info("unlinked: %s", peer.name)
