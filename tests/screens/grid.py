"""What stands on the screen, as text: one line a row, blanks at its end cut off.

`_compositor` is Textual's own (8.2.8); this is the one place that reads it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot

SIZES = [(80, 24), (80, 25)]
LIMIT = 10.0


def grid(app: Any) -> str:
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


async def until(pilot: Pilot[Any], condition: Callable[[], object], what: str = "") -> None:
    """Wait for a condition, never for a time.

    Raises:
        AssertionError: it did not come; with the screen as it is.
    """
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"{what or 'the condition'} did not come:\n{grid(pilot.app)}"
        await pilot.pause()
        await asyncio.sleep(0.01)
    await pilot.pause()


async def seen(pilot: Pilot[Any], words: str) -> None:
    """Wait until these words stand on the screen."""
    await until(pilot, lambda: words in grid(pilot.app), repr(words))


async def gone(pilot: Pilot[Any], words: str) -> None:
    """Wait until these words are no longer on the screen."""
    await until(pilot, lambda: words not in grid(pilot.app), f"no {words!r}")
