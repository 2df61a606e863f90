"""How the cluster is, for everybody who asks: looked at once in a few seconds, not once for each console."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from agent.cluster import kept
from agent.cluster.hosts import Hosts
from agent.cluster.work import CHANGE, CREATE, DELETE, LANE, RENEW
from agent.engines.engine import Away, Spec, Status, silent
from agent.jobs import Jobs
from agent.store import Store
from tui.models.change import Refused
from tui.models.contract.running import State

FRESH = 4.0
"""Seconds that a look is good for."""


@dataclass(slots=True)
class Look:
    store: Store
    jobs: Jobs
    hosts: Hosts
    _status: Status = field(default_factory=lambda: Status(word="none"))
    _at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def stale(self) -> None:
        self._at = float("-inf")

    async def status(self) -> Status:
        """Of this host's engine; "none" where there is none."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            found = kept.load(self.store)
            if found is None or self.hosts.host.kind != "real":
                return Status(word="none")
            if now - self._at > FRESH:
                answer = await self.hosts.local().call("status", {"engine": found.spec.engine}, silent)
                self._status, self._at = Status.model_validate(answer), asyncio.get_running_loop().time()
            return self._status

    def state(self, status: Status) -> tuple[State, str]:
        """`v1State` and the reason: the work that is done or failed, else how the cluster is."""
        row = self.store.row("SELECT * FROM jobs WHERE lane = ? ORDER BY created DESC, rowid DESC LIMIT 1", LANE)
        state, kind = (row["state"], row["kind"]) if row else ("", "")
        if state == "running" and kind == CREATE:
            return "Provisioning", ""
        if state == "undoing" or (state == "running" and kind == DELETE):
            return "Deleting", ""
        if state in ("failed", "paused") and kind in (CREATE, DELETE):
            return "Error", row["message"] if row else ""
        if status.word in ("down", "none"):
            return "Error", next((r["text"] for r in status.reasons), "The engine does not run on this host.")
        failed = row["message"] if row and state == "failed" and kind in (CHANGE, RENEW) else ""
        return "Running", failed

    def coming(self, status: Status) -> bool:
        """Whether nodes that the cluster does not know may be on their way into it."""
        kind = self.jobs.store.row("SELECT kind FROM jobs WHERE lane = ? AND state = 'running'", LANE)
        return kind is not None and (kind["kind"] == CREATE or (kind["kind"] == CHANGE and bool(status.nodes)))

    async def extras(self) -> tuple[str, list[dict[str, Any]]]:
        """The kubeconfig, which is a secret, and the services."""
        config, services = await asyncio.gather(self._ask("kubeconfig"), self.objects("services", ""))
        return str(config or ""), services

    async def objects(self, kind: str, namespace: str) -> list[dict[str, Any]]:
        return list(await self._ask("objects", kind=kind, namespace=namespace) or [])

    async def certificates(self, spec: Spec) -> dict[str, list[dict[str, str]]]:
        """Of every control plane that answers, by its name."""
        found: dict[str, list[dict[str, str]]] = {}
        with suppress(Refused):
            hosts = self.hosts.of(spec)
            for node in spec.control_planes:
                with suppress(Away, Refused):
                    answer = await hosts[node.uid].call("status", {"engine": spec.engine}, silent)
                    found[node.name] = [dict(c) for c in answer["certificates"]]
        return found

    async def _ask(self, step: str, **arguments: str) -> Any:
        found = kept.load(self.store)
        if found is None or self.hosts.host.kind != "real":
            return None
        return await self.hosts.local().call(step, {"engine": found.spec.engine, **arguments}, silent)
