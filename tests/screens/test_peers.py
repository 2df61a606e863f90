"""The place of linked hosts in every state, against the real agent: its window, its routes, its refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from agent.app import build
from agent.links.links import Links
from agent.links.peers import Peer, Peers
from agent.links.window import _Secret
from screens.peers import _row
from tests.screens.agents import free_port, served
from tests.screens.conftest import Opened
from tests.screens.grid import SIZES, grid, seen, until
from tests.screens.machine import machine, session_on
from tui.models.contract.common import Health
from tui.models.contract.peers import LinkPeer
from tui.session import Session
from tui.settings import Settings
from tui.widgets.digits import large

SOCKET = "/run/onsite/agent.sock"
CODE = "48217730"
Prepare = Callable[[Links], None]


@pytest.fixture
def session() -> Iterator[Session]:
    """On a path short enough for a socket."""
    with TemporaryDirectory(prefix="onsite-peers-") as folder:
        yield session_on(machine(), Path(folder))


@asynccontextmanager
async def agent(session: Session, prepare: Prepare | None = None, name: str = "edge-7c21") -> AsyncIterator[Links]:
    """An agent that answers; it is made to look like a state after its start, so that it calls nobody."""
    app = build(session.host, Settings(agent_peer_port=free_port()))
    links: Links = app.state.links
    links.describe = partial(_described, name)
    async with served(app, session.host.path(SOCKET)):
        if prepare is not None:
            prepare(links)
        yield links


def _described(name: str) -> dict[str, Any]:
    return {"metadata": {"id": f"id-of-{name}", "name": name}, "spec": {"managementMode": "local"}}


def leads(links: Links) -> None:
    """The window is open, and its code is one that a picture can have."""
    links.window.open()
    links.window._secrets["code"] = _Secret(CODE, links.host.clock.boottime() + 95)
    links.port = 5081


def led(links: Links) -> None:
    """Two hosts follow; of one nothing was heard for a while."""
    found = []
    for name, last in (("edge-0b11", 11), ("edge-99f0", 12)):
        peer = Peer(f"id-of-{name}", name, f"192.0.2.{last}", 5081, "follower", links.own.pem)
        links.heard_of(peer, _described(name))
        found.append(peer)
    links.heard["id-of-edge-99f0"] -= 90
    links.peers = Peers(tuple(found))


def follows(links: Links) -> None:
    peer = Peer("id-of-edge-0b11", "edge-0b11", "192.0.2.11", 5081, "leader", links.own.pem)
    links.heard_of(peer, _described("edge-0b11"))
    links.peers, links.status = Peers((peer,)), "Completed"


def failed(links: Links) -> None:
    links.status = "Failed"
    links.error = "The code is not the one that the leader shows, or somebody listens in between."


STATES: dict[str, tuple[Prepare | None, tuple[str, ...], str]] = {
    "alone": (None, (), "linked with no other"),
    "window": (leads, (), "Good for one try"),
    "leads": (led, (), "edge-99f0"),
    "follows": (follows, (), "follows edge-0b11"),
    "failed": (failed, (), "L103"),
    "unlink": (led, ("u",), "Unlink edge-0b11?"),
    "follow": (None, ("f",), "[ Done ]"),
    "follow-token": (None, ("f", "right"), "Token"),
    "follow-wrong": (None, ("f", "down", *"192.0.2.11", "down", *"4821", "ctrl+x"), "L101"),
}
CASES = [(name, size) for name in STATES for size in (SIZES if name == "window" else SIZES[:1])]


@pytest.mark.parametrize(("state", "size"), CASES, ids=[f"{name}-{w}x{h}" for name, (w, h) in CASES])
async def test_grid(
    state: str, size: tuple[int, int], session: Session, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    prepare, keys, words = STATES[state]
    async with agent(session, prepare), opened((), size) as pilot:
        await pilot.press("8")
        await seen(pilot, "Linked hosts")
        await until(pilot, lambda: "Asking the agent" not in grid(pilot.app), "an answer")
        for key in keys:
            await pilot.press(key)
        await seen(pilot, words)
        assert grid(pilot.app) == snapshot


async def test_without_an_agent_it_says_so(session: Session, opened: Opened) -> None:
    async with opened(("8",)) as pilot:
        await seen(pilot, "A101")


async def test_two_consoles_link_their_hosts(session: Session, opened: Opened) -> None:
    """One reads the code from the screen of the leader, the other types it: digit by digit, as two people would."""
    with TemporaryDirectory(prefix="onsite-peers-") as folder:
        second = session_on(machine(), Path(folder))
        async with (
            agent(session) as leader, agent(second, name="edge-0b11") as follower,
            opened(("8",)) as here, opened(("8",), of=second) as there,
        ):  # fmt: skip
            await seen(here, "linked with no other")
            await here.press("o")
            await seen(here, "Good for one try")
            code = read_large(grid(here.app))
            follower.asked_port = leader.port
            await seen(there, "linked with no other")
            await there.press("f", "down", *"127.0.0.1", "down", *code, "ctrl+x")
            await seen(there, "This host follows edge-7c21.")
            await until(here, lambda: "id-of-edge-0b11" in leader.heard, "a word of the follower")
            await here.press("s")
            await seen(here, "edge-0b11")
            await here.press("u", "y")
            await seen(here, "linked with no other")
            await until(there, lambda: not follower.peers.all, "word of the unlinking")


def read_large(screen: str) -> str:
    """The digits that stand on a screen five rows high, as an eye reads them."""
    glyphs = {tuple(row.ljust(3) for row in large(str(n))): str(n) for n in range(10)}
    rows = screen.split("\n")
    top = next(n for n, row in enumerate(rows) if set(row[17:].strip()) == {"#", " "} or row[17:].count("###") > 1)
    five = [row[17:].ljust(60) for row in rows[top : top + 5]]
    found, at = "", 0
    while at < 50:
        glyph = tuple(row[at : at + 3] for row in five)
        found += glyphs.get(glyph, "")
        at += 5 if glyph in glyphs else 1
    return found


@pytest.mark.parametrize(
    ("status", "shown"),
    [("", "ok ready"), ("Synced", "ok ready"), ("Pending", ".. content comes"), ("Syncing 40 %", ".. content 40 %")],
)
def test_a_host_is_ready_when_it_has_the_content(status: str, shown: str) -> None:
    peer = LinkPeer(id="p", ip="192.0.2.11", role="follower", health=Health(status="Healthy"))
    parts = _row(peer.model_copy(update={"content_sync_status": status}), 62).parts
    line = "".join(part if isinstance(part, str) else part[0] for part in parts)
    assert (line[:3] + line[48:]).split() == shown.split()
