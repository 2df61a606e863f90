"""Does the cluster work? A pod on every node, and a Service that is new, reached from every node.

"Ready" proves neither: a node whose runtime starts no pod says Ready, and a kube-proxy that lost its watch serves the
old Services and never hears of a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import Any

import yaml

from agent.engines import kubectl
from agent.engines.engine import Spec
from agent.engines.machine import Machine, until
from agent.engines.payload import Payload
from tui.models.change import Issue, Refused

_SERVE = "mkdir -p /tmp/www && hostname > /tmp/www/index.html && exec httpd -f -p 8080 -h /tmp/www"
_STARTING = 120.0
_LONGEST = 16384


async def begin(machine: Machine, spec: Spec, payload: Payload) -> dict[str, Any]:
    """Raises:
    Refused: pods do not start on a node, with the node's reason (K207), or the API refuses (K201).
    """
    namespace = f"onsite-probe-{secrets.token_hex(3)}"
    text = yaml.safe_dump_all(_documents(spec, payload, namespace), sort_keys=False)
    await machine.must("Starting the probe", *kubectl.command(machine, "apply", "-f", "-"), stdin=text)
    wanted = {node.name for node in spec.nodes}
    pods: dict[str, str] = {}
    async for _ in until(_STARTING, 1):
        listed = (await kubectl.ask(machine, "-n", namespace, "get", "pods")).get("items", [])
        pods = {p["spec"].get("nodeName", ""): p["metadata"]["name"] for p in listed if _ready(p)}
        if wanted <= pods.keys():
            break
    else:
        lacking = sorted(wanted - pods.keys())
        why = await _why(machine, namespace, lacking[0])
        await end(machine, namespace)
        text = f"No pod starts on {', '.join(lacking)}: {why}"
        raise Refused(Issue("K207", "error", "", text, "A node that is ready can still fail to start pods: mend it."))
    service = await kubectl.ask(machine, "-n", namespace, "get", "service", "probe")
    address = service.get("spec", {}).get("clusterIP", "")
    return {"namespace": namespace, "address": address, "port": 80, "pods": sorted(pods.values())}


async def ask(address: str, port: int, limit: float = 40) -> list[str]:
    """Until somebody answers; then a few times more, to see who else does."""
    seen: list[str] = []
    async for _ in until(limit, 1):
        for _ in range(6):
            with contextlib.suppress(OSError, TimeoutError):
                seen.append(await _answer(address, port))
        if seen:
            break
    return sorted(set(seen))


async def mend(machine: Machine) -> None:
    """Every kube-proxy started anew."""
    proxy = ("-n", "kube-system", "rollout")
    await machine.must("Restarting kube-proxy", *kubectl.command(machine, *proxy, "restart", "daemonset/kube-proxy"))
    wait = (*proxy, "status", "daemonset/kube-proxy", "--timeout=120s")
    await machine.run(*kubectl.command(machine, *wait, seconds=130), limit=140)


async def end(machine: Machine, namespace: str) -> None:
    await machine.run(*kubectl.command(machine, "delete", "namespace", namespace, "--wait=false"))


async def _answer(address: str, port: int) -> str:
    async with asyncio.timeout(3):
        reader, writer = await asyncio.open_connection(address, port)
        try:
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            await writer.drain()
            said = b""
            while (block := await reader.read(4096)) and len(said) < _LONGEST:
                said += block
            head, _, body = said.partition(b"\r\n\r\n")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    return body.decode("utf-8", "replace").strip() or head[:40].decode("utf-8", "replace") or "connected"


def _ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


async def _why(machine: Machine, namespace: str, node: str) -> str:
    listed = (await kubectl.ask(machine, "-n", namespace, "get", "pods")).get("items", [])
    mine = [p["metadata"]["name"] for p in listed if p["spec"].get("nodeName") == node]
    events = (await kubectl.ask(machine, "-n", namespace, "get", "events")).get("items", [])
    about = [e for e in events if e["involvedObject"]["name"] in mine and e.get("type") == "Warning"]
    if about:
        return str(about[-1].get("message", ""))[:300]
    return "the node has not said why" if mine else "no pod was given to it"


def _documents(spec: Spec, payload: Payload, namespace: str) -> list[dict[str, Any]]:
    """With busybox in the content the pods answer; without it they only start, and the Service leads to the API."""
    labels = {"app": "onsite-probe"}
    web = payload.image("busybox")
    container: dict[str, Any] = {
        "name": "probe",
        "image": web or payload.inventory.sandbox_image,
        "imagePullPolicy": "IfNotPresent",
    }
    if web:
        container |= {
            "command": ["sh", "-c", _SERVE],
            "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        }
    pod = {"tolerations": [{"operator": "Exists"}], "terminationGracePeriodSeconds": 0, "containers": [container]}
    meta = {"name": "probe", "namespace": namespace}
    pods = {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta,
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }  # fmt: skip
    ports = [{"name": "web", "port": 80, "targetPort": 8080 if web else 6443}]
    service: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": ports}}
    documents = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, pods, service]
    if web:
        service["spec"]["selector"] = labels
    else:
        ready = [{"ip": str(n.address)} for n in spec.control_planes]
        subsets = [{"addresses": ready, "ports": [{"name": "web", "port": 6443}]}]
        documents.append({"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": subsets})
    return documents
