"""Content from the leader: a follower looks what it lacks, and brings it over part by part.

The leader serves manifests and parts to its followers; a follower asks when it reports. What breaks off goes on at the
next report.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agent.links import wire
from agent.links.identity import Identity
from agent.links.peers import Peer
from agent.links.serving import caller
from tui.models.change import Refused
from tui.models.content import MANIFEST, SIGNATURE, Member, Progress
from tui.services.content import copying, store
from tui.services.host import Host

_log = logging.getLogger("agent.links")
_PIECE = 1 << 20
_MANIFEST_LARGEST = 4 << 20
_SECONDS = httpx.Timeout(wire.SECONDS, read=30.0)


async def listed(request: Request) -> Response:
    """GET /v1/onsite/peer/content: digests of all that this host has."""
    caller(request)
    items = await run_in_threadpool(store.items, request.app.state.links.host)
    return JSONResponse({"items": [item.digest for item in items]})


async def head(request: Request) -> Response:
    """GET /v1/onsite/peer/content/{digest}: the manifest as it is, and its signature."""
    caller(request)
    host: Host = request.app.state.links.host
    raw, signature = await run_in_threadpool(_head, host, request.path_params["digest"])
    return JSONResponse({"manifest": _text(raw), "signature": _text(signature)})


async def part(request: Request) -> Response:
    """GET /v1/onsite/peer/content/{digest}/{sha256}?offset=: one part from there to its end."""
    caller(request)
    host: Host = request.app.state.links.host
    try:
        offset = int(request.query_params.get("offset", "0"))
    except ValueError as error:
        raise HTTPException(400, "The offset is no number.") from error
    fd = await run_in_threadpool(_opened, host, request.path_params["digest"], request.path_params["sha256"])
    return StreamingResponse(_pieces(fd, max(0, offset)), media_type="application/octet-stream")


ROUTES = [
    Route("/v1/onsite/peer/content", listed, methods=["GET"]),
    Route("/v1/onsite/peer/content/{digest}", head, methods=["GET"]),
    Route("/v1/onsite/peer/content/{digest}/{sha256}", part, methods=["GET"]),
]


@dataclass(slots=True)
class Sync:
    """The follower's side. `state` is what the contract calls contentSyncStatus: Synced, Syncing 40 %, or why not."""

    host: Host
    own: Identity
    state: str = ""
    have: list[str] = field(default_factory=list)
    """Digests of what is here, as of the last look."""
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def with_leader(self, leader: Peer) -> None:
        """Bring over what is missing here. What goes wrong is in `state` and is tried again next time."""
        if self._busy.locked():
            return
        async with self._busy:
            try:
                async with wire.client_to(self.own, leader) as client:
                    wanted = (await _asked(client, "")).get("items", [])
                    have = {item.digest for item in await asyncio.to_thread(store.items, self.host)}
                    self.have = sorted(have)
                    for digest in [str(d) for d in wanted if d not in have]:
                        await self._bring(client, digest)
                        self.have = sorted({*self.have, digest})
                self.state = "Synced"
            except Refused as refused:
                self.state = f"{refused.issues[0].code} {refused.issues[0].text}"
                _log.warning("content of %s: %s", leader.name, refused)
            except (httpx.HTTPError, OSError, ValueError) as error:
                self.state = "The leader stopped answering; it goes on by itself."
                _log.info("content of %s: %s", leader.name, type(error).__name__)

    async def _bring(self, client: httpx.AsyncClient, digest: str) -> None:
        said = await _asked(client, f"/{digest}")
        raw, signature = (base64.b64decode(str(said[name]), validate=True) for name in ("manifest", "signature"))

        async def fetch(member: Member, offset: int) -> AsyncIterator[bytes]:
            path = f"/v1/onsite/peer/content/{digest}/{member.sha256}"
            async with client.stream("GET", path, params={"offset": offset}, timeout=_SECONDS) as answer:
                answer.raise_for_status()
                async for piece in answer.aiter_bytes(_PIECE):
                    yield piece

        def told(progress: Progress) -> None:
            self.state = f"Syncing {100 * progress.done // max(1, progress.total)} %"

        await copying.copied(self.host, raw, signature, fetch, told)


async def _asked(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """Raises httpx.HTTPError, ValueError: no answer, or nonsense."""
    answer = (await client.get(f"/v1/onsite/peer/content{path}", timeout=_SECONDS)).raise_for_status()
    if len(answer.content) > 2 * _MANIFEST_LARGEST:
        raise ValueError("too long an answer")
    return dict(answer.json())


def _head(host: Host, digest: str) -> tuple[bytes, bytes]:
    folder = _item(host, digest)
    raw = (folder / MANIFEST).read_bytes()
    try:
        return raw, (folder / SIGNATURE).read_bytes()
    except FileNotFoundError:
        return raw, b""


def _opened(host: Host, digest: str, sha256: str) -> int:
    _item(host, digest)
    member = next((m for m in store.manifest(host, digest).members if m.sha256 == sha256), None)
    if member is None:
        raise HTTPException(404, "There is no such part.")
    return os.open(store.tree(host, digest) / member.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _item(host: Host, digest: str) -> Any:
    if not any(item.digest == digest for item in store.items(host)):
        raise HTTPException(404, "There is no such content.")
    return store.folder(host) / "items" / digest


async def _pieces(fd: int, offset: int) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(os.pread, fd, _PIECE, offset):
            offset += len(piece)
            yield piece
    finally:
        os.close(fd)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
