"""The embedded local agent as a daemon: `python -m agent [--root ROOT] [--socket PATH] [--https PORT]`.

It ends with 0 on SIGTERM and SIGINT, with 1 and a sentence where it cannot listen or open its data.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import sqlite3
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette

from agent import https, store
from agent.app import build
from agent.auth import PeerProtocol, listen
from tui import settings
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel

SOCKET = "run/onsite/agent.sock"
CONNECTIONS = 200
"""At the same time over HTTPS; more are answered with 503."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="onsite agent", description="The embedded local agent of this host.")
    parser.add_argument("--root", type=Path, default=Path("/"), help="a folder that stands for / (default: /)")
    parser.add_argument("--socket", type=Path, metavar="PATH", help=f"where to listen (default: ROOT/{SOCKET})")
    parser.add_argument("--https", type=int, metavar="PORT", help="listen on HTTPS too (default: as the settings say)")
    arguments = parser.parse_args(argv)
    path = arguments.socket or arguments.root / SOCKET
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    # Where the files are not this machine's own, its links are not either: a practice host.
    host = Host(arguments.root, NetlinkKernel(), "real" if arguments.root == Path("/") else "user")
    try:
        wanted = settings.load(host.root)
    except (ValueError, OSError) as error:
        print(f"The agent goes on without {settings.PATH}: {error}", file=sys.stderr)
        wanted = settings.Settings()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        listener = listen(path)
    except OSError as error:
        print(f"The agent cannot listen on {path}: {error.strerror}.", file=sys.stderr)
        return 1
    try:
        app = build(host, wanted)
        port = arguments.https if arguments.https is not None else wanted.agent_port if wanted.agent_https else None
        asyncio.run(_serve(app, host, listener, port))
    except (OSError, sqlite3.Error, store.TooNew) as error:
        print(f"The agent cannot open its data, {host.path(store.PATH)}: {error}", file=sys.stderr)
        return 1
    finally:
        path.unlink(missing_ok=True)
    return 0


class _Server(uvicorn.Server):
    """One of two in this process, so signals are not its own business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(app: Starlette, host: Host, listener: socket.socket, port: int | None) -> None:
    """Until a signal: on the Unix socket, and on HTTPS where there is a port. The first also runs the lifespan."""
    common: dict[str, Any] = {"ws": "none", "log_level": "warning", "server_header": False, "proxy_headers": False}
    servers = [_Server(uvicorn.Config(app, http=PeerProtocol, lifespan="on", **common))]
    serving = [servers[0].serve([listener])]
    if port is not None and (prepared := _prepared(host, port)) is not None:
        opened, context = prepared
        config = uvicorn.Config(app, http="h11", lifespan="off", limit_concurrency=CONNECTIONS, **common)
        config.load()
        config.ssl = context
        servers.append(_Server(config))
        serving += [servers[1].serve([opened]), https.follow(host, context)]
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    tasks = [loop.create_task(each) for each in serving]
    ended = loop.create_task(over.wait())
    await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.should_exit = True
    for task in (ended, *tasks[2:]):
        task.cancel()
    await asyncio.gather(*tasks[:2])


def _prepared(host: Host, port: int) -> tuple[socket.socket, ssl.SSLContext] | None:
    """What HTTPS needs; None, and a sentence, where it cannot be: the socket works all the same."""
    try:
        context = https.context(host)
        return https.listen(port), context
    except (OSError, ssl.SSLError) as error:
        print(f"The agent does not listen on HTTPS, port {port}: {error}", file=sys.stderr)
        return None


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
