"""A hundred nodes, five hundred packs and ten thousand events open nearly as fast as ten of each.

The agent is a process of its own, so that only the console's processor time counts; it is taken from the key to the
page, in a console that has just read the cluster.
"""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.screens.conftest import Opened
from tests.screens.grid import grid, seen, until
from tests.screens.machine import machine, session_on
from tui.session import Session

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5
FEW, LOTS = (10, 10, 10), (100, 500, 10_000)
PAGES = {
    "cluster": ((), ""),
    "nodes": (("enter",), "edge-1-0000"),
    "packs": (("down", "down", "enter"), "pack-0000"),
    "events": (("down", "down", "down", "enter"), "event number"),
}


@contextlib.contextmanager
def served(session: Session, sizes: tuple[int, int, int]) -> Iterator[None]:
    socket = session.host.path("/run/onsite/agent.sock")
    socket.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.recorded_agent", str(socket), "healthy", *map(str, sizes)]
    with subprocess.Popen(command, cwd=ROOT) as agent:
        try:
            while not socket.exists():
                assert agent.poll() is None, "the recorded agent ended"
                time.sleep(0.02)
            yield
        finally:
            agent.kill()


async def opening(opened: Opened, session: Session, sizes: tuple[int, int, int]) -> dict[str, list[float]]:
    """CPU seconds from the key to each page."""
    found: dict[str, list[float]] = {name: [] for name in PAGES}
    with served(session, sizes):
        async with opened(of=session) as pilot:
            await pilot.press("9")
            await seen(pilot, f"{sizes[0]} of {sizes[0]} ready")
            await seen(pilot, f"{sizes[1]}, all there")
            for _ in range(RUNS):
                for name, (keys, words) in PAGES.items():
                    if not keys:
                        await pilot.press("2")
                        await seen(pilot, "Interface")
                        keys, words = ("9",), "Kubeconfig"
                    await pilot.press(*(["home"] if keys != ("9",) else []), *keys[:-1])
                    await pilot.pause()
                    gc.collect()
                    start = time.process_time()
                    await pilot.press(keys[-1])
                    await until(pilot, lambda words=words: words in grid(pilot.app), words)
                    found[name].append(time.process_time() - start)
                    if keys != ("9",):
                        await pilot.press("escape")
                        await seen(pilot, "Kubeconfig")
    return found


async def test_lots_open_as_fast_as_few(opened: Opened, tmp_path: Path) -> None:
    few = await opening(opened, session_on(machine(), tmp_path / "few"), FEW)
    lots = await opening(opened, session_on(machine(), tmp_path / "lots"), LOTS)
    ratios = {}
    for name in PAGES:
        ten, many = min(few[name]), min(lots[name])  # a busy machine only adds: what waits looks more often
        ratios[name] = many / ten
        print(f"{name:<10} few {ten * 1000:6.1f} ms CPU, lots {many * 1000:6.1f} ms, ratio {many / ten:.2f}")
    assert {name: round(ratio, 2) for name, ratio in ratios.items() if ratio > 2.0} == {}
