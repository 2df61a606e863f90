"""Two consoles on one host: who edits is in the title line of the other, and taking over is a question."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.screens.conftest import Opened
from tests.screens.grid import gone, grid, seen
from tests.screens.machine import machine, session_on
from tests.screens.paths import KEEP, STATIC, walk
from tui.models.link import LinkConfig
from tui.session import Session

MAC = "00:00:5e:00:53:01"


@pytest.fixture
def bob(tmp_path: Path, session: Session) -> Session:
    """At the screen of the host that alice has on her serial line, with a draft of his."""
    other = session_on(machine(), tmp_path)
    other.host.clock = session.host.clock
    other.who, other.line = "bob", "tty1"
    ipv4 = {"method": "static", "addresses": ["192.0.2.77/24"], "gateway": "192.0.2.1"}
    other.set_link(LinkConfig.model_validate({"mac": MAC, "name": "lan0", "ipv4": ipv4}))
    return other


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (24, 8)])
async def test_title_line_says_who_edits(bob: Session, opened: Opened, size: tuple[int, int]) -> None:
    async with opened((), size) as pilot:
        words = "tty1, bob, since" if size[0] > 24 else "tty1, bob"
        assert words in grid(pilot.app).splitlines()[0]


async def test_the_draft_of_the_other_is_seen_and_left_alone(bob: Session, opened: Opened) -> None:
    async with opened(("v",)) as pilot:
        await seen(pilot, "192.0.2.77/24")
        await pilot.press("d", "y")
        await seen(pilot, "Take over?")
        await pilot.press("n")
        await gone(pilot, "Take over?")
        assert "192.0.2.77/24" in grid(pilot.app)
    bob.look_at_draft()
    assert bob.draft is not None


async def test_taken_over_at_a_field_and_nothing_that_is_typed_is_lost(
    bob: Session, session: Session, opened: Opened
) -> None:
    async with opened(("2", "enter")) as pilot:
        await seen(pilot, "Take over?")
        await pilot.press("n", "tab", "ctrl+u", *"192.0.2.78/24", "ctrl+x")
        await seen(pilot, "Take over?")
        await pilot.press("y")
        await gone(pilot, "Take over?")
        assert "192.0.2.78/24" in grid(pilot.app)
        await pilot.press("ctrl+x")
        await seen(pilot, "nothing is written yet")
        assert "192.0.2.78/24" in grid(pilot.app)
        assert bob.tend(editing=True) is not None


async def test_who_loses_it_is_told(session: Session, opened: Opened, tmp_path: Path) -> None:
    async with opened(()) as pilot:
        await walk(pilot, STATIC)
        other = session_on(machine(), tmp_path)
        other.host.clock = session.host.clock
        other.who, other.line = "bob", "tty1"
        other.claim(over=True)
        pilot.app._tend()  # type: ignore[attr-defined]  # what its timer does every five seconds
        await seen(pilot, "Taken over: tty1, bob, since")
        await pilot.press("escape")
        await gone(pilot, "Taken over")
        assert "192.0.2.10/24" in grid(pilot.app), "the form is as it was"


async def test_a_change_that_waits_is_kept_by_whoever_sits_there(
    bob: Session, session: Session, opened: Opened
) -> None:
    bob.discard()
    bob.let_go()
    async with opened(()) as pilot:
        await walk(pilot, KEEP)
        bob.read()
        change = bob.pending()
        assert change is not None
        await bob.keep(change.change_id)
        pilot.app.screen._tick()  # type: ignore[attr-defined]  # what its timer does every second
        await seen(pilot, "Kept, by somebody else")
