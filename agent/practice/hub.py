"""The practice hub: a management plane for edge hosts to practise with, by the public endpoints (assets/hub-api.yaml).

Its folder holds all of it: `hub.json` (entries), `orders.json` (faults that are on, written by `onsite demo --hub`),
`obeyed` (how many orders were carried out), `requests.jsonl` (what came, secrets as stars). A host that comes again
with the same id and the same pairing key is the same host; with another key it is a duplicate. What the public
description leaves open is decided here as its words suggest; a real plane may differ.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from agent.practice.hub_certs import AHEAD

TOKEN = "practice-token"  # noqa: S105 - opens nothing but a practice hub
FAULTS = {
    "duplicate": "another machine has this host id already",
    "unknown-token": "nobody knows the token",
    "expired-token": "the token has expired",
    "inactive-token": "the token was switched off",
    "no-project": "neither token nor host names a project",
    "unknown-project": "there is no such project",
    "approval": "a host waits until somebody accepts it (order: approve)",
    "pairing": "entries are made with another pairing key",
    "unwell": "every answer is 503",
    "busy": "every answer is 429, with Retry-After",
    "garbage": "the answers are no JSON",
    "clock": "the hub lives two years ahead of this host",
    "intercepted": "somebody opens TLS on the way",
    "portal": "a sign-in page of a guest network answers",
    "proxy-refuses": "the proxy forbids the hub",
    "proxy-login": "the proxy wants a login",
}
ORDERS = {
    "approve": "accept every host that waits",
    "assign": "put every paired host into a cluster",
    "forget": "delete every entry",
}
_SECRETS = ("hostAuthToken", "hostPairingKey", "authorization")


class Hub:
    """Entries and faults, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, dict[str, Any]] = {}
        if (folder / "hub.json").exists():
            self.entries = json.loads((folder / "hub.json").read_text())
        self._obeyed = folder / "obeyed"
        self._done = int(self._obeyed.read_text()) if self._obeyed.exists() else 0

    @property
    def faults(self) -> set[str]:
        """Those that are on; new orders are carried out when somebody asks next."""
        found = orders(self.folder)
        for order in found["orders"][self._done :]:
            self._obey(order)
            self._done += 1
            self._obeyed.write_text(str(self._done))
        return set(found["faults"])

    def _obey(self, order: str) -> None:
        for entry in self.entries.values():
            if order == "approve" and entry["state"] == "unpaired":
                entry["state"] = "ready"
            if order == "assign" and entry["state"] == "ready":
                entry |= {"state": "in-use", "clusters": ["practice-cluster"]}
        if order == "forget":
            self.entries.clear()
        self.save()

    def save(self) -> None:
        part = self.folder / "hub.json.part"
        part.write_text(json.dumps(self.entries, indent=1))
        part.replace(self.folder / "hub.json")


def orders(folder: Path) -> dict[str, list[str]]:
    """{"faults": those that are on, "orders": all that were given}."""
    try:
        found: dict[str, list[str]] = json.loads((folder / "orders.json").read_text())
    except FileNotFoundError:
        return {"faults": [], "orders": []}
    return found


def order(folder: Path, words: list[str]) -> str:
    """Switch faults on (their names), all of them off ("none"), or give an order. A sentence about how it is then.

    Raises:
        ValueError: a word is neither.
    """
    found = orders(folder)
    for word in words:
        if word == "none":
            found["faults"] = []
        elif word in FAULTS:
            found["faults"] = [*dict.fromkeys([*found["faults"], word])]
        elif word in ORDERS:
            found["orders"].append(word)
        else:
            raise ValueError(f"{word} is none of: none, {', '.join([*FAULTS, *ORDERS])}")
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "orders.json.part"
    part.write_text(json.dumps(found))
    part.replace(folder / "orders.json")
    return f"The practice hub: {', '.join(found['faults']) or 'no fault'}."


def error(status: int, code: str, message: str, **headers: str) -> JSONResponse:
    return JSONResponse({"code": code, "message": message, "ref": "", "details": {}}, status, headers)


async def register(request: Request) -> Response:
    """POST /v1/edgehosts/register"""
    hub: Hub = request.app.state.hub
    faults, body = hub.faults, await request.json()
    host = body["spec"]["host"]
    uid, key, token = host["hostUid"], host.get("hostPairingKey", ""), host.get("hostAuthToken")
    if refusal := _token(faults, token, host):
        return refusal
    entry = hub.entries.get(uid)
    if "duplicate" in faults or (entry and entry["key"] and entry["key"] != key and not entry.get("entered")):
        return error(409, "EdgeHostDeviceAlreadyExists", f"Edge host {uid} is registered already")
    if entry is None and token is None:
        return error(404, "EdgeHostDeviceNotRegistered", f"Edge host {uid} is not registered")
    if entry is None:
        entry = {"state": "unpaired" if "approval" in faults else "ready", "key": "", "clusters": []}
        hub.entries[uid] = entry
    if entry.get("entered") and ("pairing" in faults or (entry["key"] and entry["key"] != key)):
        return error(403, "HostPairingKeyMismatch", "The pairing key is not that of the entry")
    if entry["state"] == "unpaired" and entry.get("entered"):
        entry["state"] = "ready"
    entry |= {
        "key": key,
        "entered": False,
        "labels": body.get("metadata", {}).get("labels", {}),
        "device": body["spec"].get("device"),
    }
    entry.setdefault("service", secrets.token_urlsafe(24))
    hub.save()
    clusters = [{"name": c, "uid": c} for c in entry["clusters"]]
    status = {"state": entry["state"], "inUseClustersRef": clusters}
    if entry["state"] != "unpaired":
        status["serviceAuthToken"] = entry["service"]
    return JSONResponse({"metadata": {"name": uid, "uid": uid}, "spec": {}, "status": status})


def _token(faults: set[str], token: str | None, host: dict[str, Any]) -> Response | None:
    if token is None:
        return None
    if "expired-token" in faults:
        return error(401, "EdgeTokenExpired", "The registration token has expired")
    if "inactive-token" in faults:
        return error(403, "EdgeTokenInactive", "The registration token is not active")
    if "unknown-token" in faults or token != TOKEN:
        return error(401, "EdgeTokenInvalid", "The registration token is invalid")
    if "no-project" in faults and not host.get("project"):
        return error(400, "ProjectMissing", "Neither the token nor the edge host has a project")
    if "unknown-project" in faults and host.get("project"):
        return error(404, "ProjectNotFound", f"Project {host['project'].get('name')} is not found")
    return None


def enter(hub: Hub, uid: str, key: str) -> None:
    """Somebody types the id of a host at the plane."""
    hub.entries.setdefault(uid, {"state": "unpaired", "key": key, "clusters": [], "entered": True})
    hub.save()


async def create(request: Request) -> Response:
    """POST /v1/edgehosts: what an operator does at the plane."""
    body = await request.json()
    enter(request.app.state.hub, body["metadata"]["uid"], body.get("spec", {}).get("hostPairingKey", ""))
    return JSONResponse({"uid": body["metadata"]["uid"]}, 201)


async def page(request: Request) -> Response:
    """GET /r?id=HOST: the page that the QR code opens; opening it enters the id."""
    uid = request.query_params.get("id", "")
    if uid:
        enter(request.app.state.hub, uid, "")
    return HTMLResponse(f"<title>Practice hub</title><p>{'Host entered.' if uid else 'No host id.'}</p>")


def _known(
    handler: Callable[[Request, dict[str, Any]], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """With the entry of the host that asks, as its Authorization says."""

    async def checked(request: Request) -> Response:
        hub: Hub = request.app.state.hub
        _ = hub.faults
        entry = hub.entries.get(request.path_params["uid"])
        if entry is None:
            return error(404, "ResourceNotFound", "There is no such edge host")
        if request.headers.get("authorization") != entry.get("service"):
            return error(401, "Unauthorized", "The service token is not that of this edge host")
        return await handler(request, entry)

    return checked


async def health(request: Request, entry: dict[str, Any]) -> Response:
    """PATCH /v1/edgehosts/{uid}/health"""
    entry["health"] = await request.json()
    request.app.state.hub.save()
    return Response(status_code=204)


async def config(request: Request, entry: dict[str, Any]) -> Response:
    """GET /v1/edgehosts/{uid}/config"""
    return JSONResponse({"clusterUids": entry["clusters"]})


async def download(request: Request, entry: dict[str, Any]) -> Response:
    """GET /v1/edgehosts/{uid}/spc/download: `assignment.json` of the folder, or a file that only a vendor can read."""
    path = request.app.state.hub.folder / "assignment.json"
    if not entry["clusters"]:
        return error(404, "ResourceNotFound", "There is no cluster for this edge host")
    if path.exists():
        return Response(path.read_bytes(), media_type="application/json")
    return Response(b"\x1f\x8b\x08\x00 not for you", media_type="application/octet-stream")


def build(folder: Path) -> Starlette:
    """The application of the hub in this folder."""
    app = Starlette(
        routes=[
            Route("/v1/edgehosts/register", register, methods=["POST"]),
            Route("/v1/edgehosts", create, methods=["POST"]),
            Route("/v1/edgehosts/{uid}/health", _known(health), methods=["PATCH"]),
            Route("/v1/edgehosts/{uid}/config", _known(config), methods=["GET"]),
            Route("/v1/edgehosts/{uid}/spc/download", _known(download), methods=["GET"]),
            Route("/r", page, methods=["GET"]),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_whole)],
    )
    app.state.hub = Hub(folder)
    return app


async def _whole(request: Request, further: Callable[[Request], Awaitable[Response]]) -> Response:
    """What concerns every request: the record, the clock, and faults of the whole plane."""
    hub: Hub = request.app.state.hub
    faults = hub.faults
    _record(hub.folder, request, await request.body())
    if "unwell" in faults:
        answer: Response = error(503, "ServiceUnavailable", "The service is not available")
    elif "busy" in faults:
        answer = error(429, "TooManyRequests", "Too many requests", **{"Retry-After": "7"})
    elif "garbage" in faults:
        answer = HTMLResponse("It works!")
    else:
        answer = await further(request)
    ahead = AHEAD.total_seconds() if "clock" in faults else 0
    answer.headers["date"] = formatdate(time.time() + ahead, usegmt=True)
    return answer


def _record(folder: Path, request: Request, body: bytes) -> None:
    line = {
        "time": time.time(), "method": request.method, "path": request.url.path,
        "headers": _starred(dict(request.headers)),
        "body": _starred(json.loads(body)) if body else None,
    }  # fmt: skip
    with open(folder / "requests.jsonl", "a") as file:
        file.write(json.dumps(line) + "\n")


def _starred(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: "***" if k in _SECRETS else _starred(v) for k, v in value.items()}
    return [_starred(v) for v in value] if isinstance(value, list) else value
