"""The steps of an engine driver on a linked host: asked over the link, told line by line while they run.

The answer is JSON lines: events as they happen, an empty object every few seconds so that silence means that the host
is away, and last what the step gave or why it was refused. A step goes on to its end where the line breaks off; the
same step asked again waits for it first, and finds what it did.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from agent.engines.engine import Away, ClusterHost, Event, Tell
from agent.engines.steps import NAMES, issue_data, issue_of
from agent.links import wire
from agent.links.links import Links
from agent.links.serving import caller, said
from tui.models.change import Refused

_log = logging.getLogger("agent.links")

ALIVE_EVERY = 3.0
LARGEST = 64 << 20
"""Bytes of the arguments: a specification holds the texts of every pack."""
SILENT_AFTER = 15.0
"""Seconds without a line, after which the other host is away."""


@dataclass(frozen=True, slots=True)
class LinkedHost:
    """A linked host as a `ClusterHost`."""

    uid: str
    links: Links

    async def call(self, step: str, arguments: dict[str, Any], tell: Tell) -> Any:
        peer = self.links.peers.by_id(self.uid)
        if peer is None:
            raise Away("it is not linked with this host any more")
        seconds = httpx.Timeout(wire.SECONDS, read=SILENT_AFTER)
        try:
            async with (
                wire.client_to(self.links.own, peer) as client,
                client.stream("POST", f"/v1/onsite/peer/engine/{step}", json=arguments, timeout=seconds) as answer,
            ):
                if answer.status_code != 200:
                    raise Away(f"it answers with {answer.status_code}")
                async for line in answer.aiter_lines():
                    heard = json.loads(line)
                    if "event" in heard:
                        tell(Event.model_validate(heard["event"]))
                    elif "refused" in heard:
                        raise Refused(*(issue_of(each) for each in heard["refused"]))
                    elif "result" in heard:
                        return heard["result"]
        except (httpx.HTTPError, OSError, ValueError, ValidationError) as error:
            raise Away(f"it does not answer ({type(error).__name__})") from error
        raise Away("it went away in the middle")


def linked(links: Links, uid: str) -> ClusterHost | None:
    """The host of that id, None where it is not linked."""
    return LinkedHost(uid, links) if links.peers.by_id(uid) is not None else None


@dataclass(slots=True)
class Steps:
    """The serving side: one step at a time, by the host's own `ClusterHost`."""

    own: ClusterHost
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def routes(self) -> list[Route]:
        return [Route("/v1/onsite/peer/engine/{step}", self.serve, methods=["POST"])]

    async def serve(self, request: Request) -> Response:
        """POST /v1/onsite/peer/engine/{step}, for the leader of this host alone."""
        if caller(request).role != "leader":
            raise HTTPException(403, "Only the leader of this host runs steps on it.")
        step = request.path_params["step"]
        if step not in NAMES:
            raise HTTPException(404, "There is no such step.")
        arguments = await said(request, LARGEST)
        lines: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        task = asyncio.create_task(self._run(step, arguments, lines))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return StreamingResponse(_lines(lines), media_type="application/x-ndjson")

    async def _run(self, step: str, arguments: dict[str, Any], lines: asyncio.Queue[dict[str, Any]]) -> None:
        def tell(event: Event) -> None:
            lines.put_nowait({"event": event.model_dump(mode="json")})

        try:
            async with self._busy:
                result = await self.own.call(step, arguments, tell)
            lines.put_nowait({"result": result})
        except Refused as refused:
            lines.put_nowait({"refused": [issue_data(issue) for issue in refused.issues]})
        except asyncio.CancelledError:
            lines.put_nowait({"failed": True})
            raise
        except Exception:  # noqa: BLE001 - logged, and the leader hears that it failed
            _log.exception("the step %s", step)
            lines.put_nowait({"failed": True})


async def _lines(lines: asyncio.Queue[dict[str, Any]]) -> AsyncIterator[bytes]:
    while True:
        try:
            line = await asyncio.wait_for(lines.get(), ALIVE_EVERY)
        except TimeoutError:
            line = {}
        yield json.dumps(line).encode() + b"\n"
        if line.keys() & {"result", "refused", "failed"}:
            return
