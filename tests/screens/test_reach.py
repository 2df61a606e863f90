"""Nothing is unreachable: Tab visits every focusable widget, and each is then inside the screen."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widget import Widget

from tests.screens.conftest import Opened
from tests.screens.grid import grid

SIZES = [(80, 24), (80, 25), (132, 43), (60, 16), (40, 12), (24, 8)]
SCREENS = {
    "home": (),
    "network": ("2",),
    "link-dhcp": ("2", "enter"),
    "link-static": ("2", "enter", "s", "down", "down", "down", "s"),
    "link-leave": ("2", "enter", "s", "escape"),
    "review": ("2", "enter", "s", "ctrl+x"),
    "review-empty": ("v",),
    "log": ("l",),
    "help": ("question_mark",),
    "help-code": ("question_mark", "c"),
    "system": ("5",),
    "system-form": ("5", "enter"),
    "quit": ("q",),
}


def focusable(app: App[Any]) -> set[Widget]:
    return {widget for widget in app.screen.query("*") if widget.focusable and widget.display}


async def round_trip(pilot: Pilot[Any], key: str) -> list[Widget]:
    """The widgets that have the focus one after the other, until the first comes again."""
    visited: list[Widget] = []
    while pilot.app.focused is not None and pilot.app.focused not in visited:
        focused = pilot.app.focused
        visited.append(focused)
        seen = focused.region
        assert seen.area > 0
        assert pilot.app.screen.get_widget_at(*seen.offset)[0] is focused, f"{focused!r} is covered:\n{grid(pilot.app)}"
        assert pilot.app.screen.region.contains_region(seen), f"{focused!r} is cut at {seen}:\n{grid(pilot.app)}"
        await pilot.press(key)
        await pilot.pause()
    return visited


@pytest.mark.parametrize("size", SIZES, ids=[f"{w}x{h}" for w, h in SIZES])
@pytest.mark.parametrize("name", SCREENS)
async def test_every_focusable_widget_is_reached(name: str, size: tuple[int, int], opened: Opened) -> None:
    async with opened(SCREENS[name], size) as pilot:
        wanted = focusable(pilot.app)
        assert wanted, "a screen without a focus cannot be operated"
        forwards = await round_trip(pilot, "tab")
        assert set(forwards) == wanted
        if len(wanted) > 1:
            backwards = await round_trip(pilot, "ctrl+t")
            assert set(backwards) == wanted


@pytest.mark.parametrize("name", ["home", "network", "review", "help"])
async def test_a_page_that_is_too_long_can_be_read_to_its_end(name: str, opened: Opened) -> None:
    keys = {"home": (), "network": ("2", "tab"), "review": ("2", "enter", "s", "ctrl+x"), "help": ("question_mark",)}[
        name
    ]
    async with opened(keys, (40, 9)) as pilot:
        page: Any = pilot.app.focused
        texts = ["".join(p if isinstance(p, str) else p[0] for p in row.parts).strip() for row in page.rows]
        await pilot.press("home", "home")
        await pilot.pause()
        seen = grid(pilot.app)
        for _ in range(len(page.rows)):
            await pilot.press("down")
            await pilot.pause()
            seen += grid(pilot.app)
        assert [line for line in texts if line[:20] not in seen] == []


async def test_the_column_of_places_opens_on_a_narrow_screen(opened: Opened) -> None:
    async with opened((), (40, 12)) as pilot:
        assert "2 Network" not in grid(pilot.app)
        await pilot.press("left")
        await pilot.pause()
        assert ">1 Home" in grid(pilot.app)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert "Interface" in grid(pilot.app)
        assert "2 Network" not in grid(pilot.app)
