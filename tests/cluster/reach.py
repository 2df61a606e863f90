"""A node of the rig as a `ClusterHost`: the very steps, run on the node, reached through its namespaces."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.engines.engine import Away, Event, Node, Spec, Tell
from agent.engines.steps import issue_of
from tests.cluster import rig
from tui.models.change import Refused

PAYLOAD = "/media/payload"
SANDBOX = {
    # What these nodes ask of the engine's own options; see tests/README.md.
    "kubelet": {"cgroupDriver": "cgroupfs", "failSwapOn": False},
    "kube_proxy": {"conntrack": {"maxPerCore": 0}},
    "ignore_preflight": ["SystemVerification"],
}


@dataclass
class RigHost:
    """`before` is called with the name of each step before it runs, so that a test can cut the power in it."""

    node: rig.Node
    before: Callable[[str], None] = lambda _step: None

    @property
    def uid(self) -> str:
        return self.node.name

    async def call(self, step: str, arguments: dict[str, Any], tell: Tell) -> Any:
        self.before(step)
        if not self.node.powered:
            raise Away(f"{self.node.name} has no power")
        pipe = asyncio.subprocess.PIPE
        words = [*self.node.enter(), *self.node.unit(), "python3", "-m", "tests.cluster.on_node", step, PAYLOAD]
        process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=pipe, limit=1 << 24)
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(json.dumps(arguments).encode())
        process.stdin.close()
        said = asyncio.create_task(process.stderr.read())
        while line := await process.stdout.readline():
            kind, data = json.loads(line)
            if kind == "event":
                tell(Event.model_validate(data))
            elif kind == "refused":
                await process.wait()
                raise Refused(*(issue_of(d) for d in data))
            else:
                await process.wait()
                return data
        await process.wait()
        if not self.node.powered:
            raise Away(f"{self.node.name} lost its power")
        raise AssertionError(f"{self.uid} {step}: {(await said).decode()[-3000:]}")


def spec(nodes: list[rig.Node], planes: int, vip: str | None = None, **more: Any) -> Spec:
    """A cluster of these nodes, the first so many of them control planes."""
    members = tuple(
        Node(
            uid=node.name,
            name=node.name,
            address=node.address,
            role="control-plane" if place < planes else "worker",
            number=node.number,
        )
        for place, node in enumerate(nodes)
    )
    document = {"name": "rig", "engine": "kubeadm", "version": "v1.20.2", "options": SANDBOX, **more}
    return Spec.model_validate({**document, "nodes": members, "vip": vip})
