"""A thousand interfaces cost what ten cost: widgets, cells that change with a Down, and nearly the time to open."""

from __future__ import annotations

import gc
import time
from pathlib import Path

from tests.screens.conftest import Opened
from tests.screens.grid import grid, until
from tests.screens.machine import many, session_on

RUNS = 7


async def opening(opened: Opened, count: int, root: Path) -> float:
    """CPU seconds from the key to the list, in a console that has not shown it before."""
    async with opened((), of=session_on(many(count), root)) as pilot:
        gc.collect()
        start = time.process_time()
        await pilot.press("2")
        await until(pilot, lambda: "Interface" in grid(pilot.app))
        return time.process_time() - start


async def test_the_list_opens_as_fast(opened: Opened, tmp_path: Path) -> None:
    few, lots = [], []
    for number in range(RUNS):
        few.append(await opening(opened, 10, tmp_path / f"few{number}"))
        lots.append(await opening(opened, 1000, tmp_path / f"lots{number}"))
    ten, thousand = min(few), min(lots)  # a busy machine only adds: what waits looks more often
    print(f"open with 10: {ten * 1000:.1f} ms CPU, with 1000: {thousand * 1000:.1f} ms, ratio {thousand / ten:.2f}")
    assert thousand <= 2 * ten


async def test_widgets_and_what_a_down_paints_do_not_grow(opened: Opened, tmp_path: Path) -> None:
    widgets, painted = [], []
    for count in (10, 1000):
        async with opened(("2",), of=session_on(many(count), tmp_path / str(count))) as pilot:
            await until(pilot, lambda pilot=pilot: "> ok lan0" in grid(pilot.app))
            widgets.append(len(list(pilot.app.screen.walk_children())))
            before = grid(pilot.app).splitlines()
            await pilot.press("down")
            await until(pilot, lambda pilot=pilot: "> ok veth1" in grid(pilot.app))
            after = grid(pilot.app).splitlines()
            painted.append([(a, b) for a, b in zip(before, after, strict=True) if a != b])
    assert widgets[0] == widgets[1]
    assert painted[0] == painted[1]
    assert len(painted[1]) == 2, "the mark goes in one line and comes in another"


async def test_the_last_of_a_thousand_is_one_key_away(opened: Opened, tmp_path: Path) -> None:
    async with opened(("2", "end"), of=session_on(many(1000), tmp_path / "lots")) as pilot:
        assert "> ok veth999" in grid(pilot.app)
        assert "more above" in grid(pilot.app)
