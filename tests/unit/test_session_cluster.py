"""Several screens ask the agent for the cluster at once; what a slow answer says is older than what stands there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.screens.machine import machine, session_on
from tui.services.cluster import reading
from tui.services.cluster.reading import Reading
from tui.services.cluster.standing import Standing

THERE, DELETED = Reading(Standing(exists=True, state="Deleting")), Reading()


async def test_an_older_answer_does_not_undo_a_newer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that was deleted stood there as being deleted, and nothing drew the page again."""
    asked: asyncio.Queue[asyncio.Future[Reading]] = asyncio.Queue()

    async def read(*_: Any, **__: Any) -> Reading:
        answer: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()
        asked.put_nowait(answer)
        return await answer

    monkeypatch.setattr(reading, "read", read)
    session = session_on(machine(), tmp_path)
    session.cluster = THERE
    slow = asyncio.create_task(session.read_cluster(thoroughly=True))
    first = await asked.get()
    quick = asyncio.create_task(session.read_cluster())
    second = await asked.get()
    second.set_result(DELETED)
    assert await quick
    first.set_result(THERE)
    assert not await slow
    assert session.cluster == DELETED
