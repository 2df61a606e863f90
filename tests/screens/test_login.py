"""The door of a console: what is open, what is not, the count of wrong passwords, and the lock after idling.

PAM is the real one, with a stack of the test's own: a program that knows one password.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from screens.support import SupportScreen
from tests.screens.conftest import Opened
from tests.screens.grid import gone, grid, seen, until
from tests.screens.machine import NOON
from tests.screens.paths import KEEP, STATIC, walk
from tests.screens.test_checks import EXPIRED
from tui.models.check import Run, Rung
from tui.models.facts import FileFact
from tui.services.clock import FixedClock
from tui.services.login.gate import Gate
from tui.session import NOBODY, Session
from tui.widgets.places import PLACES

PASSWORD = "correct horse"
FAILED = Run(
    "lan0", (Rung("carrier", "Cable", 1.0, "failed", 0.1, "no carrier", EXPIRED),), finished=NOON, boot_id="this"
)


@pytest.fixture
def door(session: Session, tmp_path: Path) -> Gate:
    """alice's serial line asks, three wrong passwords shut it, and root has a password here."""
    stack = tmp_path / "pam.d"
    stack.mkdir()
    program = stack / "knows"
    program.write_text(f'#!/bin/sh\n[ "$(tr -d "\\000")" = "{PASSWORD}" ] && [ "$PAM_TTY" = ttyS0 ]\n')
    program.chmod(0o755)
    (stack / "onsite").write_text(
        f"auth [success=1 default=ignore] pam_exec.so expose_authtok quiet {program}\n"
        "auth requisite pam_deny.so\nauth required pam_permit.so\naccount required pam_permit.so\n"
    )
    etc = session.host.path("/etc")
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (etc / "shadow").write_text("root:$y$hash:1::::::\n")
    session.who = NOBODY
    session.gate = Gate(asked=True, failures=3, idle=600, service=("onsite", stack))
    return session.gate


def keys(text: str) -> tuple[str, ...]:
    return tuple("space" if c == " " else c for c in text)


async def log_in(pilot, password: str = PASSWORD, user: str = "root") -> None:  # type: ignore[no-untyped-def]  # a Pilot
    await pilot.press("ctrl+u", *user, "enter", *keys(password), "enter")


@pytest.mark.parametrize("place", [p for p in PLACES if p.name not in ("home", "checks", "help")], ids=lambda p: p.name)
async def test_every_other_place_asks(door: Gate, place: object, opened: Opened) -> None:
    async with opened(()) as pilot:
        await pilot.press("question_mark" if place.key == "?" else place.key)  # type: ignore[attr-defined]  # a Destination
        await seen(pilot, "Log in")
        await pilot.press("escape")
        await seen(pilot, "Steps")


async def test_home_checks_and_help_do_not(door: Gate, opened: Opened) -> None:
    async with opened(()) as pilot:
        await pilot.press("0")
        await seen(pilot, "*0 Checks")
        await pilot.press("question_mark")
        await seen(pilot, "Everywhere")
        await pilot.press("1")
        await seen(pilot, "Steps")


async def test_the_list_of_places_and_the_steps_ask_too(door: Gate, opened: Opened) -> None:
    async with opened(()) as pilot:
        await pilot.press("enter")
        await seen(pilot, "Log in")
        await pilot.press("escape", "left", "down", "enter")
        await seen(pilot, "Log in")


async def test_a_support_bundle_asks_too(door: Gate, session: Session, opened: Opened) -> None:
    """It is offered after checks that failed, in a place that needs no login; it writes files and opens a port."""
    session.last_run = FAILED
    async with opened(("0",)) as pilot:
        await pilot.press("s")
        await seen(pilot, "Log in")
        await pilot.press("escape")
        await seen(pilot, "*0 Checks")
        await pilot.press("s")
        await seen(pilot, "Log in")
        await log_in(pilot)
        await seen(pilot, "Support bundle: what leaves this host")
        assert isinstance(session.host.clock, FixedClock)
        session.host.clock.move(601)
        await seen(pilot, "Steps")
        await pilot.press("0")
        await seen(pilot, "*0 Checks")
        assert "Support bundle" not in grid(pilot.app)
        assert SupportScreen not in map(type, pilot.app.screen_stack)


LOOKING = {
    "HomeScreen",
    "ChecksScreen",
    "HelpScreen",
    "LoginScreen",
    "ExplainScreen",
    "RegistrationQrScreen",
    "Question",
}

MOVES = (
    "app.focus",
    "go(",
    "next",
    "cursor",
    "scroll",
    "page",
    "places",
    "delete",
    "home",
    "end",
    "select",
    "up",
    "down",
)
"""What goes about on a screen, and to other places, of which `test_every_other_place_asks` speaks."""


async def test_no_key_of_an_open_place_leads_further(door: Gate, session: Session, opened: Opened) -> None:
    """Every key that does something, on every screen that such keys lead to: with failed checks and a page to scan."""
    session.last_run = FAILED
    page = FileFact("/etc/onsite/registration.json", text='{"registration_url": "https://a/"}')
    session.facts = replace(session.facts, files=(page,))
    async with opened(()) as pilot:
        app = pilot.app

        async def go(*way: str) -> None:
            while len(app.screen_stack) > 1:
                await pilot.press("escape")
            await pilot.press("1", *way)

        ways: dict[str, tuple[str, ...]] = {"HomeScreen": (), "ChecksScreen": ("0",), "HelpScreen": ("question_mark",)}
        for here, way in (queue := list(ways.items())):
            await go(*way)
            keys = {bound.binding.action: key for key, bound in app.screen.active_bindings.items()}
            for action, key in sorted(keys.items(), key=lambda pair: "climb" in pair[0]):  # which forgets what failed
                if action.startswith(MOVES) or (here, action) == ("Question", "answer(True)"):
                    continue
                await go(*way)
                assert app.screen.check_action(action.partition("(")[0], ()), f"{here} {key} does nothing"
                await pilot.press(key)
                names = [type(screen).__name__ for screen in app.screen_stack]
                assert LOOKING.issuperset(names), f"{here} {key}: {names}"
                if names[-1] not in ways:
                    ways[names[-1]] = (*way, key)
                    queue.append((names[-1], ways[names[-1]]))
    assert set(ways) == LOOKING
    assert session.draft is None
    assert {event["event"] for event in session.audit()} <= {"login refused"}


async def test_once_and_then_it_is_open(
    door: Gate, session: Session, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    async with opened(("2",)) as pilot:
        await pilot.press(*"root", "enter", *"secret")
        assert "secret" not in grid(pilot.app)
        assert grid(pilot.app) == snapshot
        await pilot.press("ctrl+u", *keys(PASSWORD), "enter")
        await seen(pilot, "Interface")
        assert session.who == "root"
        await pilot.press("3")
        await seen(pilot, "*3 Proxy")
    assert [e["event"] for e in session.audit()] == ["logged in"]


async def test_wrong_ones_shut_the_line(
    door: Gate, session: Session, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    async with opened(("2",)) as pilot:
        await pilot.press(*"root", "enter")
        for number in range(1, 4):
            await pilot.press(*keys(f"wrong {number}"), "enter")
            await until(pilot, lambda: len(session.audit()) == number)  # noqa: B023 - asked within this turn
            await seen(pilot, "A501" if number < 3 else "A502")
        assert grid(pilot.app) == snapshot
        await pilot.press(*keys(PASSWORD), "enter")
        await seen(pilot, "A502")
        assert isinstance(session.host.clock, FixedClock)
        session.host.clock.move(301)
        await pilot.press(*keys(PASSWORD), "enter")
        await seen(pilot, "Interface")
    assert [e["event"] for e in session.audit()] == ["login refused"] * 3 + ["logged in"]
    assert "wrong" not in session.host.path("/var/lib/onsite/audit.log").read_text()


async def test_a_user_who_is_no_administrator(door: Gate, opened: Opened) -> None:
    async with opened(("2",)) as pilot:
        await log_in(pilot, user="nobody")
        await seen(pilot, "A503")


async def test_idle_locks_and_nothing_that_is_typed_is_lost(door: Gate, session: Session, opened: Opened) -> None:
    async with opened(("2",)) as pilot:
        await log_in(pilot)
        await seen(pilot, "Interface")
        await walk(pilot, STATIC[1:])
        await pilot.press("tab", "ctrl+u", *"192.0.2.99/24")
        assert isinstance(session.host.clock, FixedClock)
        session.host.clock.move(601)
        await seen(pilot, "Steps")
        assert session.who == NOBODY
        await pilot.press("2")
        await seen(pilot, "Log in")
        await log_in(pilot)
        await seen(pilot, "192.0.2.99/24")


async def test_a_countdown_is_not_locked_and_needs_no_login(door: Gate, session: Session, opened: Opened) -> None:
    async with opened(("2",)) as pilot:
        await log_in(pilot)
        await seen(pilot, "Interface")
        await walk(pilot, KEEP[1:])
        door.idle = 1.0
        assert isinstance(session.host.clock, FixedClock)
        session.host.clock.move(30)
        await pilot.pause(2.5)
        await seen(pilot, "Keep this change?")
        door.user = ""  # as a console that starts in the middle of a countdown
        await pilot.press("k")
        await seen(pilot, "Kept.")


async def test_a_host_without_an_administrator_gets_one(
    door: Gate, session: Session, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    session.host.path("/etc/shadow").write_text("root:*:1::::::\n")
    async with opened(()) as pilot:
        await seen(pilot, "Make the first administrator")
        await pilot.press("2")
        await seen(pilot, "no administrator yet")
        assert grid(pilot.app) == snapshot
        await pilot.press(*"alice", "enter", *"password1234", "enter", *"password1235", "enter")
        await seen(pilot, "A514")
        await pilot.press(*"password1234", "enter", *"password1234", "enter")
        await seen(pilot, "A512")
        await pilot.press("escape")
        await gone(pilot, "no administrator yet.")


async def test_switched_off_is_said(session: Session, opened: Opened) -> None:
    session.gate = Gate(off=True)
    async with opened(()) as pilot:
        await seen(pilot, "asks for no login")
        await pilot.press("2")
        await seen(pilot, "Interface")


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (40, 12), (24, 8)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_reach(door: Gate, opened: Opened, size: tuple[int, int]) -> None:
    from tests.screens.test_reach import focusable, round_trip

    async with opened(("2",), size) as pilot:
        wanted = focusable(pilot.app)
        assert len(wanted) == 2
        assert set(await round_trip(pilot, "tab")) == wanted
