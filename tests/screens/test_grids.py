"""Every screen as a grid of text, at 80x24 and at 80x25, and the compact pages of smaller ones."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.screens.conftest import Opened
from tests.screens.grid import SIZES, grid, until
from tests.screens.paths import SCREENS, walk


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "80x25"])
@pytest.mark.parametrize("name", SCREENS)
async def test_grid(name: str, size: tuple[int, int], opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened((), size) as pilot:
        await walk(pilot, SCREENS[name])
        assert grid(pilot.app) == snapshot


@pytest.mark.parametrize("size", [(60, 16), (40, 12)], ids=["60x16", "40x12"])
@pytest.mark.parametrize("name", ["home", "network", "link-static", "review", "keep", "help"])
async def test_compact_grid(name: str, size: tuple[int, int], opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened((), size) as pilot:
        await walk(pilot, SCREENS[name], look=False)
        if name == "keep":
            await until(pilot, lambda: pilot.app.screen.name == "keep")
        assert grid(pilot.app) == snapshot
