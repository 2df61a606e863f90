"""The steps that run on one host of a cluster, by name, with plain data in and out.

This is the whole seam between hosts: `LocalHost` runs a step here; a linked host gets the name and the arguments over
its own channel, calls `run` with them, and sends back what it tells and returns.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from agent.engines import access
from agent.engines.engine import Bundle, Engine, Spec, Tell
from agent.engines.machine import Machine
from agent.engines.payload import Payload
from tui.models.change import Issue, Severity

Contents = Callable[[str, str], Payload]
"""The payload of an engine and a version on this host; raises Refused where there is none."""
Arguments = dict[str, Any]


def driver(engine: str, machine: Machine) -> Engine:
    """Raises:
    KeyError: there is no such engine.
    """
    if engine == "kubeadm":
        from agent.engines.kubeadm.driver import Kubeadm

        return Kubeadm(machine)
    if engine == "k3s":
        from agent.engines.k3s.driver import K3s

        return K3s(machine)
    raise KeyError(engine)


async def run(name: str, arguments: Arguments, machine: Machine, contents: Contents, tell: Tell) -> Any:
    """Run the step `name` on this host.

    Raises:
        Refused: it failed, with the issues that say why.
        KeyError: there is no such step or engine.
        pydantic.ValidationError: the arguments are not what the step takes.
    """
    step = _Step(arguments, machine, driver(arguments["engine"], machine), contents, tell)
    return await _STEPS[name](step)


@dataclass
class LocalHost:
    """This very host as a `ClusterHost`."""

    uid: str
    machine: Machine
    contents: Contents

    async def call(self, step: str, arguments: Arguments, tell: Tell) -> Any:
        return await run(step, arguments, self.machine, self.contents, tell)


@dataclass
class _Step:
    arguments: Arguments
    machine: Machine
    engine: Engine
    contents: Contents
    tell: Tell

    @property
    def spec(self) -> Spec:
        return Spec.model_validate(self.arguments["spec"])

    @property
    def payload(self) -> Payload:
        return self.contents(self.spec.engine, self.spec.version)

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]


async def _detect(step: _Step) -> Any:
    return {**step.engine.detect(), "now": time.time()}


async def _preflight(step: _Step) -> Any:
    spec = step.spec
    return [issue_data(i) for i in await step.engine.preflight(spec, spec.node(step["node"]), step.payload)]


async def _plan(step: _Step) -> Any:
    spec = step.spec
    return step.engine.plan(spec, spec.node(step["node"]), step.payload).model_dump(mode="json")


async def _prepare(step: _Step) -> Any:
    spec = step.spec
    await step.engine.prepare(spec, spec.node(step["node"]), step.payload, step.tell)


async def _install(step: _Step) -> Any:
    spec = step.spec
    await step.engine.install(spec, spec.node(step["node"]), step.payload, step.tell)


async def _network(step: _Step) -> Any:
    spec = step.spec
    await step.engine.network(spec, spec.node(step["node"]))


async def _mint_join(step: _Step) -> Any:
    return (await step.engine.mint_join(step.spec, step["role"], step["seconds"])).model_dump(mode="json")


async def _join(step: _Step) -> Any:
    spec, bundle = step.spec, Bundle.model_validate(step["bundle"])
    await step.engine.join(spec, spec.node(step["node"]), step.payload, bundle, step.tell)


async def _probe_begin(step: _Step) -> Any:
    return await step.engine.probe_begin(step.spec, step.payload)


async def _upgrade(step: _Step) -> Any:
    spec = step.spec
    await step.engine.upgrade(spec, spec.node(step["node"]), step.payload, bool(step["first"]), step.tell)


async def _access(step: _Step) -> Any:
    with suppress(OSError):
        access.ssh_keys(step.machine, step.spec.ssh_keys)
    await access.time_servers(step.machine, step.spec)


async def _status(step: _Step) -> Any:
    return (await step.engine.status()).model_dump(mode="json")


_STEPS: dict[str, Callable[[_Step], Awaitable[Any]]] = {
    "detect": _detect,
    "preflight": _preflight,
    "plan": _plan,
    "prepare": _prepare,
    "install": _install,
    "network": _network,
    "mint_join": _mint_join,
    "join": _join,
    "probe_begin": _probe_begin,
    "probe_ask": lambda s: s.engine.probe_ask(str(s["address"]), int(s["port"])),
    "probe_mend": lambda s: s.engine.probe_mend(),
    "probe_anew": lambda s: s.engine.probe_anew(),
    "probe_end": lambda s: s.engine.probe_end(str(s["namespace"])),
    "ready": lambda s: s.engine.ready(str(s["name"]), s.tell),
    "apply": lambda s: s.engine.apply(s.spec, s.tell),
    "mark": lambda s: s.engine.mark(str(s["name"]), list(s["labels"]), list(s["taints"])),
    "access": _access,
    "objects": lambda s: s.engine.objects(str(s["kind"]), str(s.arguments.get("namespace", ""))),
    "kubeconfig": lambda s: s.engine.kubeconfig(),
    "status": _status,
    "renew": lambda s: s.engine.renew(s.tell),
    "upgrade": _upgrade,
    "remove": lambda s: s.engine.remove(str(s["name"]), str(s["address"]), s.tell),
    "forget": lambda s: s.engine.forget(str(s["name"])),
    "reset": lambda s: s.engine.reset(bool(s["purge"]), s.tell),
    "backup": lambda s: s.engine.backup(str(s["path"])),
    "restore": lambda s: s.engine.restore(str(s["path"]), str(s["sha256"]), s.tell),
}
NAMES = tuple(_STEPS)


def issue_data(issue: Issue) -> dict[str, str]:
    """An issue as it travels."""
    return {f: getattr(issue, f) for f in ("code", "severity", "field", "text", "remedy")}


def issue_of(data: dict[str, str]) -> Issue:
    severities: dict[str, Severity] = {"error": "error", "note": "note"}
    severity = severities.get(data["severity"], "warning")
    return Issue(data["code"], severity, data["field"], data["text"], data["remedy"])
