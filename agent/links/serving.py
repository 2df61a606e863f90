"""What linked hosts ask of each other, on a listener of their own: nothing of the management API is there."""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from agent import errors
from agent.links import peers, wire
from agent.links.links import Links
from agent.links.peers import Peer
from agent.links.window import Refusal

MOST_CONTENT = 1000
LARGEST = 256 << 10
"""Bytes of a request; a host describes itself in a tenth of it."""


def build(links: Links, *more: BaseRoute) -> Starlette:
    """The application for peers. `more`: what other concerns of the agent serve to linked hosts."""
    app = Starlette(
        routes=[
            Route("/v1/onsite/peer/pair/begin", begin, methods=["POST"]),
            Route("/v1/onsite/peer/pair/finish", finish, methods=["POST"]),
            Route("/v1/onsite/peer/state", state, methods=["POST"]),
            Route("/v1/onsite/peer/unlink", unlink, methods=["POST"]),
            *more,
        ],
        middleware=[Middleware(errors.Failures)],
        exception_handlers={HTTPException: errors.refused},
    )
    app.state.links = links
    return app


def caller(request: Request) -> Peer:
    """Which linked host asks.

    Raises:
        HTTPException: 403, a stranger, or a host that has been unlinked.
    """
    links: Links = request.app.state.links
    fingerprint = wire.who(request.client.host if request.client else "")
    peer = links.peers.by_fingerprint(fingerprint) if fingerprint else None
    if peer is None:
        raise HTTPException(403, "This host is not linked with you.")
    return peer


async def begin(request: Request) -> Response:
    """The first half of a pairing, asked by a stranger."""
    links: Links = request.app.state.links
    heard = await said(request)
    try:
        peer = _described(heard.get("host"), request)
        number, message = links.window.begin(str(heard.get("kind")), peer, _bytes(heard.get("message")))
    except Refusal as error:
        return errors.error(403, str(error))
    return JSONResponse({"number": number, "message": _text(message)})


async def finish(request: Request) -> Response:
    """The second half: the follower's proof against the leader's, and who else is linked."""
    links: Links = request.app.state.links
    heard = await said(request)
    me, others = await links.me(), [_public(each) for each in links.peers.followers]
    try:
        peer, proof = links.window.finish(str(heard.get("number")), _bytes(heard.get("proof")))
        links.admitted(peer, me["id"])
    except Refusal as error:
        return errors.error(403, str(error))
    return JSONResponse({"proof": _text(proof), "host": me, "peers": others})


async def state(request: Request) -> Response:
    """A follower says how it is and hears of the others."""
    links: Links = request.app.state.links
    peer = caller(request)
    heard = await said(request)
    have = [str(digest) for digest in heard.get("have") or []][:MOST_CONTENT]
    links.heard_of(peer, dict(heard.get("info", {})), str(heard.get("content", ""))[:200], have)
    others = [_public(each) for each in links.peers.followers if each.id != peer.id]
    return JSONResponse({"info": await links.info(), "peers": others})


async def unlink(request: Request) -> Response:
    """A linked host ends the link from its side."""
    links: Links = request.app.state.links
    links.forget(caller(request))
    return JSONResponse({})


def _described(data: Any, request: Request) -> Peer:
    """The follower as it describes itself, at the address that it calls from."""
    try:
        return peers.peer({**data, "address": request.state.address, "role": "follower"})
    except (ValueError, TypeError) as error:
        raise HTTPException(400, "No description of a host.") from error


def _public(peer: Peer) -> dict[str, Any]:
    return {
        "id": peer.id, "name": peer.name, "address": peer.address, "port": peer.port, "certificate": peer.certificate,
    }  # fmt: skip


async def said(request: Request, largest: int = LARGEST) -> dict[str, Any]:
    """The JSON object of a request of at most `largest` bytes."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > largest:
            raise HTTPException(413, "The request is too large.")
    try:
        found = json.loads(bytes(data))
    except ValueError as error:
        raise HTTPException(400, "The request is no JSON.") from error
    if not isinstance(found, dict):
        raise HTTPException(400, "The request is no object.")
    return found


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except ValueError as error:
        raise HTTPException(400, "The request is no base64.") from error
