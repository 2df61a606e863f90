"""The embedded local agent as a daemon: `python -m agent [--root ROOT] [--socket PATH]`.

It ends with 0 on SIGTERM and SIGINT, with 1 and a sentence where it cannot listen.
"""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from agent import store
from agent.app import build
from agent.auth import PeerProtocol, listen
from agent.store import TooNew
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel

SOCKET = "run/onsite/agent.sock"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="onsite agent", description="The embedded local agent of this host.")
    parser.add_argument("--root", type=Path, default=Path("/"), help="a folder that stands for / (default: /)")
    parser.add_argument("--socket", type=Path, metavar="PATH", help=f"where to listen (default: ROOT/{SOCKET})")
    arguments = parser.parse_args(argv)
    path = arguments.socket or arguments.root / SOCKET
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn takes them over, and raises them again when it is done
        signal.signal(number, _end)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        listener = listen(path)
    except OSError as error:
        print(f"The agent cannot listen on {path}: {error.strerror}.", file=sys.stderr)
        return 1
    # Where the files are not this machine's own, its links are not either: a practice host.
    host = Host(arguments.root, NetlinkKernel(), "real" if arguments.root == Path("/") else "user")
    try:
        app = build(host)
    except (OSError, sqlite3.Error, TooNew) as error:
        print(f"The agent cannot open its data, {host.path(store.PATH)}: {error}", file=sys.stderr)
        path.unlink(missing_ok=True)
        return 1
    try:
        config = uvicorn.Config(
            app, http=PeerProtocol, ws="none", lifespan="on", log_level="warning",
            server_header=False, proxy_headers=False,
        )  # fmt: skip
        uvicorn.Server(config).run([listener])
    finally:
        path.unlink(missing_ok=True)
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
