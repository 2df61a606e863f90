"""Content, against a real agent on its socket: ours, and one that knows the contract alone."""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from syrupy.assertion import SnapshotAssertion

from agent import content as agent_content
from agent import uploads
from agent.auth import PeerProtocol, listen
from agent.practice import sandbox
from screens.content import import_rows
from tests import archives
from tests.api.test_agent import Agent, ended, started
from tests.screens.conftest import Opened
from tests.screens.grid import gone, grid, seen, until
from tests.screens.machine import machine, session_on
from tests.screens.test_reach import SIZES, focusable, round_trip
from tui.models.content_api import Content, Import
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.session import Session


@pytest.fixture(scope="module")
def one_agent() -> Iterator[Agent]:
    with TemporaryDirectory(prefix="onsite-agent-") as folder:
        sandbox.fresh(Path(folder), Path(folder) / "hub")
        stick = Path(folder) / "mnt/stick"
        stick.mkdir(parents=True)
        (stick / "till.tar.zst").write_bytes(archives.good())
        (stick / "shop.tgz").write_bytes(archives.definition(description="What a shop runs"))
        (stick / "bad.tar.zst").write_bytes(archives.HOSTILE["a symbolic link"][0]())
        running = started(Path(folder))
        yield running
        ended(running)


@pytest.fixture
def agent(one_agent: Agent) -> Iterator[Agent]:
    """The agent of this file, with nothing on its host but a folder of archives."""
    yield one_agent
    for folder in ("items", "blobs", "partial"):
        for path in (one_agent.root / "var/lib/onsite/content" / folder).glob("*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture
def at_agent(agent: Agent) -> Session:
    return session_on(machine(), agent.root)


def brought(agent: Agent, name: str) -> None:
    """Have it on the host already."""
    operation = "upload-clusterconfig" if name.endswith(".tgz") else "upload-content"
    where = f"http://agent/v1/edge-mgmt/edgehosts/current/actions/{operation}"
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(agent.socket)), trust_env=False, timeout=60) as client:
        files = {"uploadFile": (name, (agent.root / "mnt/stick" / name).read_bytes())}
        assert client.post(where, files=files).status_code == 201


def still(app: Any) -> str:
    """The screen, without what this machine's disk and its compression make."""
    shown = re.sub(r"Disk: .*", "Disk: (so much)", grid(app))
    return re.sub(r"(?<=tgz, )\d+|(?<=tgz  )\d+|(?<=zst  )\d+|[0-9a-f]{50,}", "(some)", shown)


IMPORT = ("7", "i", "enter")


async def test_what_is_there_and_what_is_missing(
    agent: Agent, at_agent: Session, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    brought(agent, "shop.tgz")
    async with opened(("7",), of=at_agent) as pilot:
        await seen(pilot, "No bundle brings kubeadm v1.20.2")
        await seen(pilot, f"missing: {archives.REF}")
        assert still(pilot.app) == snapshot(name="a definition without its bundle")
        await asyncio.to_thread(brought, agent, "till.tar.zst")
        await pilot.press("r")
        await seen(pilot, "till 1.0.0")
        await pilot.press("home", "enter")
        await seen(pilot, f"Image    {archives.REF}")
        await pilot.press("down", "enter")
        await seen(pilot, "everything that it needs is on this host")
        assert still(pilot.app) == snapshot(name="both")
        await pilot.press("up", "d")
        await seen(pilot, "Delete this content?")
        assert still(pilot.app) == snapshot(name="delete")
        await pilot.press("y")
        await seen(pilot, "till 1.0.0 is deleted.")
        await seen(pilot, "!  shop 1.0.0")


async def test_an_archive_of_a_folder_is_brought(
    at_agent: Session, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    async with opened(("7",), of=at_agent) as pilot:
        await seen(pilot, "none yet")
        await pilot.press("i")
        await seen(pilot, "no stick; plug one in")
        assert still(pilot.app) == snapshot(name="where")
        await pilot.press("end", "enter")
        await seen(pilot, "Folder, archive or ISO image")
        await pilot.press("enter")
        await seen(pilot, "shop.tgz")
        assert still(pilot.app) == snapshot(name="archives")
        await pilot.press("end", "enter")
        await seen(pilot, "till 1.0.0")
        await gone(pilot, "Import of")


async def test_a_bad_one_is_said_with_its_code(at_agent: Session, opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened(("7", "i", "end", "enter"), of=at_agent) as pilot:
        await seen(pilot, "Folder, archive or ISO image")
        await pilot.press("enter")
        await seen(pilot, "bad.tar.zst")
        await pilot.press("enter")
        await seen(pilot, "failed: B104")
        assert still(pilot.app) == snapshot
        await until(pilot, lambda: pilot.app.focused is not None)
        await pilot.press("home", "enter")
        await seen(pilot, "Something else than a plain file")
        await pilot.press("escape", "x")
        await seen(pilot, "Give the import up?")
        await pilot.press("y")
        await gone(pilot, "failed: B104")


async def test_a_path_that_is_not_there_is_said(at_agent: Session, opened: Opened) -> None:
    async with opened(("7", "i", "end", "enter"), of=at_agent) as pilot:
        await seen(pilot, "Folder, archive or ISO image")
        await pilot.press("ctrl+u", *"/nothing", "enter")
        await seen(pilot, "cannot be read")


@pytest.mark.parametrize("size", SIZES[::2] + SIZES[-1:], ids="{0[0]}x{0[1]}".format)
async def test_every_widget_is_reached(size: tuple[int, int], agent: Agent, at_agent: Session, opened: Opened) -> None:
    brought(agent, "shop.tgz")
    async with opened(("7",), size, of=at_agent) as pilot:
        await until(pilot, lambda: getattr(pilot.app.screen, "view", None) is not None)
        assert set(await round_trip(pilot, "tab")) == focusable(pilot.app)
        await pilot.press("i")
        await until(pilot, lambda: getattr(pilot.app.screen, "sticks", None) is not None)
        assert set(await round_trip(pilot, "tab")) == focusable(pilot.app)


async def test_without_an_agent_it_says_so(session: Session, opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened(("7",), of=session) as pilot:
        await seen(pilot, "A101")
        assert still(pilot.app) == snapshot


@pytest.fixture
def plain_agent() -> Iterator[Path]:
    """An agent with the contract's routes of content alone."""
    with TemporaryDirectory(prefix="onsite-agent-") as folder:
        root = Path(folder)
        (root / "mnt/stick").mkdir(parents=True)
        (root / "mnt/stick/shop.tgz").write_bytes(archives.definition())
        (root / "run/onsite").mkdir(parents=True)
        routes = [r for r in (*agent_content.ROUTES, *uploads.ROUTES) if not r.path.startswith("/v1/onsite")]
        app = Starlette(routes=routes)
        app.state.host = Host(root, NetlinkKernel(), "user")
        server = uvicorn.Server(uvicorn.Config(app, http=PeerProtocol, ws="none", lifespan="off", log_level="error"))
        listener = listen(root / "run/onsite/agent.sock")
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield root
        server.should_exit = True
        thread.join()
        listener.close()


async def test_an_agent_with_the_contract_alone(plain_agent: Path, opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened(("7",), of=session_on(machine(), plain_agent)) as pilot:
        await seen(pilot, "Not offered by this agent")
        await pilot.press("i")
        await seen(pilot, "A file that this console can read")
        await pilot.press("enter")
        await seen(pilot, "Folder, archive or ISO image")
        await pilot.press("ctrl+u", *"/mnt/stick/shop.tgz", "enter")
        await seen(pilot, "last upload: shop.tgz")
        await seen(pilot, "definition base 1.0.0 (imported): a 1.0.0")
        assert still(pilot.app) == snapshot


@pytest.mark.parametrize(
    ("one", "words"),
    [
        ({"state": "running", "done": 0, "total": 0}, ".. Import of till.tar.zst: begins"),
        ({"state": "running", "done": 420, "total": 1000}, ".. Import of till.tar.zst: 42 %"),
        (
            {"state": "running", "done": 420, "total": 1000, "seconds_left": 72.0},
            ".. Import of till.tar.zst: 42 %, 1 min left",
        ),
        (
            {"state": "running", "done": 990, "total": 1000, "seconds_left": 7.0},
            ".. Import of till.tar.zst: 99 %, 5 s left",
        ),
        ({"state": "paused", "done": 420, "total": 1000}, "!  Import of till.tar.zst: paused at 42 %; P goes on"),
        ({"state": "undoing"}, ".. Import of till.tar.zst: being given up"),
        ({"state": "failed", "code": "B120", "message": "No room."}, "x  Import of till.tar.zst failed: B120 No room."),
        ({"state": "done"}, ""),
    ],
)
def test_what_is_said_of_an_import(one: dict[str, Any], words: str) -> None:
    content = Content(current=Import(job="1", name="till.tar.zst", **one))
    rows = ["".join(p if isinstance(p, str) else p[0] for p in row.parts) for row in import_rows(content, 63)]
    assert (rows or [""])[0] == words
