"""Every widget of the cluster's pages is reached by Tab and inside the screen, also on the smallest one."""

from __future__ import annotations

import pytest

from tests.recorded_agent import RecordedAgent, scene
from tests.screens.conftest import Opened
from tests.screens.grid import until
from tests.screens.test_reach import focusable, round_trip

SIZES = [(80, 24), (40, 12), (24, 8)]
PAGES = {
    "place": ("healthy", ("9",), "ClusterScreen"),
    "name": ("base", ("9", "enter"), "NameStep"),
    "delete": ("healthy", ("9", "end", "enter"), "DeleteScreen"),
}


@pytest.mark.parametrize("size", SIZES, ids=[f"{w}x{h}" for w, h in SIZES])
@pytest.mark.parametrize("name", PAGES)
async def test_all_is_reached(name: str, size: tuple[int, int], agent: RecordedAgent, opened: Opened) -> None:
    answers, keys, screen = PAGES[name]
    agent.answers = scene(answers)
    async with opened((), size) as pilot:
        await until(pilot, lambda: pilot.app.session.cluster is not None, "the cluster")
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: type(pilot.app.screen).__name__ == screen, screen)
        wanted = focusable(pilot.app)
        assert wanted - set(await round_trip(pilot, "tab")) == set()
