"""Who may speak to the agent: on its Unix socket root and the user it runs as, on HTTPS who has logged in.

SO_PEERCRED (unix(7)) cannot be forged by the caller, so there is no login on the socket.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.errors import error
from agent.tokens import Invalid, Token, Tokens

COOKIE = "Authorization"
"""As the contract's product calls it."""
OPEN = {("GET", "/v1/ping"), ("POST", "/v1/users/default/login")}
_UCRED = struct.Struct("=iII")
_KNOWN = "uid:"


def listen(path: Path) -> socket.socket:
    """A listening socket at `path`, mode 0600, in place of one that a dead agent left.

    Raises:
        OSError: EADDRINUSE while another agent listens there; or as bind(2).
    """
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen()
    return listener


class PeerProtocol(H11Protocol):
    """HTTP/1.1 whose `client` in the ASGI scope is the user at the other end: ("uid:0", process id)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        peer = transport.get_extra_info("socket")
        pid, uid, _ = _UCRED.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        self.client = (f"{_KNOWN}{uid}", pid)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        over: the Unix socket, where the kernel names the user, or HTTPS, where a token does.
        peer: the address that asks; "" on the socket.
        token: the valid token; None on the socket.
    """

    name: str
    over: Literal["socket", "https"]
    uid: int = -1
    peer: str = ""
    token: Token | None = None

    @property
    def line(self) -> str:
        """For the audit."""
        return f"HTTPS from {self.peer}" if self.over == "https" else "agent socket"


def caller(request: Request) -> Caller:
    """Who asks; always there behind `Gate`, but for what is open to everybody."""
    found = request.scope.get("onsite.caller")
    if not isinstance(found, Caller):
        raise HTTPException(401, "Log in first.")
    return found


class Gate:
    """On the socket lets root and one other user pass, on HTTPS whoever has a token; answers everybody else.

    Without a token there are only `OPEN`, and nobody learns which other paths there are.
    """

    def __init__(self, app: ASGIApp, owner: int, tokens: Tokens) -> None:
        self._app, self._tokens = app, tokens
        self._allowed = {0, owner}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer = (scope.get("client") or ("",))[0]
        if peer.startswith(_KNOWN):
            refusal = self._on_socket(scope, int(peer.removeprefix(_KNOWN)))
        else:
            refusal = self._by_token(scope, peer)
        await (refusal or self._app)(scope, receive, send)

    def _on_socket(self, scope: Scope, uid: int) -> Response | None:
        if uid not in self._allowed:
            return error(403, "Only root and the user that the agent runs as may use this socket.")
        scope["onsite.caller"] = Caller(_name(uid), "socket", uid)
        return None

    def _by_token(self, scope: Scope, peer: str) -> Response | None:
        if (scope["method"], scope["path"]) in OPEN:
            return None
        request = Request(scope)
        text = request.headers.get("authorization") or request.cookies.get(COOKIE, "")
        if not text:
            return error(401, "Log in first: POST /v1/users/default/login.")
        try:
            token = self._tokens.judge(text.removeprefix("Bearer "))
        except Invalid as why:
            return error(401, str(why))
        scope["onsite.caller"] = Caller(token.user, "https", peer=address(peer), token=token)
        return None


def address(peer: str) -> str:
    """An address as people write it, without the dress that IPv4 wears on a listener for both; "" on the socket."""
    return "" if peer.startswith(_KNOWN) else peer.removeprefix("::ffff:")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
