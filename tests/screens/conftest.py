"""Sessions on recorded hosts; nothing of this machine shows on any screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.recorded_agent import RecordedAgent, scene, serving
from tests.screens.grid import until
from tests.screens.machine import machine, session_on
from tui.app import OnsiteApp
from tui.session import Session

Opened = Callable[..., AbstractAsyncContextManager[Pilot[Any]]]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return session_on(machine(), tmp_path)


@pytest.fixture
def agent(session: Session) -> Iterator[RecordedAgent]:
    """An agent without a cluster, at the socket of the session's host; its answers may be changed."""
    found = RecordedAgent(scene("base"))
    with serving(found, session.host.path("/run/onsite/agent.sock")):
        yield found


@pytest.fixture
def opened(session: Session) -> Opened:
    """`async with opened(size=..., keys=[...]) as pilot`: the console after these keys, each fully handled."""

    @asynccontextmanager
    async def run(
        keys: tuple[str, ...] = (), size: tuple[int, int] = (80, 24), of: Session | None = None
    ) -> AsyncIterator[Pilot[Any]]:
        app = OnsiteApp(of or session)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.session.agent.known, "the agent's answer")
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            yield pilot

    return run
