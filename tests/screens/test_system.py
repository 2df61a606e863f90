"""Name & time on recorded hosts: what it shows, what may be typed, the draft, and the clock set by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.screens.conftest import Opened
from tests.screens.grid import grid
from tests.screens.machine import NOON, machine, session_on
from tests.screens.paths import Step, walk
from tui.models.facts import FileFact, Setters
from tui.session import Session
from tui.widgets.form import FormView

SYNCHRONISED = "/run/systemd/timesync/synchronized"
FILES = (
    FileFact("/etc/localtime", target="/usr/share/zoneinfo/Etc/UTC"),
    FileFact("/etc/default/keyboard", text='XKBLAYOUT="us"\n'),
    FileFact("/etc/hosts", text="127.0.0.1 localhost\n127.0.1.1 edge-7c21\n"),
)
PLACE: tuple[Step, ...] = ((("5",), "has not set the clock"),)
EDITOR: tuple[Step, ...] = (*PLACE, (("enter",), "[ Done ]"))
TYPED: tuple[Step, ...] = (
    *EDITOR,
    (("ctrl+u", *"edge-9", "tab", *"192.0.2.1 ntp.site.example", "tab", "ctrl+u", *"europe/berlin"), "europe/berlin"),
)
SCREENS: dict[str, tuple[Step, ...]] = {
    "place": PLACE,
    "editor": EDITOR,
    "wrong": (*EDITOR, (("ctrl+u", *"Edge_1", "tab", "up"), "Y105")),
    "why": (*EDITOR, (("tab", *"ntp.example:123", "ctrl+y"), "Esc back")),
    "typed": TYPED,
    "review": (*TYPED, (("ctrl+x",), "nothing is written yet")),
    "clock": (*PLACE, (("t",), "Now (UTC)")),
    "clock-wrong": (*PLACE, (("t", *"31.1.2026", "enter"), "Y114")),
    "clock-ask": (*PLACE, (("t", *"2026-02-01 10:00", "enter"), "Set it to")),
    "clock-set": (*PLACE, (("t", *"2026-02-01 10:00", "enter"), "Set it to"), (("y",), "The clock was set")),
}


@pytest.fixture
def on(tmp_path: Path) -> Callable[..., Session]:
    """A session on a host with a time service and a keyboard, or with what is given."""

    def make(setters: Setters | None = None, **more: object) -> Session:
        given = Setters("timesyncd", "/etc/default/keyboard") if setters is None else setters
        return session_on(replace(machine(), **{"files": FILES, "setters": given, **more}), tmp_path)  # type: ignore[arg-type]  # fields of Facts

    return make


@pytest.mark.parametrize("name", SCREENS)
async def test_grid(name: str, opened: Opened, on: Callable[..., Session], snapshot: SnapshotAssertion) -> None:
    async with opened((), of=on()) as pilot:
        await walk(pilot, SCREENS[name])
        assert grid(pilot.app) == snapshot


async def test_draft_is_what_was_typed_and_nothing_else(opened: Opened, on: Callable[..., Session]) -> None:
    session = on()
    async with opened((), of=session) as pilot:
        await walk(pilot, (*TYPED, (("ctrl+x",), "nothing is written yet")))
    assert session.draft is not None
    assert session.draft.to_dict() == {
        "version": 1,
        "links": [],
        "identity": {"hostname": "edge-9"},
        "clock": {"servers": ["192.0.2.1", "ntp.site.example"], "zone": "Europe/Berlin"},
    }


async def test_done_without_a_change_leaves_no_draft(opened: Opened, on: Callable[..., Session]) -> None:
    session = on()
    async with opened((), of=session) as pilot:
        await walk(pilot, (*EDITOR, (("tab", "tab", "tab", "tab", *"zy-/", "ctrl+x"), "has not set the clock")))
        assert session.draft is None


async def test_kept_from_the_screen(opened: Opened, on: Callable[..., Session]) -> None:
    session = on()
    async with opened((), of=session) as pilot:
        await walk(pilot, (*TYPED, (("ctrl+x",), "nothing is written yet"), (("a",), "Keep this change?")))
        await walk(pilot, ((("k",), "Kept."),))
    assert session.host.path("/etc/hostname").read_text() == "edge-9\n"
    assert "127.0.1.1\tedge-9\n" in session.host.path("/etc/hosts").read_text()
    assert os.readlink(session.host.path("/etc/localtime")).endswith("zoneinfo/Europe/Berlin")  # noqa: PTH115 - as written


async def test_a_cluster_locks_the_name(opened: Opened, on: Callable[..., Session]) -> None:
    async with opened((), of=on(cluster_uses_address=True)) as pilot:
        await walk(pilot, ((("5",), "A Kubernetes cluster runs"), (("enter",), "locked by Kubernetes")))
        form = pilot.app.screen.query_one(FormView)
        assert "identity.hostname" not in form.fields
        assert "clock.servers" in form.fields


async def test_what_cannot_be_set_here_is_no_field(opened: Opened, on: Callable[..., Session]) -> None:
    async with opened((), of=on(Setters(), files=FILES[:1])) as pilot:
        await walk(pilot, ((("5",), "none can be set here"), (("enter",), "[ Done ]")))
        assert set(pilot.app.screen.query_one(FormView).fields) == {"identity.hostname", "clock.zone"}


async def test_a_synchronised_clock_is_not_set_by_hand(opened: Opened, on: Callable[..., Session]) -> None:
    session = on()
    mark = session.host.path(SYNCHRONISED)
    mark.parent.mkdir(parents=True)
    mark.touch()
    os.utime(mark, (NOON - 7200, NOON - 7200))
    async with opened((), of=session) as pilot:
        await walk(pilot, ((("5",), "timesyncd sets the clock; last 2 hours ago."), (("t",), "Y133")))
    assert session.host.clock.now() == NOON
