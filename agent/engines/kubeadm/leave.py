"""Taking the engine off a host, and looking whether nothing of it is left.

`kubeadm reset` says itself what it leaves: CNI configuration and links, rules of iptables, containers that its CRI does
not list. Rules and links that are not the engine's stay as they are.
"""

from __future__ import annotations

import shutil
import socket
from contextlib import suppress

from agent.engines.engine import Event, Tell
from agent.engines.kubeadm import layout, runtime
from agent.engines.machine import Machine, until
from tui.services import reading

_PORTS = (6443, 2379, 2380, 10250, 10257, 10259)
_UNITS = ("kubelet.service", "onsite-pod-routes.service")
_FOLDERS = (
    "/etc/kubernetes",
    "/var/lib/etcd",
    "/var/lib/kubelet",
    "/var/lib/cni",
    "/var/log/pods",
    "/var/log/containers",
)
_MARKS = ("KUBE-", "CNI-", "cali-")
_TABLES = (("iptables-save", "iptables-restore"), ("ip6tables-save", "ip6tables-restore"))


async def reset(machine: Machine, purge: bool, tell: Tell) -> list[str]:
    """What is left, which must be nothing."""
    tell(Event(step="reset", mark="begun", text="The engine is taken off this host"))
    if machine.program("kubeadm"):
        await machine.run("kubeadm", "reset", "-f", limit=180)
    await machine.run("systemctl", "disable", "--now", *_UNITS, limit=90)
    with suppress(OSError):
        await runtime.sweep(machine)
    if layout.KEEPALIVED in machine.record.former:
        await machine.run("systemctl", "disable", "--now", "keepalived.service")
    await _links(machine)
    await rules(machine)
    await _mounts(machine)
    for folder in _FOLDERS:
        with suppress(OSError):
            _empty(machine, folder)
    if purge:
        for name in sorted(await runtime.images(machine)):
            await machine.run(*runtime.NAMESPACE, "images", "rm", name)
    if purge:
        machine.put_back()
    else:
        machine.put_back(lambda path: not path.startswith("/usr/local/bin/"))
    await machine.run("systemctl", "daemon-reload")
    if machine.program("containerd"):
        await machine.run("systemctl", "restart", "containerd")
    left = await leftovers(machine)
    if left:
        tell(left_behind(left))
    else:
        machine.forget()
        tell(Event(step="reset", mark="done", text="Nothing of the engine is left on this host"))
    return left


def left_behind(found: list[str]) -> Event:
    text = f"Left behind: {', '.join(found)}. Try again; if it stays, restart the host."
    return Event(step="reset", mark="failed", code="K212", text=text)


async def leftovers(machine: Machine) -> list[str]:
    """Ports, containers, files, mounts, links and rules of the engine."""
    found: list[str] = []
    async for _ in until(10):  # sockets of processes that just ended
        found = [f"port {port}" for port in _PORTS if _listens(port)]
        if not found:
            break
    found += [
        f"container {c[:12]}" for c in (await machine.run(*runtime.NAMESPACE, "containers", "ls", "-q")).output.split()
    ]
    for folder in ("/etc/kubernetes", "/var/lib/etcd"):
        found += [f"file {p}" for p in sorted(machine.host.path(folder).rglob("*")) if p.is_file()]
    found += [f"mount {point}" for point in _mount_points(machine)]
    found += [f"link {name}" for name in _link_names(machine)]
    found += [f"namespace {name}" for name in runtime.list_netns(machine)]
    for save, _ in _TABLES:
        rules = (await machine.run(save)).output
        found += [f"rules {mark}* of {save[:-5]}" for mark in _MARKS if f":{mark}" in rules]
    for unit in _UNITS:
        if (await machine.run("systemctl", "is-active", unit)).ok:
            found.append(f"unit {unit}")
    return found


async def _links(machine: Machine) -> None:
    await machine.run("ip", "link", "delete", layout.BRIDGE)
    for pods in machine.text(layout.ROUTES).splitlines():
        if pods.startswith("ExecStart=/usr/sbin/ip route replace "):
            await machine.run("ip", "route", "del", *pods.split()[3:])


async def rules(machine: Machine) -> None:
    """Only lines that name a chain of the engine are left out; all else is put back as it was read."""
    for save, restore in _TABLES:
        rules = (await machine.run(save)).output
        kept = [line for line in rules.splitlines() if not any(mark in line for mark in _MARKS)]
        if len(kept) != len(rules.splitlines()):
            await machine.run(restore, stdin="\n".join(kept) + "\n")


async def _mounts(machine: Machine) -> None:
    for point in _mount_points(machine):
        await machine.run("umount", point, limit=20)


def _mount_points(machine: Machine) -> list[str]:
    return [p for p in machine.mounts() if p.startswith("/var/lib/kubelet/") or "/netns/cni-" in p]


def _link_names(machine: Machine) -> list[str]:
    with suppress(OSError):
        names = [link.name for link in machine.host.kernel.links()]
        return [name for name in names if name == layout.BRIDGE or name.startswith("veth")]
    return []


def _listens(port: int) -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex(("127.0.0.1", port)) == 0


def _empty(machine: Machine, folder: str) -> None:
    """The folder may be a mount of its own, so it stays and what is in it goes."""
    where = machine.host.path(folder)
    for name in [*reading.names(machine.host, folder), *(p.name for p in where.glob(".*"))]:
        path = where / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
