"""The place of Checks: rungs appear in order as they are climbed, the first that fails is the line at the top, leaving
ends it. The ladder itself is tried among real peers in tests/netns/test_ladder.py; here it is told what to find."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.screens.conftest import Opened
from tests.screens.grid import SIZES, gone, grid, seen, until
from tests.screens.machine import NOON
from tui.models.change import Issue
from tui.models.check import Run, Rung
from tui.services.checks import run as checking
from tui.session import Session

EXPIRED = Issue(
    "D242", "error", "", "The certificate of api.manage.example has expired on 2026-01-30.",
    "Ask who runs api.manage.example to renew it.",
)  # fmt: skip
TLS = Rung("tls", "Certificate (TLS)", 16.0)
FOUND = (
    Rung("carrier", "Cable", 1.0, "ok", 0.0004, "1000 Mb/s"),
    Rung("address", "Address", 4.0, "ok", 0.0001, "192.0.2.10/24"),
    Rung("duplicate", "Address is ours alone", 4.0, "ok", 1.3812, "nobody else answers for 192.0.2.10"),
    Rung("gateway", "Gateway", 6.0, "ok", 0.0311, "192.0.2.1 is at 00:00:5e:00:53:fe"),
    Rung("nameserver 192.0.2.53", "Name server 192.0.2.53", 4.0, "ok", 0.002, "it answers (no error)"),
    Rung("resolve", "Name is found", 8.0, "ok", 0.001, "api.manage.example is 203.0.113.10"),
    Rung("tcp", "Connection (TCP)", 6.0, "ok", 0.012, "203.0.113.10 port 443: connected"),
    Rung("proxy", "Proxy", 10.0, "not tried", 0.0, "no proxy is set"),
    TLS.now("failed", 0.0623, "certificate has expired; subject api, issuer Site Root CA", EXPIRED),
    Rung("http", "Answer (HTTP)", 18.0, "not tried", 0.0, "its certificate check has failed"),
    Rung("clock", "Clock", 6.0, "ok", 0.004, "time.site.example: +0.002 s"),
    Rung("mtu", "Full-size packets", 16.0, "ok", 0.01, "1500 bytes pass to 203.0.113.10"),
    Rung("endpoint", "Management plane", 24.0, "not tried", 0.0, "its certificate check has failed"),
    Rung("registry", "Registry", 24.0, "ok", 0.05, "401 Unauthorized, it wants a sign-in"),
)
LAST = Run("lan0", FOUND, finished=NOON - 7200.0, boot_id="another boot")
Climb = Callable[..., Awaitable[Run]]


class Ladder:
    """Stands in for `run.run`: finds what it is told, one rung each time `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.cancelled = False
        self.drafts: list[object] = []

    async def __call__(
        self, host: object, facts: object, wanted: object, draft: object = None, *, told: Callable[[int, Rung], None]
    ) -> Run:
        self.drafts.append(draft)
        try:
            for number, rung in enumerate(FOUND):
                told(number, Rung(rung.name, rung.title, rung.limit, "running"))
                await self.go.wait()
                self.go.clear()
                told(number, rung)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return Run("lan0", FOUND, "draft" if draft else "now", finished=NOON)

    def all_at_once(self) -> None:
        self.go.clear = lambda: None  # type: ignore[method-assign]
        self.go.set()


@pytest.fixture
def ladder(monkeypatch: pytest.MonkeyPatch) -> Ladder:
    made = Ladder()
    monkeypatch.setattr(checking, "run", made)
    return made


@pytest.fixture
def checked(session: Session) -> Session:
    """A session on a host that was checked two hours ago."""
    checking.keep(session.host, LAST)
    session.read()
    return session


@pytest.mark.parametrize("size", [*SIZES, (60, 16), (40, 12)], ids=str)
async def test_last_result(
    opened: Opened, checked: Session, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with opened(("0",), size) as pilot:
        await seen(pilot, "2 hours ago")
        assert grid(pilot.app) == snapshot


async def test_home_shows_the_failing_rung_with_its_age(opened: Opened, checked: Session) -> None:
    async with opened() as pilot:
        await seen(pilot, "Checks, 2 hours ago: D242 The certificate of")
        assert "x  Checks, 2 hours ago" in grid(pilot.app)


async def test_home_says_nothing_of_checks_that_nobody_made(opened: Opened) -> None:
    async with opened() as pilot:
        assert "Checks, " not in grid(pilot.app)


async def test_rungs_appear_in_order_and_one_at_a_time(opened: Opened, ladder: Ladder) -> None:
    async with opened(("0",)) as pilot:
        await seen(pilot, "Nothing has been checked here yet")
        await pilot.press("r")
        for number, rung in enumerate(FOUND[:7]):
            await seen(pilot, f".. {rung.title[:20]}")
            ladder_part = "\n".join(line[16:] for line in grid(pilot.app).splitlines())
            assert not any(later.title[:20] in ladder_part for later in FOUND[number + 1 :])
            ladder.go.set()
        ladder.all_at_once()
        await seen(pilot, "D242 The certificate of api.manage.example has expired")
        await seen(pilot, "What to do: Ask who runs api.manage.example")


async def test_keys_work_while_it_climbs_and_leaving_ends_it(opened: Opened, ladder: Ladder) -> None:
    async with opened(("0", "r")) as pilot:
        await seen(pilot, ".. Cable")
        await pilot.press("2")
        await seen(pilot, "Interface")
        await until(pilot, lambda: ladder.cancelled)
        await pilot.press("0")
        await seen(pilot, "Ended because the place was left")


async def test_details_and_the_page_of_the_code(opened: Opened, checked: Session) -> None:
    async with opened(("0",)) as pilot:
        await pilot.press("space")
        await seen(pilot, "Seen: 1000 Mb/s (limit 1 s)")
        await pilot.press("space")
        await gone(pilot, "Seen:")
        assert "Enter explain" not in grid(pilot.app)
        await pilot.press(*["down"] * 8)
        await pilot.press("enter")
        await seen(pilot, "What to do")
        await seen(pilot, "D242 The certificate has expired")


async def test_the_draft_is_checked_where_there_is_one(opened: Opened, ladder: Ladder, session: Session) -> None:
    ladder.all_at_once()
    async with opened(("0",)) as pilot:
        assert "D check the draft" not in grid(pilot.app)
        link = session.facts.links[0]
        session.set_link(session.wish(link).model_copy(update={"mtu": 1400}))
        pilot.app.screen.refresh_all()  # type: ignore[attr-defined] # a Place
        await seen(pilot, "D check the draft")
        await pilot.press("d")
        await seen(pilot, "Checks of the draft")
    assert ladder.drafts == [session.draft]
    assert session.last_run is None, "what a draft gives is no result of the host"


async def test_settings_that_make_no_sense(opened: Opened, session: Session, tmp_path: Path) -> None:
    (session.host.path("/etc/onsite")).mkdir(parents=True, exist_ok=True)
    session.host.path("/etc/onsite/onsite.toml").write_text("[checks]\nendpoint = 'api manage'\n")
    async with opened(("0", "r")) as pilot:
        await seen(pilot, "S101 The settings cannot be used")


async def test_a_recording_is_not_checked(opened: Opened) -> None:
    async with opened(("0", "r")) as pilot:
        await seen(pilot, "this host is a recording")
