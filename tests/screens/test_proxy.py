"""The place of the proxy in every state at 80x24 and 80x25, and that no password reaches any screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from tests.screens.conftest import Opened
from tests.screens.grid import SIZES, grid, seen, until
from tests.screens.machine import NOON, machine, session_on
from tests.screens.paths import Step, walk
from tui.models.change import Issue
from tui.models.facts import Facts
from tui.models.proxy import ProxyConfig, Upstream
from tui.services.host import Host
from tui.services.proxy import presented, trial
from tui.services.proxy.exceptions import proposed
from tui.services.proxy.presented import Certificate
from tui.services.proxy.trial import Trial
from tui.session import Session

SECRET = "s3cr3t"
TYPED: tuple[Step, ...] = (
    (("3",), "Proxy of this host"),
    (("enter",), "[ Done ]"),
    (("right",), "Proxy host"),
    (("down", *"proxy", "down", "down", *"edge01", "down", *SECRET), "******"),
)
PLACE: tuple[Step, ...] = ((("3",), "Proxy of this host"),)
TEST: tuple[Step, ...] = (*PLACE, (("t",), "Nothing has been tried"))
ADDRESSES: tuple[str, ...] = (*"https://a.example/", "down", *"b")

FRESH: dict[str, tuple[Step, ...]] = {
    "none": TYPED[:1],
    "edit": TYPED[:2],
    "edit-one": TYPED[:3],
    "edit-typed": TYPED,
    "edit-two": (*TYPED[:2], (("right", "right"), "HTTPS host")),
    "edit-url": (*TYPED[:3], (("down", *"http://u:s3@p:1", "down"), "P102")),
    "edit-why": (*TYPED[:3], (("down", "ctrl+y"), "Esc back")),
}
DRAFTED: dict[str, tuple[Step, ...]] = {
    "draft": PLACE,
    "exceptions": (*PLACE, (("e",), "Python")),
    "edit-again": (*PLACE, (("enter",), "******")),
    "edit-leave": (*PLACE, (("enter",), "[ Done ]"), (("down", "x", "escape"), "Leave without")),
    "review": ((("v",), "nothing is written yet"),),
    "review-files": ((("v",), "nothing is written yet"), (("f",), "/etc/onsite/proxy.json")),
    "test": TEST,
}
SIZE = {"draft": SIZES, "edit-one": SIZES}
"""Where one line more shows more; the others are looked at with 80x24 only."""


@pytest.fixture
def session(tmp_path: Path) -> Session:
    consumers = ("shell", "systemd", "apt", "containerd", "k3s")
    return session_on(replace(machine(), consumers=consumers), tmp_path)


@pytest.fixture
def drafted(session: Session) -> Session:
    """The proxy is in the draft already, with every exception that is known."""
    upstream = Upstream(host="proxy.example", port=3128, user="edge01", password=SecretStr(SECRET))
    exceptions = tuple(p.entry for p in proposed(session.facts))
    session.set_parts(proxy=ProxyConfig(method="one", http=upstream, exceptions=exceptions))
    return session


CASES = [(name, size) for name in (*FRESH, *DRAFTED) for size in SIZE.get(name, SIZES[:1])]


@pytest.mark.parametrize(("state", "size"), CASES, ids=[f"{name}-{w}x{h}" for name, (w, h) in CASES])
async def test_grid(
    state: str, size: tuple[int, int], session: Session, opened: Opened, snapshot: SnapshotAssertion,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    if state in DRAFTED:
        request.getfixturevalue("drafted")
    async with opened((), size) as pilot:
        await walk(pilot, (FRESH | DRAFTED)[state])
        assert SECRET not in grid(pilot.app)
        assert grid(pilot.app) == snapshot


def _trials(*made: Trial) -> object:
    async def answer(proxy: ProxyConfig, urls: Sequence[str], host: Host, facts: Facts) -> tuple[Trial, ...]:
        return made

    return answer


VIA = "http://edge01:***@proxy.example:3128"
STEPS = (("connect", 0.1), ("CONNECT", 0.2))
CORPORATE = Certificate("CN=a.example", "CN=Corp Inspection CA", NOON, NOON + 86400, "0123456789abcdef" * 4)
OPENED = presented.opened("a.example:443", CORPORATE, trusted=False)
NTLM = Issue(
    "P137", "error", "proxy", "The proxy wants a login, but offers only: NTLM. This host can do Basic.",
    "Ask IT for an exemption by address, or a proxy with Basic.",
)  # fmt: skip
RESULTS = {
    "reached": (Trial("https://a.example/", VIA, STEPS, 200), Trial("https://b.example/", "", STEPS, 401)),
    "opened": (Trial("https://a.example/", VIA, STEPS, chain=(CORPORATE,), issues=(OPENED,)),),
    "login": (Trial("https://a.example/", VIA, STEPS, 407, ("ntlm",), issues=(NTLM,)),),
    "no-address": (Trial("a.example", issues=(trial.parse("a.example"),)),),
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
async def test_results(
    name: str, drafted: Session, opened: Opened, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "from_host", _trials(*RESULTS[name]))
    drafted.tried = {"endpoint": "https://a.example/"}
    async with opened() as pilot:
        await walk(pilot, (*PLACE, (("t",), "https://a.example/"), (("ctrl+x",), " s\n")))
        assert grid(pilot.app) == snapshot


async def test_while_it_is_tried(
    drafted: Session, opened: Opened, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    async def slow(proxy: ProxyConfig, urls: Sequence[str], host: Host, facts: Facts) -> tuple[Trial, ...]:
        assert list(urls) == ["https://a.example/", "b"]
        assert proxy.secret
        await over.wait()
        return ()

    monkeypatch.setattr(trial, "from_host", slow)
    async with opened() as pilot:
        await walk(pilot, (*TEST, ((*ADDRESSES, "ctrl+x"), "Testing 2 addresses...")))
        assert grid(pilot.app) == snapshot
        over.set()
        await seen(pilot, "Nothing has been tried")


async def test_the_code_of_a_result_is_explained(
    drafted: Session, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "from_host", _trials(*RESULTS["opened"]))
    drafted.tried = {"endpoint": "https://a.example/"}
    async with opened() as pilot:
        await walk(
            pilot, (*PLACE, (("t",), "https://a.example/"), (("ctrl+x",), "P142"), (("enter",), "The proxy opens TLS"))
        )


async def test_kept_then_edited_without_typing_the_password_again(
    drafted: Session, opened: Opened, snapshot: SnapshotAssertion
) -> None:
    async with opened() as pilot:
        await walk(pilot, ((("v",), "nothing is written yet"), (("a",), "Keep this change?"), (("k",), "Kept.")))
        await walk(pilot, ((("enter", "3"), "http://edge01:***@proxy.example:3128"),))
        assert "draft" not in grid(pilot.app)
        assert grid(pilot.app) == snapshot
        edited = (("enter",), "[ Done ]")
        await walk(pilot, (edited, (("down", "down", "ctrl+u", *"8080", "ctrl+x"), "P109")))
        await walk(pilot, ((("d",), "Discard the changes?"), (("y",), "Nothing waits"), (("3",), "proxy.example:3128")))
        await walk(pilot, (edited, ((*["down"] * 6, "ctrl+u", "x", "ctrl+x"), "nothing is written")))
        written = {step.image.path: step.image.content or b"" for step in drafted.plan().steps}
    assert f"edge01:{SECRET}@".encode() in written["/etc/onsite/proxy.env"], "as kept for the same proxy and user"


async def test_a_secret_does_not_leave_its_field(opened: Opened) -> None:
    async with opened() as pilot:
        await walk(pilot, TYPED)
        field = pilot.app.focused
        field.select_all()
        field.action_copy()
        field.action_cut()
        await pilot.pause()
        assert pilot.app.clipboard == ""
        assert field.text == SECRET


async def test_a_compact_screen_reaches_all_fields(opened: Opened) -> None:
    async with opened((), (40, 12)) as pilot:
        await walk(pilot, TYPED[:2], look=False)
        await pilot.press("right", *["down"] * 6)
        await until(pilot, lambda: pilot.app.focused.id == "exceptions")
        assert "Exceptions" in grid(pilot.app)
