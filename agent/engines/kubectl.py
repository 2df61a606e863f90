"""The API of the cluster, asked by kubectl with this host's own credentials."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from agent.engines.engine import Spec
from agent.engines.machine import Machine, until
from tui.models.change import Issue, Refused

ADMIN = "/etc/kubernetes/admin.conf"
KUBELET = "/etc/kubernetes/kubelet.conf"
K3S = "/etc/rancher/k3s/k3s.yaml"
_READY = 240.0
_BAD = {"MemoryPressure": "memory is short", "DiskPressure": "the disk is short", "PIDPressure": "processes are short"}


def command(machine: Machine, *words: str, seconds: int = 20) -> tuple[str, ...]:
    """As an administrator on a control plane, else with the little that a node may ask."""
    if machine.record.engine == "k3s":
        return ("k3s", "kubectl", f"--kubeconfig={machine.real(K3S)}", f"--request-timeout={seconds}s", *words)
    config = ADMIN if machine.there(ADMIN) else KUBELET
    return ("kubectl", f"--kubeconfig={machine.real(config)}", f"--request-timeout={seconds}s", *words)


async def ask(machine: Machine, *words: str, seconds: int = 20) -> dict[str, Any]:
    """An object or a list of them; empty where the API does not answer."""
    done = await machine.run(*command(machine, *words, "-o", "json", seconds=seconds), limit=seconds + 5)
    try:
        return dict(json.loads(done.output)) if done.ok else {}
    except ValueError:
        return {}


async def answers(machine: Machine, server: str = "") -> bool:
    """Whether the API says that it is ready; `server` picks one of several."""
    one = (f"--server=https://{server}:6443",) if server else ()
    done = await machine.run(*command(machine, *one, "get", "--raw", "/readyz", seconds=5), limit=8)
    return done.ok and done.output.strip() == "ok"


async def wait_for_api(machine: Machine, limit: float = 180) -> None:
    """Raises:
    Refused: it does not answer in time (K205).
    """
    async for _ in until(limit, 1):
        if await answers(machine):
            return
    text = f"The cluster's API does not answer after {limit:.0f} s."
    raise Refused(Issue("K205", "error", "", text, "Look at this host's status: it names what does not run."))


def condition(node: dict[str, Any], kind: str = "Ready") -> dict[str, str]:
    found = (node.get("status") or {}).get("conditions") or []
    return next((c for c in found if c.get("type") == kind), {})


def node_data(item: dict[str, Any]) -> dict[str, Any]:
    """What a status tells of a node."""
    info = item.get("status", {}).get("nodeInfo", {})
    addresses = item.get("status", {}).get("addresses") or []
    ready = condition(item)
    reasons = []
    if ready.get("status") != "True":
        reasons.append(ready.get("message") or "it has not reported")
    for kind, words in _BAD.items():
        if condition(item, kind).get("status") == "True":
            reasons.append(words)
    return {
        "name": item["metadata"]["name"],
        "address": next((a["address"] for a in addresses if a["type"] == "InternalIP"), ""),
        "created": item["metadata"].get("creationTimestamp", ""),
        "ready": ready.get("status") == "True",
        "reasons": reasons,
        "conditions": item.get("status", {}).get("conditions") or [],
        "kubelet": info.get("kubeletVersion", ""),
        "kernel": info.get("kernelVersion", ""),
        "image": info.get("osImage", ""),
        "system": info.get("operatingSystem", ""),
        "architecture": info.get("architecture", ""),
    }


async def wait_ready(machine: Machine, name: str, limit: float = _READY) -> None:
    """Raises:
    Refused: it is not Ready in time, with the reason that the node gives (K206).
    """
    why = "it has not reported yet"
    async for _ in until(limit, 1):
        node = await ask(machine, "get", "node", name)
        ready = condition(node)
        if ready.get("status") == "True":
            return
        why = ready.get("message") or why
    text = f"{name} is not ready after {limit:.0f} s: {why}"
    raise Refused(Issue("K206", "error", "", text, "Mend what is named; the step can then be tried again."))


async def apply(machine: Machine, spec: Spec) -> None:
    """Packs in their order. A kind that a pack before it defines may need a moment, so each is tried a few times."""
    for manifest in spec.manifests:
        async for left in until(60, 3):
            done = await machine.run(*command(machine, "apply", "-f", "-"), limit=120, stdin=manifest.text)
            if done.ok:
                break
            if left < 5:
                text = f"The pack {manifest.name} could not be applied: {done.why}"
                raise Refused(Issue("K216", "error", "", text, "Mend the pack in the cluster definition."))


async def mark(machine: Machine, name: str, labels: Sequence[str], taints: Sequence[str]) -> None:
    """Labels and taints of a node: each as kubectl takes it, with a "-" behind what has to go.

    Raises:
        Refused: the API refuses (K201).
    """
    for what, words in (("label", labels), ("taint", taints)):
        for word in words:
            asked = command(machine, what, "--overwrite", "--", "node", name, word)
            if word.endswith("-"):  # it may be gone already
                await machine.run(*asked)
            else:
                await machine.must(f"Marking {name}", *asked)


async def forget(machine: Machine, name: str) -> None:
    """Delete the object of a node that left.

    Raises:
        Refused: the API refuses (K201).
    """
    await machine.must("Deleting the node", *command(machine, "delete", "node", name, "--ignore-not-found"))
