"""Who may speak to the agent on its Unix socket: root and the user it runs as, as the kernel names them.

SO_PEERCRED (unix(7)) cannot be forged by the caller, so there is no login on the socket.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.errors import error

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


class OwnerOnly:
    """Lets root and one other user pass; everybody else gets 403 on whatever path."""

    def __init__(self, app: ASGIApp, owner: int) -> None:
        self._app = app
        self._allowed = {f"{_KNOWN}0", f"{_KNOWN}{owner}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            client = scope.get("client")
            if not client or client[0] not in self._allowed:
                refusal = error(403, "Only root and the user that the agent runs as may use this socket.")
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
