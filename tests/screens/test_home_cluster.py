"""Home as it stands on the screen for years: right within five seconds, one word, one line, and nothing secret."""

from __future__ import annotations

import time

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.recorded_agent import RecordedAgent, scene
from tests.screens.conftest import Opened
from tests.screens.grid import grid, seen
from tui.widgets import banner

SCENES = {
    "base": "Cluster: none yet",
    "healthy": "shop-12 healthy",
    "creating": "First control plane",
    "stuck": "K606",
    "unhealthy": "K601",
    "deleting": "being deleted",
}


@pytest.mark.parametrize("name", SCENES)
async def test_home(name: str, agent: RecordedAgent, opened: Opened, snapshot: SnapshotAssertion) -> None:
    agent.answers = scene(name)
    async with opened() as pilot:
        await seen(pilot, SCENES[name])
        assert "S3CR3T" not in grid(pilot.app)
        assert grid(pilot.app) == snapshot


@pytest.mark.parametrize("size", [(60, 16), (40, 12)], ids=["60x16", "40x12"])
async def test_compact(
    size: tuple[int, int], agent: RecordedAgent, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    agent.answers = scene("unhealthy")
    async with opened((), size) as pilot:
        await seen(pilot, "K601")
        assert grid(pilot.app) == snapshot


async def test_what_changes_is_on_home_within_five_seconds(agent: RecordedAgent, opened: Opened) -> None:
    agent.answers = scene("healthy")
    async with opened() as pilot:
        await seen(pilot, "shop-12 healthy")
        for name, words in (("unhealthy", "K601"), ("healthy", "shop-12 healthy"), ("base", "none yet")):
            agent.answers = scene(name)
            began = time.monotonic()
            await seen(pilot, words)
            took = time.monotonic() - began
            print(f"{name}: on Home after {took:.1f} s")
            assert took < 5.0


@pytest.mark.parametrize("mark", banner.WORDS)
def test_the_large_word_fits(mark: str) -> None:
    found = banner.lines(mark)
    assert len(found) == 5
    assert {len(line) for line in found} == {banner.WIDTH}
    assert all(set(line) <= {"#", " "} for line in found)
