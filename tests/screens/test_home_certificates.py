"""Home says which certificate ends: of an authority, of this host, of its cluster. One line, with its code."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.certificates import Issued, issued
from tests.recorded_agent import RecordedAgent, scene
from tests.screens.conftest import Opened
from tests.screens.grid import grid, seen
from tests.screens.grid import until as gone
from tests.screens.machine import NOON, machine, session_on
from tui.models.facts import FileFact, Trust
from tui.services.clock import FixedClock
from tui.services.trust.server import CERTIFICATE, KEY
from tui.session import Session

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.fromtimestamp(NOON, datetime.UTC)


def until(days: float, name: str, **more: bool) -> Issued:
    return issued(name, begins=NOW - 400 * DAY, ends=NOW + days * DAY, **more)


Made = Callable[..., Session]


@pytest.fixture
def made(session: Session, tmp_path: Path) -> Made:
    """A session whose host has an authority and a certificate of its own that hold for so many days."""

    def make(authority: float, server: float) -> Session:
        root, own = until(authority, "Example Root CA"), until(server, "edge-7c21", ca=False)
        path = "/usr/local/share/ca-certificates/onsite-12345678.crt"
        facts = replace(machine(), trust=Trust("debian"), files=(FileFact(path, text=root.pem.decode()),))
        found = session_on(facts, tmp_path)
        for name, data in ((CERTIFICATE, own.pem), (KEY, own.key_pem)):
            found.host.path(name).parent.mkdir(parents=True, exist_ok=True)
            found.host.path(name).write_bytes(data)
        found.read()
        return found

    return make


@pytest.mark.parametrize(
    ("authority", "server", "words"),
    [
        (20.5, 400, "S124 Example Root CA ends in 20 days."),
        (-3, 400, "S122 Example Root CA has ended."),
        (400, 20.5, "S178 The certificate of this host ends in 20 days."),
        (20, -3, "S172 The certificate of this host has ended."),
    ],
    ids=["authority-soon", "authority-ended", "host-soon", "host-ended"],
)
async def test_a_certificate_of_the_host(
    authority: float, server: float, words: str, made: Made, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    async with opened((), of=made(authority, server)) as pilot:
        await seen(pilot, words[:4])
        assert words in " ".join(grid(pilot.app).split())
        assert grid(pilot.app) == snapshot
        await pilot.press(*["down"] * 5, "enter")
        await seen(pilot, "Authorities (CA)")


async def test_nothing_is_said_while_all_hold(made: Made, opened: Opened) -> None:
    session = made(400, 400)
    async with opened((), of=session) as pilot:
        await seen(pilot, "Nothing waits")
        assert session.ending is None
        assert "Certificates:" not in grid(pilot.app)


async def test_days_pass_while_nobody_does_anything(made: Made, opened: Opened) -> None:
    session = made(400, 100)
    async with opened((), of=session) as pilot:
        await seen(pilot, "Nothing waits")
        session.host.clock = FixedClock(NOON + 90 * 86400)
        await seen(pilot, "S178")


async def test_one_that_is_renewed_by_somebody_else_is_seen(
    made: Made, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.app.FACTS_SECONDS", 0.2)
    session = made(400, 20.5)
    async with opened((), of=session) as pilot:
        await seen(pilot, "S178")
        new = until(300, "edge-7c21", ca=False)
        session.host.path(KEY).write_bytes(new.key_pem)
        session.host.path(CERTIFICATE).write_bytes(new.pem)
        await gone(pilot, lambda: "S178" not in grid(pilot.app), "the warning gone")


async def test_a_certificate_of_the_cluster(agent: RecordedAgent, opened: Opened, snapshot: SnapshotAssertion) -> None:
    agent.answers = scene("ending")
    async with opened() as pilot:
        await seen(pilot, "K305")
        assert grid(pilot.app) == snapshot
        await pilot.press("9", "enter")
        await seen(pilot, "What to do")
        assert len(agent.bodies("GET /v1/edge-mgmt/cluster/certificates")) == 1


async def test_in_a_healthy_cluster_the_host_has_the_line(
    agent: RecordedAgent, made: Made, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    agent.answers = scene("healthy")
    async with opened((), of=made(400, 20.5)) as pilot:
        await seen(pilot, "S178")
        await seen(pilot, "shop-12")
        assert grid(pilot.app) == snapshot
