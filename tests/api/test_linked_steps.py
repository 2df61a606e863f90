"""Steps of an engine driver over a link: events, results, refusals, and a host that goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.cluster import contents
from agent.engines.engine import Away, Event, Tell, silent
from agent.engines.machine import Machine
from agent.engines.steps import LocalHost
from agent.links import serving, steps
from agent.links.links import Links
from tests.api.test_links import code_linked, describe, until
from tui.models.change import Issue, Refused
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel


class Scripted:
    """A host whose steps do what their arguments say; it counts how many run at once."""

    uid = "id-of-n2"

    def __init__(self) -> None:
        self.running = self.most = self.done = 0
        self.go = asyncio.Event()

    async def call(self, step: str, arguments: dict[str, Any], tell: Tell) -> Any:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for number in range(arguments.get("events", 0)):
                tell(Event(step=step, mark="note", text=f"event {number}"))
            if arguments.get("wait"):
                await self.go.wait()
            if "code" in arguments:
                raise Refused(Issue(arguments["code"], "error", "x", "It cannot be.", "Do something else."))
            if arguments.get("break"):
                raise RuntimeError("what nobody foresaw")
        finally:
            self.running -= 1
        self.done += 1
        return {"step": step, **arguments}


@asynccontextmanager
async def two(folder: Path, own: Any) -> AsyncIterator[tuple[Links, Links]]:
    """A leader and a follower whose steps `own` runs."""
    async with AsyncExitStack() as stack:
        found = []
        for name in ("n1", "n2"):
            links = Links(Host(folder / name, NetlinkKernel(), "user"), partial(describe, name), port=0)
            await links.start(serving.build(links, *steps.Steps(own).routes()))
            stack.push_async_callback(links.stop)
            found.append(links)
        await code_linked(found[0], found[1])
        yield found[0], found[1]


async def test_a_step_runs_over_there_and_tells_as_it_goes(tmp_path: Path) -> None:
    own = Scripted()
    async with two(tmp_path, own) as (leader, _):
        host = steps.linked(leader, "id-of-n2")
        assert host is not None
        heard: list[Event] = []
        assert await host.call("prepare", {"events": 3}, heard.append) == {"step": "prepare", "events": 3}
        assert [e.text for e in heard] == ["event 0", "event 1", "event 2"]
        with pytest.raises(Refused) as refused:
            await host.call("join", {"code": "K112"}, silent)
        assert (refused.value.issues[0].code, refused.value.issues[0].remedy) == ("K112", "Do something else.")
        assert steps.linked(leader, "nobody") is None


async def test_the_driver_itself_over_a_link(tmp_path: Path) -> None:
    there = Host(tmp_path / "there", NetlinkKernel(), "user")
    own = LocalHost("id-of-n2", Machine(there), partial(contents.payload, there))
    async with two(tmp_path, own) as (leader, _):
        host = steps.linked(leader, "id-of-n2")
        assert host is not None
        assert (await host.call("detect", {"engine": "kubeadm"}, silent))["state"] == "none"


async def test_two_steps_at_once_wait_for_each_other(tmp_path: Path) -> None:
    own = Scripted()
    async with two(tmp_path, own) as (leader, _):
        host = steps.LinkedHost("id-of-n2", leader)
        both = [asyncio.create_task(host.call("status", {"wait": True}, silent)) for _ in range(2)]
        await until(lambda: own.running == 1)
        own.go.set()
        await asyncio.gather(*both)
        assert (own.most, own.done) == (1, 2)


async def test_a_step_goes_on_where_the_line_breaks_off(tmp_path: Path) -> None:
    own = Scripted()
    async with two(tmp_path, own) as (leader, _):
        host = steps.LinkedHost("id-of-n2", leader)
        asked = asyncio.create_task(host.call("prepare", {"wait": True}, silent))
        await until(lambda: own.running == 1)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        own.go.set()
        await until(lambda: own.done == 1)
        assert await host.call("status", {}, silent) == {"step": "status"}


async def test_what_nobody_foresaw_is_a_host_that_is_away(tmp_path: Path) -> None:
    async with two(tmp_path, Scripted()) as (leader, _):
        host = steps.LinkedHost("id-of-n2", leader)
        with pytest.raises(Away):
            await host.call("prepare", {"break": True}, silent)


async def test_only_the_leader_runs_steps(tmp_path: Path) -> None:
    own = Scripted()
    async with two(tmp_path, own) as (leader, follower):
        assert await steps.LinkedHost("id-of-n2", leader).call("status", {}, silent)
        with pytest.raises(Away, match="403"):
            await steps.LinkedHost("id-of-n1", follower).call("status", {}, silent)
        with pytest.raises(Away, match="404"):
            await steps.LinkedHost("id-of-n2", leader).call("format-the-disk", {}, silent)
        await leader.unlink("id-of-n2")
        with pytest.raises(Away, match="not linked"):
            await steps.LinkedHost("id-of-n2", leader).call("status", {}, silent)
        assert own.done == 1
