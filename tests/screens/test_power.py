"""Power: the name of the host before anything, nothing while a change waits, and the way back of the network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.screens.conftest import Opened
from tests.screens.grid import gone, grid, seen, until
from tests.screens.machine import LAN0, SILENT, machine, session_on
from tests.screens.test_reach import SIZES, focusable, round_trip
from tui.services.change import journal
from tui.session import Session

CONFIGURED = replace(LAN0, origin="console", method4="static")


@pytest.fixture
def at_the_host(tmp_path: Path) -> Session:
    session = session_on(machine(CONFIGURED, SILENT), tmp_path)
    session.physical = True
    return session


async def test_place_and_question(at_the_host: Session, opened: Opened, snapshot: SnapshotAssertion) -> None:
    async with opened(("p",), of=at_the_host) as pilot:
        assert grid(pilot.app) == snapshot(name="place")
        await pilot.press("enter")
        await seen(pilot, "Restart this host?")
        await pilot.press(*"edge-7c22", "enter")
        assert grid(pilot.app) == snapshot(name="another name")


async def test_only_the_name_of_this_host_does_it(at_the_host: Session, opened: Opened) -> None:
    async with opened(("p", "down", "enter"), of=at_the_host) as pilot:
        for wrong in ("", "edge", "EDGE-7C21"):
            await pilot.press("ctrl+u", *wrong, "enter")
            await seen(pilot, "This is edge-7c21")
        await pilot.press("ctrl+u", *"edge-7c21", "enter")
        await seen(pilot, "A real one would be")


async def test_nothing_while_a_change_waits(session: Session, opened: Opened) -> None:
    pending = session.host.path(journal.PATH)  # whatever is in it: the file is what says that a change waits
    pending.parent.mkdir(parents=True)
    pending.write_text("{}")
    async with opened(("p", "enter")) as pilot:
        await seen(pilot, "W201")
        assert "Restart this host?" not in grid(pilot.app)


async def test_factory_network_is_a_change_like_any_other(at_the_host: Session, opened: Opened) -> None:
    async with opened(("p", "down", "down", "enter"), of=at_the_host) as pilot:
        await seen(pilot, "Factory network?")
        await pilot.press(*"edge-7c21", "enter")
        await seen(pilot, "nothing is written yet")
        assert at_the_host.draft is not None
        assert [(x.name, x.ipv4.method) for x in at_the_host.draft.links] == [("lan0", "dhcp")]


async def test_factory_network_only_where_one_stands_at_the_host(session: Session, opened: Opened) -> None:
    async with opened(("p",)) as pilot:
        assert "Restart this host" in grid(pilot.app)
        assert "Factory network" not in grid(pilot.app)


@pytest.mark.parametrize(
    ("facts", "code"), [(machine(LAN0), "W204"), (replace(machine(CONFIGURED), cluster_uses_address=True), "W203")]
)
async def test_factory_network_that_cannot_be(facts: object, code: str, opened: Opened, tmp_path: Path) -> None:
    session = session_on(facts, tmp_path)  # type: ignore[arg-type]  # Facts
    session.physical = True
    async with opened(("p", "down", "down", "enter"), of=session) as pilot:
        await seen(pilot, code)


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
async def test_reach(at_the_host: Session, opened: Opened, size: tuple[int, int]) -> None:
    async with opened(("p",), size, of=at_the_host) as pilot:
        assert set(await round_trip(pilot, "tab")) == focusable(pilot.app)
        await pilot.press("1", "p", "enter")
        await until(pilot, lambda: len(pilot.app.screen_stack) > 1)
        assert set(await round_trip(pilot, "tab")) == focusable(pilot.app)
        await pilot.press("escape")
        await gone(pilot, "Host name")
