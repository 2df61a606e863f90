"""A practice hub on loopback for tests, with a host whose agent is played by the test: no namespaces, no root."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.practice import hub, hub_certs
from agent.registration.registrar import Registrar, Timing
from tests.screens.machine import machine
from tui.models.change import FileImage
from tui.models.registration import RegistrationConfig
from tui.models.timeline import Step, Timeline
from tui.services import recording, registration
from tui.services.change import files
from tui.services.clock import SystemClock
from tui.services.host import Host

CODE = Path(__file__).resolve().parents[1]
FAST = Timing(first=0.05, longest=0.4, approval=0.1, heartbeat=0.1, look=0.02, step=5.0)


@dataclass
class Hub:
    folder: Path
    sockets: list[socket.socket]
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"localhost:{self.sockets[0].getsockname()[1]}"

    @property
    def proxy(self) -> int:
        return int(self.sockets[2].getsockname()[1])

    def start(self) -> None:
        numbers = [listening.fileno() for listening in self.sockets]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agent.practice.hub_server", str(self.folder), *map(str, numbers)],
            stdin=subprocess.PIPE, pass_fds=numbers, cwd=CODE,
        )  # fmt: skip

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def order(self, *words: str) -> None:
        hub.order(self.folder, list(words))

    @property
    def entries(self) -> dict[str, Any]:
        path = self.folder / "hub.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    @property
    def requests(self) -> list[dict[str, Any]]:
        path = self.folder / "requests.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def forget(self) -> None:
        """No entries, no requests, no faults: as at its beginning."""
        self.order("none", "forget")
        (self.folder / "requests.jsonl").unlink(missing_ok=True)


@contextmanager
def practice_hub(folder: Path) -> Iterator[Hub]:
    folder.mkdir(parents=True, exist_ok=True)
    hub_certs.make(folder)
    made = Hub(folder, [socket.create_server(("127.0.0.1", 0)) for _ in range(3)])
    try:
        made.start()
        yield made
    finally:
        made.stop()
        for listening in made.sockets:
            listening.close()


@dataclass
class Applying:
    """A host that registers."""

    host: Host
    registrar: Registrar = field(init=False)
    task: asyncio.Task[None] | None = None

    def set(self, **values: Any) -> None:
        """What Keep would leave on the disk."""
        config = RegistrationConfig.model_validate(values)
        write(self.host, registration.KEPT, registration.text(config))

    def begin(self, timing: Timing = FAST) -> None:
        self.registrar = Registrar(self.host, timing, dice=random.Random(7))
        self.task = asyncio.create_task(self.registrar.run())

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    @property
    def timeline(self) -> Timeline:
        return self.registrar.told()

    def step(self, name: str) -> Step:
        return next(s for s in self.timeline.steps if s.name == name)

    async def until(self, *states: str, seconds: float = 20.0) -> Timeline:
        try:
            async with asyncio.timeout(seconds):
                while self.timeline.state not in states:  # noqa: ASYNC110 - the registrar tells nobody
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"never {states}, but {self.timeline}") from None
        return self.timeline


def write(host: Host, path: str, text: str) -> None:
    files.write_image(host, FileImage(path, text.encode(), 0o600))


@asynccontextmanager
async def applying(root: Path, authority: str) -> AsyncIterator[Applying]:
    """A recorded host that trusts `authority`; its registrar is ended afterwards."""
    host = recording.host(machine(), root, SystemClock())
    write(host, "/etc/ssl/certs/ca-certificates.crt", authority)
    write(host, "/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    made = Applying(host)
    try:
        yield made
    finally:
        await made.end()


def player(root: Path) -> Registrar:
    """The registrar of the host that `applying` made below `root`, for another process."""
    return Registrar(Host(root, recording.RecordedKernel(machine()), "recorded"), FAST)
