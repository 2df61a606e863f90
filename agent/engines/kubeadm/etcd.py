"""The members of etcd, asked inside their own container, so that it works while the API is down.

Quorum: of n members more than half must run. kubeadm announces a member before it runs, so from one to two every write
waits for a member that may never come (kubernetes, "Options for Highly Available topology"; etcd, "Runtime
reconfiguration").
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from typing import Any

import yaml

from agent.engines.engine import Tell
from agent.engines.kubeadm.runtime import NAMESPACE
from agent.engines.machine import Machine, until
from tui.models.change import FileImage, Issue, Refused
from tui.services.change import files

MANIFEST = "/etc/kubernetes/manifests/etcd.yaml"
DATA = "/var/lib/etcd"
STARTING = 120.0
"""Seconds that a new member may take to run; the cluster of one stands still as long."""
_PKI = "/etc/kubernetes/pki/etcd"
_SURE = (
    "--endpoints=https://127.0.0.1:2379", f"--cacert={_PKI}/ca.crt", f"--cert={_PKI}/healthcheck-client.crt",
    f"--key={_PKI}/healthcheck-client.key",
)  # fmt: skip


def quorum(members: int) -> int:
    """How many of so many must run."""
    return members // 2 + 1


def arithmetic(members: int, healthy: int) -> str:
    """What a further member means, in words for the person who adds it."""
    after, needed = members + 1, quorum(members + 1)
    spare = after - needed
    loss = "none may fail" if spare == 0 else f"{spare} may fail" if spare > 1 else "one may fail"
    return f"{members} control planes ({healthy} healthy) become {after}; {needed} must run, so {loss}."


def risk(members: int, healthy: int) -> Issue | None:
    """Why a further member must not be added now: it counts before it runs, so the others must be enough."""
    if healthy >= quorum(members + 1) or members == 1 == healthy:
        return None
    text = f"Only {healthy} of {members} control planes are healthy; a further one would stop the cluster."
    return Issue("K211", "error", "", text, "Mend or remove the control planes that are down, then add one.")


async def container(machine: Machine, name: str = "etcd") -> str:
    """The running container of a static pod; "" where none runs."""
    label = f'labels."io.kubernetes.container.name"=={name}'
    named = (await machine.run(*NAMESPACE, "containers", "ls", "-q", label)).output.split()
    tasks = (await machine.run(*NAMESPACE, "tasks", "ls")).output.splitlines()
    running = {line.split()[0] for line in tasks[1:] if "RUNNING" in line}
    return next((name for name in named if name in running), "")


async def anew(machine: Machine, name: str) -> None:
    """End the container of a static pod, and wait until the kubelet has started another."""
    if not (former := await container(machine, name)):
        return
    await machine.run(*NAMESPACE, "tasks", "kill", "-s", "SIGTERM", former)
    async for _ in until(90, 0.5):
        if (now := await container(machine, name)) and now != former:
            return


async def ctl(machine: Machine, *words: str, limit: float = 15) -> tuple[bool, str]:
    """etcdctl in the container: whether it worked, and what it said."""
    inside = await container(machine)
    if not inside:
        return False, "etcd does not run on this host"
    exec_id = f"onsite-{secrets.token_hex(4)}"
    command = (*NAMESPACE, "tasks", "exec", "--exec-id", exec_id, inside, "etcdctl", *_SURE, *words)
    done = await machine.run(*command, limit=limit)
    return done.ok, done.output if done.ok else done.why


async def members(machine: Machine) -> tuple[dict[str, Any], ...]:
    """Each with "name" ("" while it has not started), "id" (hexadecimal), "address" and "healthy"."""
    worked, said = await ctl(machine, "member", "list", "-w", "json")
    if not worked:
        return ()
    _, health = await ctl(machine, "endpoint", "health", "--cluster", "-w", "json")
    try:
        listed = json.loads(said)["members"]
    except (ValueError, KeyError):
        return ()
    well = _healthy(health)
    found = []
    for member in listed:
        client = (member.get("clientURLs") or [""])[0]
        peer = (member.get("peerURLs") or [""])[0]
        found.append(
            {
                "name": member.get("name", ""),
                "id": f"{member['ID']:x}",
                "address": peer.removeprefix("https://").rpartition(":")[0],
                "healthy": bool(client) and client in well,
            }
        )
    return tuple(found)


def _healthy(said: str) -> set[str]:
    """An unhealthy member makes etcdctl fail, yet what it prints names each."""
    start = said.find("[")
    try:
        return {e["endpoint"] for e in json.loads(said[start:]) if e.get("health")} if start >= 0 else set()
    except ValueError:
        return set()


async def remove(machine: Machine, name: str, address: str) -> bool:
    """Take a member out; whether there was one. Where the quorum is lost, this member goes on alone.

    An etcd that starts without a quorum answers nobody, not even who its members are, and the kubelet starts it anew
    after some 80 s without one. Then the record counts: who was a member before the last one was let in.

    Raises:
        Refused: it cannot be removed (K214).
    """
    known = await members(machine)
    if not known and machine.there(MANIFEST) and len(set(machine.record.members) - {address}) == 1:
        await alone(machine)
        return True
    gone = next((m for m in known if m["name"] == name or m["address"] == address), None)
    if gone is None:
        return False
    for _ in range(3):
        worked, said = await ctl(machine, "member", "remove", gone["id"])
        if worked:
            return True
    others = [m for m in known if m["id"] != gone["id"]]
    if len(others) == 1:
        await alone(machine)
        return True
    text = f"The member {name} of etcd could not be removed: {said}"
    raise Refused(Issue("K214", "error", "", text, "Bring one more control plane back, then try again."))


async def alone(machine: Machine) -> None:
    """Make this member the only one, with the data that it has: the way back when a second member never came.

    Raises:
        Refused: etcd does not come back alone (K214).
    """
    before = files.read_image(machine.host, MANIFEST)
    document = yaml.safe_load(before.content or b"")
    document["spec"]["containers"][0]["command"].append("--force-new-cluster")
    forced = yaml.safe_dump(document, sort_keys=False).encode()
    await _runs_with(machine, FileImage(MANIFEST, forced, before.mode))
    # The flag must not stay: with it a member that joins later would be thrown out at the next start.
    await _runs_with(machine, before)


async def _runs_with(machine: Machine, image: FileImage) -> None:
    former = await container(machine)
    files.write_image(machine.host, image)
    async for _ in until(120, 1):
        now = await container(machine)
        if now and now != former and [m["healthy"] for m in await members(machine)] == [True]:
            return
    text = "etcd did not come back as the only member."
    raise Refused(Issue("K214", "error", "", text, "Restore the last backup, or mend the other control plane."))


async def never_came(machine: Machine) -> Issue:
    """Once this host is announced as a member: why its etcd does not run. Does not end where it does."""
    while not machine.there(MANIFEST):  # noqa: ASYNC110 - kubeadm writes it, at some time
        await asyncio.sleep(1)
    async for _ in until(STARTING, 2):
        if await container(machine):
            await asyncio.Event().wait()
    said = (await machine.run("journalctl", "-q", "-o", "cat", "-u", "kubelet", "-n", "400")).output
    found = re.findall(r'pod "etcd-.*?(?:desc = |err=")(.*?)(?:"|$)', said, re.MULTILINE)
    why = found[-1] if found else "no reason is given"
    why = ": ".join(why.split(": ")[-3:])[-200:]  # errors say the cause last
    text = f"etcd was announced to the cluster and does not start on this host: {why}"
    return Issue("K201", "error", "", text, "Mend what is named, then add the host again.")


async def wait_healthy(machine: Machine, limit: float = 120) -> None:
    """Raises:
    Refused: a member is not healthy in time (K304).
    """
    ill = "etcd"
    async for _ in until(limit, 1):
        known = await members(machine)
        if known and all(m["healthy"] for m in known):
            return
        ill = ", ".join(m["name"] or m["address"] for m in known if not m["healthy"]) or ill
    text = f"Not healthy after {limit:.0f} s: {ill}."
    raise Refused(
        Issue("K304", "error", "", text, "Look at the host that is named; its status says what does not run.")
    )


async def snapshot(machine: Machine, path: str) -> None:
    """A snapshot of all data, moved to `path` on this host.

    Raises:
        Refused: etcd does not give one (K217).
    """
    inside = f"{DATA}/onsite-snapshot.db"
    machine.host.path(inside).unlink(missing_ok=True)
    worked, said = await ctl(machine, "snapshot", "save", inside, limit=300)
    if not worked:
        text = f"etcd gives no snapshot: {said}"
        raise Refused(Issue("K217", "error", "", text, "Make room on the disk and look at the status of etcd."))
    target = machine.host.path(path)
    files.make_folder(target.parent, 0o700)
    await machine.must("Moving the snapshot", "mv", machine.real(inside), str(target))
    target.chmod(0o600)


async def restore(machine: Machine, path: str, tell: Tell) -> None:
    """Put a snapshot in place of the data of the only member.

    Raises:
        Refused: there are other members (K218), or etcd does not take it (K217).
    """
    document = yaml.safe_load(machine.text(MANIFEST) or "{}")
    if not document:
        raise Refused(Issue("K218", "error", "", "This host has no etcd.", "Restore on a control plane."))
    if len(await members(machine)) > 1:
        text = "A snapshot can only be restored where one control plane is left."
        raise Refused(Issue("K218", "error", "", text, "Remove the other control planes, restore, then add them."))
    settings = dict(
        word[2:].split("=", 1) for word in document["spec"]["containers"][0]["command"] if word.startswith("--")
    )
    away = machine.host.path("/etc/kubernetes/onsite-restore")
    manifests = machine.host.path("/etc/kubernetes/manifests")
    files.make_folder(away, 0o700)
    for name in ("kube-apiserver.yaml", "etcd.yaml"):
        if (manifests / name).exists():
            (manifests / name).rename(away / name)
    async for _ in until(60, 0.5):
        if not await container(machine) and not await container(machine, "kube-apiserver"):
            break
    image = document["spec"]["containers"][0]["image"]
    data = machine.host.path(DATA)
    await machine.must("Copying the snapshot", "cp", machine.real(path), str(data / "onsite-snapshot.db"))
    try:
        await machine.must(
            "Restoring the snapshot", *NAMESPACE, "run", "--rm",
            "--mount", f"type=bind,src={data},dst={DATA},options=rbind:rw", image, f"onsite-{secrets.token_hex(4)}",
            "etcdctl", "snapshot", "restore", f"{DATA}/onsite-snapshot.db", f"--data-dir={DATA}/restored",
            f"--name={settings['name']}", f"--initial-cluster={settings['name']}={settings['listen-peer-urls']}",
            f"--initial-advertise-peer-urls={settings['initial-advertise-peer-urls']}", limit=300,
        )  # fmt: skip
        await machine.must("Removing the former data", "rm", "-rf", "--one-file-system", str(data / "member"))
        (data / "restored" / "member").rename(data / "member")
    finally:
        await machine.run("rm", "-rf", "--one-file-system", str(data / "restored"), str(data / "onsite-snapshot.db"))
        for name in ("etcd.yaml", "kube-apiserver.yaml"):
            if (away / name).exists():
                (away / name).rename(manifests / name)
        away.rmdir()
    await wait_healthy(machine)
