"""Errors in the shape that the contract gives them at each operation: mostly `v1Error`, at some a bare sentence.

Handlers say every error as `v1Error`. Where the contract has another schema for that status, the sentence of it is
put into that shape on its way out; what is not JSON, and what is good, passes as it is.
"""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_M = "/v1/edge-mgmt"
_H = f"{_M}/edgehosts/current"

BARE: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", f"{_M}/cluster"): (404, 500),
    ("GET", f"{_M}/cluster/applications"): (404, 500),
    ("GET", f"{_M}/cluster/events"): (500,),
    ("PUT", f"{_M}/cluster/settings"): (500,),
    ("GET", _H): (500,),
    ("GET", f"{_H}/actions/content/signing-public-key"): (404, 500),
    ("POST", f"{_H}/actions/reboot"): (),
    ("POST", f"{_H}/actions/reset"): (500,),
    ("POST", f"{_H}/actions/shutdown"): (),
    ("GET", f"{_H}/audits/download"): (404, 500),
    ("GET", f"{_H}/configurations"): (500,),
    ("PUT", f"{_H}/configurations"): (400, 500),
    ("GET", f"{_H}/error-logs"): (500,),
    ("GET", f"{_H}/file-download/files"): (404, 500),
    ("GET", f"{_H}/file-download/{{filePath}}"): (404, 500),
    ("POST", f"{_H}/generate-logs"): (),
    ("GET", f"{_H}/generate-logs-status"): (),
    ("GET", f"{_M}/settings"): (),
    ("GET", "/v1/ping"): (),
}
"""Operations whose other errors are `apiError`, a JSON string, each with the errors that are not other ones."""
HEALTH = f"{_M}/cluster/registry/health"
MESSAGES = (f"{_H}/audits", f"{_H}/audits/download", f"{_H}/download-logs")
"""Paths whose 404 is an object with nothing but `message`."""
_FILE = re.compile(re.escape(f"{_H}/file-download/") + "(?!files$).+")


class Shapes:
    """Sees every answer, also those of the gate and of nobody's foresight."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started: Message | None = None
        body = bytearray()

        async def shaped(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start" and message["status"] >= 400:
                shape = wanted(scope["method"], scope["path"], message["status"])
                if shape and (b"content-type", b"application/json") in message["headers"]:
                    started = message
                    return
            if started is None:
                await send(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                said = json.dumps(_said(bytes(body), wanted(scope["method"], scope["path"], started["status"])))
                headers = [h for h in started["headers"] if h[0] != b"content-length"]
                await send({**started, "headers": [*headers, (b"content-length", b"%d" % len(said.encode()))]})
                await send({"type": "http.response.body", "body": said.encode()})

        await self._app(scope, receive, shaped)


def wanted(method: str, path: str, status: int) -> str:
    """bare, message, or "" for `v1Error`."""
    if status == 404 and method == "GET" and path in MESSAGES:
        return "message"
    if status == 500 and method == "GET" and path == HEALTH:
        return "bare"
    if _FILE.fullmatch(path):
        path = f"{_H}/file-download/{{filePath}}"
    declared = BARE.get((method, path))
    return "bare" if declared is not None and status not in declared else ""


def _said(body: bytes, shape: str) -> Any:
    try:
        found = json.loads(body)
    except ValueError:
        return {"message": ""} if shape == "message" else ""
    message = found.get("message", "") if isinstance(found, dict) else found
    if shape == "message":
        return {"message": message}
    code = str(found.get("code", "")) if isinstance(found, dict) else ""
    ref = str(found.get("ref", "")) if isinstance(found, dict) else ""
    coded = f"{code}: {message}" if re.fullmatch(r"[A-Z]\d{3}", code) else message
    return f"{coded} ({ref})" if ref and ref not in str(coded) else coded
