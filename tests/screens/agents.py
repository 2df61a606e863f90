"""The embedded agent itself, served over a Unix socket to the console under test, in the loop of the test."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from agent.auth import PeerProtocol, listen


@asynccontextmanager
async def served(app: Starlette, path: Path) -> AsyncIterator[None]:
    """The application answers on a Unix socket, here and in no process of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    config = uvicorn.Config(app, http=PeerProtocol, ws="none", lifespan="on", log_level="critical")
    server = uvicorn.Server(config)
    listener = listen(path)
    task = asyncio.create_task(server._serve([listener]))
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        await task
        path.unlink(missing_ok=True)


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
