"""The support page in every state at 80x24: collecting, contents, a member, written, refused; nothing leaks."""

from __future__ import annotations

import re
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from screens.support import SupportScreen
from tests.screens.conftest import Opened
from tests.screens.grid import gone, grid, seen, until
from tests.screens.machine import NOON, machine, session_on
from tests.screens.paths import Step, walk
from tests.screens.test_reach import SIZES, focusable, round_trip
from tui.models.check import Run, Rung
from tui.models.facts import FileFact
from tui.models.support import Bundle, Offered
from tui.services.trust.sticks import Stick
from tui.session import Session

WIFI = "network:\n  wifis:\n    wlan0:\n      access-points:\n        site: {password: correct-horse}\n"
PAGE: tuple[Step, ...] = ((("l",), "S support bundle"), (("s",), "Nothing is written yet"))
ASKED: tuple[Step, ...] = (*PAGE, (("f",), "/var/lib/onsite/support"))
STATES: dict[str, tuple[Step, ...]] = {
    "contents": PAGE,
    "member": (*PAGE, (("end", "enter"), "files/oem/site.yaml")),
    "file": ASKED,
    "written": (*ASKED, (("enter",), "Written:")),
    "refused": (*ASKED, (("ctrl+u", *"/nowhere/x", "enter"), "U101")),
    "why": (*ASKED, (("ctrl+u", *"/nowhere/x", "enter"), "U101"), (("up", "up", "enter"), "What to do")),
    "no-address": (*PAGE, (("h",), "U111")),
    "no-stick": (*PAGE, (("u",), "no stick that can be written")),
    "log": (*ASKED, (("enter",), "Written:"), (("escape",), "support bundle, alice")),
}
OFFERED = Offered("https://192.0.2.10:40123/abcdefghijklmnopqrstuvwxyz"[:51], "0123456789abcdef" * 4, 600)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    files = (FileFact("/oem/site.yaml", text=WIFI), FileFact("/etc/netplan/1.yaml", text=WIFI))
    return session_on(replace(machine(), files=files), tmp_path)


def steady(text: str) -> str:
    """The screen without the sizes that differ from machine to machine."""
    text = re.sub(r"[ \d]{8}\d B(?=  (contents|versions|facts|in all))", "        N B", text)
    return re.sub(r"\(\d+( B\)?)?", "(N", text)


@pytest.mark.parametrize("name", STATES)
async def test_state(name: str, opened: Opened, session: Session, snapshot: SnapshotAssertion) -> None:
    async with opened((), of=session) as pilot:
        await walk(pilot, STATES[name])
        if name in ("contents", "written", "refused", "no-address"):
            await seen(pilot, "U to a stick")  # the line of keys follows a moment later
        assert "correct-horse" not in grid(pilot.app)
        assert steady(grid(pilot.app)) == snapshot


async def test_what_was_written_is_what_was_shown(opened: Opened, session: Session) -> None:
    async with opened((), of=session) as pilot:
        await walk(pilot, STATES["written"])
        screen = pilot.app.screen
        assert isinstance(screen, SupportScreen)
        assert isinstance(screen.bundle, Bundle)
        (path,) = session.host.path("/var/lib/onsite/support").iterdir()
        with tarfile.open(path) as archive:
            inside = {e.name.partition("/")[2]: e.size for e in archive}
        assert inside == {m.name: m.size for m in screen.bundle.members}
    assert b"correct-horse" not in path.read_bytes()


@pytest.mark.parametrize("name", ["link", "link-sent", "sticks", "collecting", "writing"])
async def test_state_that_passes(name: str, opened: Opened, session: Session, snapshot: SnapshotAssertion) -> None:
    """States that a recorded host does not stay in: drawn from what the screen would have been told."""
    async with opened((), of=session) as pilot:
        await walk(pilot, PAGE)
        screen = pilot.app.screen
        assert isinstance(screen, SupportScreen)
        if name.startswith("link"):
            screen._link_opened(OFFERED)
            if name == "link-sent":
                screen._sent(50, 100)
        elif name == "sticks":
            screen.sticks = [Stick("/dev/sda1", "vfat", "CONFIG", "14.9G"), Stick("/dev/sdb1", "ext4", "", "1G")]
            screen.update()
        else:
            screen.doing, screen.progress = {"collecting": "Collecting", "writing": "Writing"}[name], (3, 10)
            screen.bundle = None if name == "collecting" else screen.bundle
            screen.update()
        await gone(pilot, "U to a stick")
        assert steady(grid(pilot.app)) == snapshot


async def test_from_checks_only_after_a_failure(opened: Opened, session: Session) -> None:
    rung = Rung("carrier", "Cable", 1.0, "failed", 0.1, "no carrier")
    session.last_run = Run("lan0", (rung,), finished=NOON - 7200.0, boot_id="another boot")
    async with opened((), of=session) as pilot:
        await walk(pilot, ((("0",), "S support"), (("s",), "Nothing is written yet"), (("escape",), "no carrier")))
    session.last_run = replace(session.last_run, rungs=(replace(rung, verdict="ok"),))
    async with opened((), of=session) as pilot:
        await walk(pilot, ((("0",), "Checks of"),))
        await gone(pilot, "S support")
        await pilot.press("s")
        await pilot.pause()
        assert "Checks of" in grid(pilot.app)


async def test_leaving_while_it_collects(opened: Opened, session: Session) -> None:
    async with opened((), of=session) as pilot:
        await walk(pilot, PAGE[:1])
        await pilot.press("s", "escape")
        await seen(pilot, "newest first")
        await until(pilot, lambda: all(w.group != "support" for w in pilot.app.workers))


@pytest.mark.parametrize("size", SIZES, ids=[f"{w}x{h}" for w, h in SIZES])
async def test_every_widget_is_reached(size: tuple[int, int], opened: Opened, session: Session) -> None:
    async with opened((), size, of=session) as pilot:
        await walk(pilot, PAGE, look=size[0] >= 80)
        await until(pilot, lambda: getattr(pilot.app.screen, "bundle", None) is not None)
        assert set(await round_trip(pilot, "tab")) == focusable(pilot.app)
