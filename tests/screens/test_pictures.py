"""Pictures of the key screens. The grids catch what moves; these catch what looks different."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.screens.grid import SIZES, until
from tests.screens.machine import machine, session_on
from tests.screens.paths import SCREENS, walk
from tui.app import OnsiteApp

KEY_SCREENS = [
    "home", "places", "network", "link-static", "link-wrong", "link-leave", "review", "review-files", "keep", "kept",
    "reverted", "log", "help", "help-code",
]  # fmt: skip


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "80x25"])
@pytest.mark.parametrize("name", KEY_SCREENS)
def test_picture(name: str, size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    app = OnsiteApp(session_on(machine(), tmp_path))

    async def go(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.session.agent.known)
        await walk(pilot, SCREENS[name])

    assert snap_compare(app, terminal_size=size, run_before=go)
