"""The place of the registration in every state at 80x24 and 80x25, its editor, and the QR code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.screens.conftest import Opened
from tests.screens.grid import SIZES, grid
from tests.screens.machine import NOON, machine, session_on
from tests.screens.paths import Step as Path_
from tests.screens.paths import walk
from tests.screens.test_reach import focusable, round_trip
from tui.models.facts import FileFact
from tui.models.host import HostConfig
from tui.models.registration import RegistrationConfig
from tui.models.timeline import LABELS, Step, Timeline
from tui.services import registration
from tui.services.agent.registering import derived
from tui.services.change import planner
from tui.session import Session

SECRET = "tok-3f9c0ffee"
CENTRAL = {
    "endpoint": "manage.example", "token": SECRET, "project": "stores-north", "tags": ["city:berlin"],
    "registration_url": "https://join.example/r",
}  # fmt: skip
LONG = {"registration_url": f"https://join.example/{'x' * 80}"}
PLACE: tuple[Path_, ...] = ((("6",), "Registration"),)
EDIT: tuple[Path_, ...] = (*PLACE, (("enter",), "[ Done ]"))


def at(reached: int, state: Any, step: Step | None = None, **more: Any) -> Timeline:
    """A timeline in which so many steps are done, and what came of the next."""
    made = [Step(name=n, mark="ok" if i < reached else "", time=NOON + i, said="x") for i, n in enumerate(LABELS)]
    made = [m if m.mark else Step(name=m.name) for m in made]
    if step is not None:
        made[reached] = step
    return Timeline(state=state, endpoint="manage.example", steps=made, **more)


EXPIRED = Step(
    name="token", mark="failed", time=NOON, code="R122", text="The token has expired, says manage.example.",
    remedy="Ask for a new token and type it here.",
)  # fmt: skip
WAITS = Step(
    name="known", mark="waiting", time=NOON, code="R130",
    text="manage.example waits for somebody to enter or accept edge-7c21x0042.",
    remedy="Read the host id to whoever runs it, or let them scan the code under R.",
)  # fmt: skip
NOT_MADE = Step(
    name="cluster", mark="failed", time=NOON, said="shop-12", code="B124",
    text="There is no definition at /var/lib/onsite/content/shop.tgz.", remedy="Import it: place Content.",
)  # fmt: skip
"""An assignment that could not be carried out."""
OTHER = {"spec": {"managementMode": "central", "paletteEndpointURL": "https://manage.example"}}
USED = {"status": {"isClusterPhase": True}}


def other_agent(*parts: dict[str, Any]) -> Timeline:
    from tui.models.contract.host import EdgeHostInfo

    return derived(EdgeHostInfo.model_validate({k: v for part in parts for k, v in part.items()}))


STATES: dict[str, tuple[dict[str, Any] | None, Timeline | None, tuple[Path_, ...]]] = {
    "none": (None, Timeline(), PLACE),
    "trying": (CENTRAL, at(0, "trying", Step(name="name", mark="running")), PLACE),
    "expired": (CENTRAL, at(3, "failed", EXPIRED, next_try=41.0, attempts=3), PLACE),
    "why": (CENTRAL, at(3, "failed", EXPIRED, next_try=41.0), (*PLACE, (("c",), "What to do"))),
    "waits": (CENTRAL | {"way": "manual"}, at(4, "waiting", WAITS, next_try=23.0), PLACE),
    "paired": (CENTRAL, at(7, "paired"), PLACE),
    "in-use": (CENTRAL, at(8, "in use"), PLACE),
    "not-made": (CENTRAL, at(7, "in use", NOT_MADE), PLACE),
    "not-made-home": (CENTRAL, at(7, "in use", NOT_MADE), (((), "B124"),)),
    "held": (CENTRAL, at(0, "held"), PLACE),
    "local": ({"mode": "local"}, Timeline(state="local"), PLACE),
    "other-agent": (CENTRAL, other_agent(OTHER), PLACE),
    "other-agent-in-use": (CENTRAL, other_agent(OTHER, USED), PLACE),
    "edit": (None, Timeline(), EDIT),
    "edit-again": (CENTRAL, at(7, "paired"), EDIT),
    "edit-local": (None, Timeline(), (*EDIT, (("right",), "Host id from"))),
    "edit-typed": (None, Timeline(), (*EDIT, (("down", *"http://a.b", "down"), "R102"))),
    "edit-token": (None, Timeline(), (*EDIT, (("down", *"a.b", "down", "down", *SECRET), "*****"))),
    "review": (
        None, Timeline(), (*EDIT, (("down", *"a.b", "down", "down", *SECRET, "ctrl+x"), "nothing is written yet")),
    ),
    "qr": (CENTRAL, at(7, "paired"), ((("r",), "Scan it"),)),
    "qr-long": (CENTRAL | LONG, at(7, "paired"), ((("r",), "R141"),)),
    "home": (CENTRAL, at(3, "failed", EXPIRED, next_try=41.0), (((), "R122"),)),
}  # fmt: skip
BOTH = ("expired", "edit", "qr")
"""Where one line more shows more."""
CASES = [(name, size) for name in STATES for size in (SIZES if name in BOTH else SIZES[:1])]


def with_state(name: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    values, timeline, _ = STATES[name]
    facts = machine()
    if values is not None:
        wish = HostConfig(registration=RegistrationConfig.model_validate(values))
        (step,) = planner.plan(wish, facts, {}).steps
        content = (step.image.content or b"").decode()
        facts = replace(facts, files=(FileFact(registration.KEPT, step.image.sha256, content, 0o600),))
    session = session_on(facts, root)
    session.timeline = timeline

    async def told(_: Session) -> bool:
        return False

    monkeypatch.setattr(Session, "read_timeline", told)
    return session


@pytest.mark.parametrize(("state", "size"), CASES, ids=[f"{name}-{w}x{h}" for name, (w, h) in CASES])
async def test_grid(
    state: str, size: tuple[int, int], tmp_path: Path, opened: Opened, snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    async with opened((), size, with_state(state, tmp_path, monkeypatch)) as pilot:
        await walk(pilot, STATES[state][2])
        assert SECRET not in grid(pilot.app)
        assert grid(pilot.app) == snapshot


REACH = [(80, 24), (60, 16), (40, 12), (24, 8)]


@pytest.mark.parametrize("size", REACH, ids=[f"{w}x{h}" for w, h in REACH])
@pytest.mark.parametrize("state", ["expired", "edit-again", "local", "qr"])
async def test_every_focusable_widget_is_reached(
    state: str, size: tuple[int, int], tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"edit-again": ("6", "enter"), "qr": ("r",)}.get(state, ("6",))
    async with opened(keys, size, with_state(state, tmp_path, monkeypatch)) as pilot:
        wanted = focusable(pilot.app)
        assert set(await round_trip(pilot, "tab")) == wanted
        assert wanted


async def test_the_words_of_the_code_are_there_where_it_does_not_fit(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(("r",), (60, 16), with_state("qr", tmp_path, monkeypatch)) as pilot:
        seen = grid(pilot.app)
        assert "too small" in seen
        assert "▀" not in seen
        assert "edge -7c2 1x00 42" in seen
