"""The import of an archive as a job: paused, gone on with, given up; it goes on by itself after a kill of the agent."""

from __future__ import annotations

import asyncio
import json
import platform
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.jobs import Jobs, Kind, Step, Work
from tui.models.content import Item, Origin, Progress
from tui.models.content_api import Import
from tui.services.content import importing, sources, store
from tui.services.content.sources import Source
from tui.services.host import Host

KIND, LANE = "content", "content"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture() -> str:
    """Of this machine, as bundles name it."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def upload_path(digest: str) -> str:
    """What the contract calls the path of an uploaded archive."""
    return f"{store.FOLDER}/items/{digest}"


def kind(host: Host) -> Kind:
    """The kind of job, for the agent of that host."""

    async def bring(work: Work) -> None:
        source = Source(**{k: work.argument[k] for k in ("path", "device", "file_system", "inside")})
        origin: Origin = "uploaded" if work.argument.get("upload") else "imported"

        def told(progress: Progress) -> None:
            work.told(progress.done / max(1, progress.total), progress.part)
            begun = _FIGURES.get(work.job) or _Figures(time.monotonic(), progress.done)
            _FIGURES[work.job] = replace(begun, done=progress.done, total=progress.total)

        _FIGURES.pop(work.job, None)
        item = await in_thread(
            lambda stop: _import(host, source, origin, work.argument.get("signature", ""), told, stop, work)
        )
        work.told(1.0, f"{item.name} {item.version} is on this host.")
        _used_up(host, work)

    async def forget(work: Work) -> None:
        digest = str(work.kept.get("digest", ""))
        if digest and not any(i.digest == digest for i in await asyncio.to_thread(store.items, host)):
            await asyncio.to_thread(store.abandon, host, digest)
        _used_up(host, work)

    def steps(_argument: Mapping[str, Any]) -> tuple[Step, ...]:
        return (Step("ContentImported", "Import of content", bring, forget),)

    return Kind(KIND, "Import of content", "host", LANE, steps)


@dataclass(frozen=True, slots=True)
class _Figures:
    """Of a job that runs in this process: when it began, and bytes."""

    begun: float
    at_first: int
    done: int = 0
    total: int = 0


_FIGURES: dict[str, _Figures] = {}


def _import(
    host: Host, source: Source, origin: Origin, signature: str, told: importing.Told, stop: threading.Event, work: Work
) -> Item:
    with sources.opened(host, source) as (fd, beside):
        given = signature.encode() or beside
        head = importing.looked(host, fd, beside=given)
        work.keep(digest=head.digest)
        return importing.imported(
            host,
            fd,
            name=str(work.argument.get("name") or source.name),
            beside=given,
            origin=origin,
            told=told,
            stop=stop,
        )


async def in_thread(run: Callable[[threading.Event], Item]) -> Item:
    """`run(stop)` in a thread; when the task is cancelled it is told to stop, and waited for."""
    stop = threading.Event()
    task = asyncio.get_running_loop().run_in_executor(None, run, stop)
    try:
        found: Item = await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # B126, or that it had ended meanwhile
        raise
    return found


def start(jobs: Jobs, argument: Mapping[str, Any], who: str) -> str:
    """Begin. Returns the job's id.

    Raises:
        Refused: A120, another import runs.
    """
    return jobs.start(KIND, argument, who)


def current(jobs: Jobs) -> Import | None:
    """The import that runs, or one that is paused, or else the one that ended last."""
    row = jobs.store.row(
        "SELECT * FROM jobs WHERE kind = ? ORDER BY state NOT IN ('running', 'undoing'), state != 'paused',"
        " created DESC, rowid DESC LIMIT 1", KIND,
    )  # fmt: skip
    if row is None:
        return None
    shown = jobs.shown(row)
    figures = _FIGURES.get(row["id"], _Figures(0.0, 0))
    spent = time.monotonic() - figures.begun
    left = figures.total - figures.done
    rate = (figures.done - figures.at_first) / spent if spent > 1.0 else 0.0
    return Import(
        job=row["id"], name=str(_name(row["argument"])), state=shown["state"], code=shown["code"],
        message=shown["message"], doing=shown["doing"], done=figures.done, total=figures.total,
        seconds_left=left / rate if rate > 0 and shown["state"] == "running" else -1.0,
    )  # fmt: skip


def _name(argument: str) -> str:
    data = json.loads(argument)
    return str(data.get("name") or Path(data.get("inside") or data.get("path") or "").name)


def _used_up(host: Host, work: Work) -> None:
    """An uploaded archive is not needed any more."""
    if upload := work.argument.get("upload"):
        from agent import uploads

        uploads.remove(host, str(upload))
