"""From a key press to the kernel and back: Keep, Revert, the deadline, and what other consoles do meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.screens.conftest import Opened
from tests.screens.grid import grid, seen, until
from tests.screens.machine import LAN0, NOON, SILENT, machine, session_on
from tui.services.clock import FixedClock
from tui.services.network.recorded import RecordedKernel
from tui.session import Session

STATIC = ("2", "down", "enter", "s", "tab", *"203.0.113.10/24", "tab", *"203.0.113.1", "ctrl+x")
"""A static address on lan1, which has a cable and nothing else."""
LAN1 = SILENT.identity
FILE = "/etc/onsite/links/00-00-5e-00-53-02.yaml"


def addresses(session: Session, identity: str = LAN1) -> set[str]:
    """What the kernel of the recorded host has."""
    link = next(x for x in session.host.kernel.links() if x.identity == identity)
    return {a.address for a in link.addresses if not a.link_local}


def gateways(session: Session, identity: str = LAN1) -> set[str]:
    link = next(x for x in session.host.kernel.links() if x.identity == identity)
    return set(link.default_gateways)


def clock(session: Session) -> FixedClock:
    assert isinstance(session.host.clock, FixedClock)
    return session.host.clock


async def applied(pilot: Any) -> None:
    """Press A on Review and say yes to its warnings, if it has any."""
    await seen(pilot, "nothing is written yet")
    await pilot.press("a")
    await until(pilot, lambda: pilot.app.screen.is_modal or pilot.app.screen.name == "keep", "Apply's answer")
    if pilot.app.screen.is_modal:
        await pilot.press("y")
    await seen(pilot, "Keep this change?")


async def test_kept_is_in_the_kernel_and_in_the_file(opened: Opened, session: Session) -> None:
    async with opened(STATIC) as pilot:
        assert not session.host.path(FILE).exists(), "nothing is written before Review"
        await applied(pilot)
        assert addresses(session) == {"203.0.113.10/24"}
        assert gateways(session) == {"203.0.113.1"}
        assert not session.host.path(FILE).exists(), "nothing is kept before Keep"
        await pilot.press("k")
        await seen(pilot, "Kept. It will be there after a restart.")
        assert "203.0.113.10/24" in session.host.path(FILE).read_text()
        await pilot.press("enter", "2")
        await seen(pilot, "203.0.113.10/24")
        assert session.draft is None
        await pilot.press("l")
        await seen(pilot, "kept, alice on ttyS0")


async def test_reverted_is_gone_from_kernel_and_screen_says_so(opened: Opened, session: Session) -> None:
    async with opened(STATIC) as pilot:
        await applied(pilot)
        await pilot.press("r")
        await seen(pilot, "(verified)")
        assert addresses(session) == set()
        assert not session.host.path(FILE).exists()
        assert session.pending() is None
        await pilot.press("enter", "l")
        await seen(pilot, "taken back (verified), alice on ttyS0")


async def test_nobody_keeps_it_and_it_goes_by_itself(opened: Opened, session: Session) -> None:
    async with opened(STATIC) as pilot:
        await applied(pilot)
        clock(session).move(119)
        await seen(pilot, "Time left:   1 s")
        clock(session).move(2)
        await seen(pilot, "nobody kept it in time")
        assert addresses(session) == set()
        assert session.pending() is None


async def test_more_time(opened: Opened, session: Session) -> None:
    async with opened(STATIC) as pilot:
        await applied(pilot)
        clock(session).move(100)
        await seen(pilot, "Time left:  20 s")
        await pilot.press("m")
        await seen(pilot, "Time left: 120 s")
        await pilot.press("k")
        await seen(pilot, "Kept.")


async def test_a_new_console_opens_at_the_countdown(opened: Opened, session: Session) -> None:
    async with opened(STATIC) as pilot:
        await applied(pilot)
    clock(session).move(30)
    other = Session(session.host, who="bob", line="tty1")
    other.read()
    async with opened((), of=other) as pilot:
        await seen(pilot, "Time left:  90 s")
        assert "Changed by alice on ttyS0" in grid(pilot.app)
        await pilot.press("k")
        await seen(pilot, "Kept.")
    assert addresses(session) == {"203.0.113.10/24"}


async def test_another_console_decided(opened: Opened, session: Session) -> None:
    async with opened(STATIC) as pilot:
        await applied(pilot)
        pending = session.pending()
        assert pending is not None
        other = Session(session.host, who="bob", line="tty1")
        await other.keep(pending.change_id)
        await seen(pilot, "Kept, by somebody else.")
        await pilot.press("enter")
        await seen(pilot, "Nothing waits to be applied")


async def test_leaving_in_the_window_leaves_the_change_undecided(opened: Opened, session: Session) -> None:
    async with opened(STATIC) as pilot:
        await applied(pilot)
        await pilot.press("ctrl+c")
        await seen(pilot, "A change is not decided")
        await pilot.press("y")
        await pilot.pause()
    pending = session.pending()
    assert pending is not None
    assert pending.phase == "waiting"


async def test_the_last_kept_change_is_taken_back(opened: Opened, session: Session) -> None:
    async with opened(STATIC) as pilot:
        await applied(pilot)
        await pilot.press("k")
        await seen(pilot, "Kept.")
        await pilot.press("enter", "v", "h", "r")
        await seen(pilot, "This takes the last kept change back")
        await applied(pilot)
        assert addresses(session) == set()
        await pilot.press("k")
        await seen(pilot, "Kept.")
        assert not session.host.path(FILE).exists()


async def test_a_file_changed_since_review_stops_apply(opened: Opened, session: Session) -> None:
    async with opened(STATIC) as pilot:
        await seen(pilot, "nothing is written yet")
        path = session.host.path(FILE)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# somebody else\n")
        await pilot.press("a")
        await until(pilot, lambda: pilot.app.screen.is_modal or "C102" in grid(pilot.app), "Apply's answer")
        if pilot.app.screen.is_modal:
            await pilot.press("y")
        await seen(pilot, "C102")
        assert addresses(session) == set()
        assert path.read_text() == "# somebody else\n"


async def test_discard_forgets_the_draft(opened: Opened, session: Session) -> None:
    async with opened((*STATIC, "d")) as pilot:
        await seen(pilot, "Discard the changes?")
        await pilot.press("y")
        await seen(pilot, "Nothing waits to be applied")
        assert session.draft is None


async def test_events_of_the_kernel_change_the_screen_by_themselves(opened: Opened, session: Session) -> None:
    kernel = session.host.kernel
    assert isinstance(kernel, RecordedKernel)
    async with opened(("2",)) as pilot:
        await seen(pilot, "wan0      no carrier")
        await kernel.set_carrier("wan0", carrier=True)
        await seen(pilot, "wan0      up")
        await pilot.press("1")
        await kernel.set_carrier("lan1", carrier=False)
        await seen(pilot, "lan1     no address, no carrier")


async def test_what_is_typed_survives_an_event(opened: Opened, session: Session) -> None:
    kernel = session.host.kernel
    assert isinstance(kernel, RecordedKernel)
    async with opened(("2", "enter", "s", "tab", "ctrl+u", *"203.0.113")) as pilot:
        await kernel.set_carrier("lan0", carrier=False)
        await seen(pilot, "lan0  no carrier")
        assert "[203.0.113 " in grid(pilot.app)


async def test_going_static_says_what_is_lost(opened: Opened, tmp_path: Path) -> None:
    session = session_on(machine(LAN0), tmp_path)
    keys = ("2", "enter", "s", "tab", "tab", "ctrl+u", "ctrl+x")
    async with opened(keys, of=session) as pilot:
        await seen(pilot, "the gateway 192.0.2.1 that DHCP gave goes away")
        assert "lan0 IPv4 gateway: 192.0.2.1 (DHCP) -> none" in grid(pilot.app)


def test_the_clock_of_these_tests_stands_still(session: Session) -> None:
    assert session.host.clock.now() == NOON
