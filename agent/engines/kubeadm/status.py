"""How the cluster is, seen from this host: one word, and a reason for everything that is not well.

Works with the API down: the unit, the static pods, etcd and the certificates are read directly.
"""

from __future__ import annotations

import shutil
from typing import Any

import yaml

from agent.engines import kubectl
from agent.engines.engine import Status
from agent.engines.kubeadm import certificates, etcd, runtime
from agent.engines.machine import Machine
from tui.models.change import Issue
from tui.services import reading

_MANIFESTS = "/etc/kubernetes/manifests"


async def status(machine: Machine) -> Status:
    record = machine.record
    if not record.cluster:
        return Status(word="none")
    issues: list[Issue] = []
    if not (await machine.run("systemctl", "is-active", "kubelet.service")).ok:
        text = "The kubelet does not run on this host."
        issues.append(Issue("K301", "error", "", text, "Look at its journal: journalctl -u kubelet."))
    up = True
    members: tuple[dict[str, Any], ...] = ()
    if record.role == "control-plane":
        up = await kubectl.answers(machine)
        if not up:
            issues += await _down(machine)
        members = await etcd.members(machine)
        issues += _ill(members)
    listed = (await kubectl.ask(machine, "get", "nodes", seconds=5)).get("items", []) if up else []
    if up and not listed:
        text = "The cluster's API does not answer this host."
        issues.append(Issue("K302", "error", "", text, "Look at the control planes, and at the way to them."))
    nodes = tuple(kubectl.node_data(item) for item in listed)
    for node in nodes:
        issues += [
            Issue("K303", "error", "", f"{node['name']}: {why}", "Look at that host.") for why in node["reasons"]
        ]
    issues += certificates.soon(machine, machine.host.clock.now())
    issues += _disk(machine)
    issues += await _drift(machine)
    errors = [i for i in issues if i.severity == "error"]
    word = "ready" if not errors else "down" if {i.code for i in errors} & {"K301", "K302"} else "degraded"
    return Status.model_validate(
        {
            "word": word,
            "role": record.role,
            "version": record.version,
            "reasons": [{"code": i.code, "severity": i.severity, "text": i.text, "remedy": i.remedy} for i in issues],
            "nodes": nodes,
            "members": members,
            "certificates": certificates.found(machine),
        }
    )


async def _down(machine: Machine) -> list[Issue]:
    """Why the API of this control plane does not answer."""
    lacking = []
    for name in ("etcd", "kube-apiserver"):
        if not machine.there(f"{_MANIFESTS}/{name}.yaml"):
            lacking.append(f"{name} has no manifest")
        elif not await etcd.container(machine, name):
            lacking.append(f"{name} does not run")
    text = f"The cluster's API does not answer on this host: {', '.join(lacking) or 'it runs, but is not ready'}."
    issues = [Issue("K302", "error", "", text, "Look at the log of what does not run: /var/log/pods.")]
    members = await etcd.members(machine)
    healthy = sum(m["healthy"] for m in members)
    if members and healthy < etcd.quorum(len(members)):
        text = f"{healthy} of {len(members)} members of etcd are healthy; {etcd.quorum(len(members))} are needed."
        issues.append(Issue("K304", "error", "", text, "Bring one of the other control planes back, or remove it."))
    return issues


def _ill(members: tuple[dict[str, Any], ...]) -> list[Issue]:
    ill = [str(m["name"] or m["address"]) for m in members if not m["healthy"]]
    if not ill:
        return []
    text = f"Members of etcd are not healthy: {', '.join(ill)}."
    return [Issue("K304", "error", "", text, "Look at the hosts that are named.")]


def _disk(machine: Machine) -> list[Issue]:
    usage = shutil.disk_usage(machine.host.path("/var/lib"))
    if usage.free * 100 >= usage.total * 15:  # the kubelet begins to evict below this
        return []
    text = f"The disk of this host is short: {usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.0f} are free."
    return [Issue("K306", "warning", "", text, "Free space before the kubelet ends pods for it.")]


async def _drift(machine: Machine) -> list[Issue]:
    """Images that the static pods need and the runtime no longer has: they fail at the next start only."""
    wanted = set()
    for name in reading.names(machine.host, _MANIFESTS, ".yaml"):
        try:
            wanted.add(yaml.safe_load(machine.text(f"{_MANIFESTS}/{name}"))["spec"]["containers"][0]["image"])
        except (yaml.YAMLError, KeyError, TypeError, IndexError):
            continue
    lacking = wanted - await runtime.images(machine) if wanted else set()
    if not lacking:
        return []
    text = f"Images of this control plane are gone from the runtime: {', '.join(sorted(lacking))}."
    return [Issue("K307", "warning", "", text, "Import the bundle again before this host restarts.")]
