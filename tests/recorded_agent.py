"""An agent that answers from recordings over a real Unix socket: our contract, anybody's states.

`python -m tests.recorded_agent SOCKET SCENE [COUNT]` serves one until it is ended, with COUNT nodes, packs and events.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import threading
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ANSWERS = Path(__file__).parent / "screens" / "agent_answers"
GONE = {"code": "NotFound", "message": "there is none"}


def scene(name: str) -> dict[str, Any]:
    """The answers of a scene by "METHOD /path"; what it does not say is as in the scene that it extends."""
    said = json.loads((ANSWERS / f"{name}.json").read_text())
    base = said.pop("extends", "")
    made = {key: tuple(body) if isinstance(body, list) else body for key, body in said.items()}
    return (scene(base) if base else {}) | made


@dataclass
class RecordedAgent:
    """What it answers may be changed while it serves.

    Attributes:
        answers: by "METHOD /path": a body for the good status, or (status, body).
        delay: seconds before each answer.
        asked: what came in: method and path, and the body.
    """

    answers: dict[str, Any]
    delay: float = 0.0
    asked: list[tuple[str, Any]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        key = f"{request.method} {request.url.path}"
        self.asked.append((key, json.loads(body) if body else None))
        await asyncio.sleep(self.delay)
        said = self.answers.get(key)
        status, said = said if isinstance(said, tuple) else (self._good(request.method, said), said)
        content = said if isinstance(said, bytes) else json.dumps(GONE if said is None else said).encode()
        return Response(content, status, media_type="application/json")

    @staticmethod
    def _good(method: str, said: Any) -> int:
        return 404 if said is None else 200 if method == "GET" else 202

    def bodies(self, key: str) -> list[Any]:
        return [body for asked, body in self.asked if asked == key]


def application(agent: RecordedAgent) -> Starlette:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", agent.answer, methods=methods)])


@contextlib.contextmanager
def serving(agent: RecordedAgent, socket: Path) -> Iterator[None]:
    """It serves as long as the block lasts; the socket is gone afterwards."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    config = uvicorn.Config(application(agent), uds=str(socket), log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the recorded agent ended at once"
            thread.join(0.01)
        yield
    finally:
        server.force_exit = server.should_exit = True
        thread.join(10)
        socket.unlink(missing_ok=True)


def many(count: int, *, nodes: int, packs: int, events: int) -> dict[str, Any]:
    """The healthy cluster with as many of each as that; `count` gives them other names."""
    said = deepcopy(scene("healthy"))
    node = said["GET /v1/edge-mgmt/clusters/current/nodes"]["nodes"][-1]
    said["GET /v1/edge-mgmt/clusters/current/nodes"]["nodes"] = [
        node | {"nodeName": f"edge-{count}-{n:04}", "edgeHostID": f"h{n}", "ipv4": f"10.{n >> 8}.{n & 255}.1"}
        for n in range(nodes)
    ]
    said["GET /v1/edge-mgmt/cluster/details"]["status"]["nodePools"] = []
    profile = said["GET /v1/edge-mgmt/cluster/applications"]["clusterProfileTemplates"][0]
    profile["packs"] = [profile["packs"][0] | {"name": f"pack-{n:04}"} for n in range(packs)]
    event = said["GET /v1/edge-mgmt/cluster/events"]["items"][0]
    said["GET /v1/edge-mgmt/cluster/events"]["items"] = [
        event | {"message": f"event number {n}", "metadata": event["metadata"] | {"name": f"e{n}"}}
        for n in range(events)
    ]
    return said


if __name__ == "__main__":
    where, name, *sizes = sys.argv[1:]
    served = many(1, nodes=int(sizes[0]), packs=int(sizes[1]), events=int(sizes[2])) if sizes else scene(name)
    ready = {key: json.dumps(body).encode() if isinstance(body, dict) else body for key, body in served.items()}
    uvicorn.run(application(RecordedAgent(ready)), uds=where, log_level="critical", ws="none", lifespan="off")
