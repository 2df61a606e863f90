"""An agent that is slow, wrong, partly there or gone: the console stays usable, says so, and recovers by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.recorded_agent import RecordedAgent, scene, serving
from tests.screens.conftest import Opened
from tests.screens.grid import grid, seen, until
from tests.screens.machine import machine, session_on
from tui.session import Session

LATE = 5.0
USABLE = 1.5
"""Seconds for a key to another place and back while the agent owes an answer, on a busy machine."""


def slow(agent: RecordedAgent) -> None:
    agent.delay = LATE


def wrong(agent: RecordedAgent) -> None:
    """What the schema forbids, in every answer."""
    agent.answers = {
        key: {"status": 7, "nodes": "x", "items": 7, "spec": [], "clusterProfileDetails": "x"} for key in agent.answers
    }


def no_json(agent: RecordedAgent) -> None:
    agent.answers = dict.fromkeys(agent.answers, b"<html>502 Bad Gateway</html>")


def not_permitted(agent: RecordedAgent) -> None:
    agent.answers = dict.fromkeys(agent.answers, (403, {"code": "Forbidden", "message": "not for you"}))


def not_offered(agent: RecordedAgent) -> None:
    """Host and settings are there, nothing of a cluster is."""
    kept = ("GET /v1/edge-mgmt/settings", "GET /v1/edge-mgmt/edgehosts/current")
    agent.answers = {
        key: body if key in kept else (501, {"code": "NotImplemented", "message": "not here"})
        for key, body in agent.answers.items()
    }


def failing(agent: RecordedAgent) -> None:
    agent.answers = dict.fromkeys(agent.answers, (500, {"code": "Internal", "message": "it broke", "ref": "r-77"}))


WAYS: dict[str, tuple[Callable[[RecordedAgent], None], str]] = {
    "wrong": (wrong, "A106"),
    "no-json": (no_json, "A106"),
    "not-permitted": (not_permitted, "A103"),
    "not-offered": (not_offered, "A105"),
    "failing": (failing, "A107"),
}


async def usable(pilot: Any) -> float:
    """The time for a key to another place and back."""
    began = time.monotonic()
    await pilot.press("2")
    await seen(pilot, "Interface")
    await pilot.press("9")
    await seen(pilot, "*9 Cluster")
    return time.monotonic() - began


@pytest.mark.parametrize("name", WAYS)
async def test_it_is_said_and_mends_itself(name: str, agent: RecordedAgent, opened: Opened) -> None:
    spoil, code = WAYS[name]
    agent.answers = scene("healthy")
    async with opened() as pilot:
        await pilot.press("9")
        await seen(pilot, "4 of 4 ready")
        spoil(agent)
        await seen(pilot, code)
        assert "4 of 4 ready" in grid(pilot.app), "what it said before stays in sight"
        took = await usable(pilot)
        print(f"{name}: {code}; to another place and back in {took:.2f} s")
        assert took < USABLE
        agent.answers = scene("unhealthy")
        await seen(pilot, "2 of 4 ready")
        assert code not in grid(pilot.app)


async def test_a_slow_agent_is_waited_for_without_the_person(agent: RecordedAgent, opened: Opened) -> None:
    agent.answers = scene("healthy")
    async with opened() as pilot:
        await pilot.press("9")
        await seen(pilot, "4 of 4 ready")
        slow(agent)
        agent.answers = scene("unhealthy")
        await pilot.press("enter")
        await seen(pilot, "Nodes")
        await pilot.press("escape")
        took = await usable(pilot)
        print(f"slow ({LATE:.0f} s an answer): to another place and back in {took:.2f} s")
        assert took < USABLE
        agent.delay = 0.0
        await seen(pilot, "2 of 4 ready")


@pytest.mark.parametrize("place", ["6 Register", "7 Content", "8 Hosts"])
async def test_an_agent_that_never_answers_in_time_is_said_at_every_place(
    place: str, agent: RecordedAgent, opened: Opened
) -> None:
    """A look that began anew before the last one was over would never end."""
    async with opened() as pilot:
        agent.delay = LATE + 1.0
        await pilot.press(place[0])
        await seen(pilot, f"*{place}")
        await seen(pilot, "A102")
        agent.delay = 0.0
        await until(pilot, lambda: "A102" not in grid(pilot.app), "an answer")


async def test_an_agent_that_goes_and_comes_back(session: Session, opened: Opened) -> None:
    socket = session.host.path("/run/onsite/agent.sock")
    async with opened() as pilot:
        await pilot.press("9")
        await seen(pilot, "No agent runs on this host")
        agent = RecordedAgent(scene("healthy"))
        with serving(agent, socket):
            await seen(pilot, "4 of 4 ready")
        await seen(pilot, "A101")
        assert "4 of 4 ready" in grid(pilot.app)
        assert await usable(pilot) < USABLE
        with serving(RecordedAgent(scene("base")), socket):
            await seen(pilot, "This host is in no cluster")


@pytest.mark.parametrize("name", ["wrong", "not-permitted", "not-offered"])
async def test_the_way_to_a_cluster_says_it_too(name: str, tmp_path: Path, opened: Opened) -> None:
    session = session_on(machine(), tmp_path)
    agent = RecordedAgent(scene("base"))
    spoil, code = WAYS[name]
    with serving(agent, session.host.path("/run/onsite/agent.sock")):
        async with opened(of=session) as pilot:
            await pilot.press("9")
            await seen(pilot, "Create a cluster")
            await pilot.press("enter")
            await seen(pilot, "step 1 of 7")
            spoil(agent)
            await pilot.press(*"shop", "ctrl+x")
            await seen(pilot, code)
            agent.answers = scene("base")
            await pilot.press("r")
            await seen(pilot, "from the installer")
