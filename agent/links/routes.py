"""Linking as the operator's console asks for it: the contract's four operations, and ours for the short code."""

from __future__ import annotations

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.errors import error
from agent.links.links import Links
from agent.links.peers import Peer
from agent.links.window import SECONDS, Refusal
from tui.models import endpoint
from tui.models import peers as ours
from tui.models.contract import peers as contract
from tui.models.contract.common import Accepted, Health
from tui.models.contract.host import EdgeHostInfo
from tui.models.facts import main_address
from tui.models.window import Window
from tui.models.wrong import Wrong
from tui.services import facts
from tui.services.content import store
from tui.services.host import Host

CURRENT = "/v1/edge-mgmt/edgehosts/current"
_LARGEST = 16 << 10


async def generate_token(request: Request) -> Response:
    """POST .../link/generate-token: opens the window where it is closed."""
    links: Links = request.app.state.links
    try:
        if not links.window.opened:
            links.lead()
        address = await run_in_threadpool(_address, links.host)
        token = links.window.token(address, links.port)
        left = int(links.window.remaining("token"))
    except (Refusal, OSError) as why:
        return error(500, str(why))
    return _sent(contract.LinkToken(token=token, interval=int(SECONDS), remaining_time=left))


async def link(request: Request) -> Response:
    """POST .../link: follow the host that made this token."""
    try:
        said = await _said(request)
        token = ours.token(str(said.get("token", "")))
    except Wrong as why:
        return error(400, f"{why.issue.text} {why.issue.remedy}")
    except ValueError as why:
        return error(400, str(why))
    return _follow(request, token, "token")


async def status(request: Request) -> Response:
    """GET .../link/status"""
    links: Links = request.app.state.links
    if links.status == "Pending" and not links.peers.all and not links.window.opened:
        return error(404, "This host is not linked with any other.")
    return _sent(_status(links, await run_in_threadpool(_content, links.host)))


async def unlink(request: Request) -> Response:
    """POST .../unlink?peerId="""
    links: Links = request.app.state.links
    peer_id = request.query_params.get("peerId", "")
    try:
        await links.unlink(peer_id)
    except KeyError:
        return error(400, f"No host {peer_id} is linked with this one.")
    except Refusal as why:
        return error(400, str(why))
    return _sent(Accepted(message="unlinked"))


async def window(request: Request) -> Response:
    """GET, POST and DELETE /v1/onsite/link/window: the leader's short code; open the window; close it."""
    links: Links = request.app.state.links
    try:
        if request.method == "POST":
            links.lead()
        elif request.method == "DELETE":
            links.stop_leading()
        if not links.window.opened:
            return _sent(Window(open=False, failures=links.window.failures))
        digits, address = links.window.code(), await run_in_threadpool(_address, links.host)
        shown = Window(
            open=True, failures=links.window.failures, address=address, port=links.port, code=digits,
            remaining=int(links.window.remaining("code")),
        )  # fmt: skip
    except (Refusal, OSError) as why:
        return error(409, str(why))
    return _sent(shown)


async def code(request: Request) -> Response:
    """POST /v1/onsite/link/code: follow the host at this address, with the short code that it shows."""
    try:
        said = await _said(request)
        digits, address = ours.code(str(said.get("code", ""))), endpoint.host(str(said.get("address", "")))
    except Wrong as why:
        return error(400, f"{why.issue.text} {why.issue.remedy}")
    except ValueError as why:
        return error(400, str(why))
    links: Links = request.app.state.links
    return _follow(request, ours.Token(address, links.asked_port, "", digits), "code")


ROUTES = [
    Route(f"{CURRENT}/link/generate-token", generate_token, methods=["POST"]),
    Route(f"{CURRENT}/link", link, methods=["POST"]),
    Route(f"{CURRENT}/link/status", status, methods=["GET"]),
    Route(f"{CURRENT}/unlink", unlink, methods=["POST"]),
    Route("/v1/onsite/link/window", window, methods=["GET", "POST", "DELETE"]),
    Route("/v1/onsite/link/code", code, methods=["POST"]),
]


def _follow(request: Request, token: ours.Token, kind: str) -> Response:
    links: Links = request.app.state.links
    try:
        links.follow(token, kind)
    except Refusal as why:
        return error(400, str(why))
    return _sent(_status(links))


def _status(links: Links, own: frozenset[str] = frozenset()) -> contract.LinkStatus:
    """`own`: digests of the content of this host."""
    return contract.LinkStatus(
        status=links.status, error_message=links.error, peers=[_peer(links, each, own) for each in links.peers.all]
    )


def _content(host: Host) -> frozenset[str]:
    return frozenset(item.digest for item in store.items(host))


def _peer(links: Links, peer: Peer, own: frozenset[str]) -> contract.LinkPeer:
    silent = links.silent(peer) if peer.role == "leader" or links.peers.leader is None else None
    health = Health(status="Healthy")
    if silent is not None:
        health = Health(
            status="Unhealthy",
            reason="not heard of yet" if peer.id not in links.heard else f"silent for {int(silent)} s",
        )
    info = links.told.get(peer.id) or {"metadata": {"id": peer.id, "name": peer.name}}
    content = links.content.get(peer.id, "") if peer.role == "follower" else links.synced.state if links.synced else ""
    if content in ("", "Synced") and peer.role == "follower" and own - links.have.get(peer.id, frozenset()):
        content = "Pending"  # something came since its last report, or it has not reported yet
    found = contract.LinkPeer(
        id=peer.id, ip=peer.address, local_ui_port=str(peer.port), role=peer.role, node_role="unknown",
        status="Ready" if silent is None else "NotReady", health=health,
        content_sync_status=content,
    )  # fmt: skip
    return found.model_copy(update={"config": EdgeHostInfo.model_validate(info)})


def _address(host: Host) -> str:
    """Where other hosts find this one: the first address of the link that it speaks from, without its prefix."""
    found = facts.read(host).speaking
    if found is None:
        raise Refusal("This host has no address that others could reach. Set one in Network.")
    return main_address(found).split("/")[0]


def _sent(answer: Any) -> Response:
    return JSONResponse(answer.sent())


async def _said(request: Request) -> dict[str, Any]:
    """Raises ValueError: the body is no object, or too large."""
    data = await request.body()
    found = json.loads(data[: _LARGEST + 1])
    if not isinstance(found, dict):
        raise ValueError("The body has to be an object.")  # noqa: TRY004 - one error for a bad body
    return found
