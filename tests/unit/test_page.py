"""A page scrolls by a row where the terminal can, else by most of a page; the cursor is always in sight."""

from __future__ import annotations

from itertools import groupby

import pytest
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from tui.widgets.page import Page, Row

ROWS, LINES = 60, 20
ROOM = LINES - 1


class Paged(App[None]):
    """A page, alone or beside something else. Every third row is no stop."""

    def __init__(self, beside: bool) -> None:
        super().__init__()
        self.beside = beside
        self.page = Page([Row((f"row {n}",), str(n) if n % 3 else "") for n in range(ROWS)])

    def compose(self) -> ComposeResult:
        self.page.styles.width = "1fr"
        with Horizontal():
            if self.beside:
                places = Static("places")
                places.styles.width = 16
                yield places
            yield self.page


async def visited(beside: bool, key: str) -> list[tuple[int, int]]:
    """(first row in sight, cursor) from one end of the page to the other."""
    app = Paged(beside)
    async with app.run_test(size=(80, LINES)) as pilot:
        app.page.focus()
        await pilot.press("home" if key == "down" else "end")
        found = [(app.page.top, app.page.cursor)]
        while len(found) < 2 or found[-1] != found[-2]:
            await pilot.press(key)
            found.append((app.page.top, app.page.cursor))
    return found


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("key", ["down", "up"])
async def test_every_stop_is_visited_and_every_row_seen(beside: bool, key: str) -> None:
    found = await visited(beside, key)
    stops = [n for n in range(ROWS) if n % 3]
    cursors = [cursor for cursor, _ in groupby(cursor for _, cursor in found)]
    assert cursors == (stops if key == "down" else stops[::-1])
    assert all(top <= cursor < top + ROOM for top, cursor in found)
    assert {row for top, _ in found for row in range(top, top + ROOM)} == set(range(ROWS))


@pytest.mark.parametrize("key", ["down", "up"])
@pytest.mark.parametrize(("beside", "scrolls"), [(False, (40, 41)), (True, (3,))])
async def test_beside_something_it_scrolls_seldom(beside: bool, key: str, scrolls: tuple[int, ...]) -> None:
    """A terminal scrolls whole rows only, so what stands beside the page makes each scroll a new page on the line.

    At the top, what stands above the first stop comes along with it.
    """
    tops = [top for top, _ in groupby(top for top, _ in await visited(beside, key))]
    assert len(tops) - 1 in scrolls
