"""Everything that stands in the way of this host, found before anything is written, and all of it at once.

Limits are kubeadm's own (two processors and 1,700 MiB for a control plane; kubernetes, cmd/kubeadm/app/constants).
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from ipaddress import IPv4Network, ip_interface, ip_network
from pathlib import Path

from agent.engines.engine import Node, Spec
from agent.engines.kubeadm import detect, layout, runtime
from agent.engines.machine import Machine
from agent.engines.payload import Payload
from tui.models.change import Issue
from tui.models.facts import Link
from tui.services.checks import probe
from tui.services.checks.wire import listening

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_MEMORY = {"control-plane": 1700, "worker": 700}
"""MiB."""
_PORTS = {"control-plane": (6443, 2379, 2380, 10250, 10257, 10259), "worker": (10250,)}
_PROGRAMS = ("containerd", "ctr", "runc", "iptables", "conntrack", "ip", "mount", "sysctl", "systemctl", "systemd-run")
_WHERE = "/var/lib/containerd"
_IMAGES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd", "pause")
_BINARIES = ("kubeadm", "kubelet", "kubectl")


async def findings(machine: Machine, spec: Spec, node: Node, payload: Payload) -> tuple[Issue, ...]:
    found = [*_programs(machine, spec, node), *_placed(machine)]
    found += await asyncio.to_thread(lambda: list(_content(spec, payload)))  # it reads every part
    found += [issue async for issue in _running(machine)]
    found += await host(machine, spec, node, payload, detect.detect(machine), _PORTS[node.role])
    return tuple(sorted(found, key=lambda i: i.severity != "error"))


async def host(
    machine: Machine, spec: Spec, node: Node, payload: Payload, state: dict[str, str], ports: tuple[int, ...]
) -> list[Issue]:
    """What any engine asks of a host.

    Args:
        state: what the driver's `detect` says.
        ports: those that the engine listens on.
    """
    found = list(_remains(state))
    found += _room(machine, node, payload)
    found += _kernel(machine, spec)
    link = link_of(machine, str(node.address))
    found += _network(machine, spec, node, link)
    found += _ports(machine, ports)
    found += _names(node)
    found += [issue async for issue in _vip(spec, node, link)]
    found += [issue async for issue in _clock(machine)]
    return found


def link_of(machine: Machine, address: str) -> Link | None:
    """The link that has the address."""
    with suppress(OSError):
        for link in machine.host.kernel.links():
            if any(str(ip_interface(a.address).ip) == address for a in link.addresses):
                return link
    return None


def _issue(code: str, text: str, remedy: str, severity: str = "error") -> Issue:
    return Issue(code, "error" if severity == "error" else "warning", "", text, remedy)


def _remains(state: dict[str, str]) -> Iterator[Issue]:
    if state["state"] == "foreign":
        text = f"Another cluster, or what is left of one, is on this host: {state['remains']}."
        yield _issue("K118", text, "Take it off with its own uninstaller, or reset this host, then look again.")


def _placed(machine: Machine) -> Iterator[Issue]:
    placed = (*(f"/usr/local/bin/{name}" for name in _BINARIES), layout.KUBELET)
    if others := [path for path in placed if path not in machine.record.former and machine.there(path)]:
        text = f"Programs of an engine are here that Onsite did not bring: {', '.join(others)}."
        yield _issue("K118", text, "Remove them; the content brings its own.")


def _room(machine: Machine, node: Node, payload: Payload) -> Iterator[Issue]:
    processors = len(os.sched_getaffinity(0))
    if node.role == "control-plane" and processors < 2:
        yield _issue("K102", "This host has one processor; a control plane needs two.", "Make it a worker instead.")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    if memory < (needed := _MEMORY[node.role]):
        yield _issue("K101", f"This host has {memory} MiB of memory and needs {needed}.", "Add memory.")
    folder = next(p for p in (machine.host.path(_WHERE), *machine.host.path(_WHERE).parents) if p.exists())
    free, wanted = shutil.disk_usage(folder).free, payload.size * 5 // 2 + 2**30
    if free < wanted:
        text = f"{_WHERE} has {free / 2**30:.1f} GiB free; the images and their layers need {wanted / 2**30:.1f}."
        yield _issue("K103", text, "Free space, or put /var on a larger disk.")
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    if architecture != payload.inventory.architecture:
        text = f"The content is for {payload.inventory.architecture}, this host is {architecture}."
        yield _issue("K104", text, f"Import a bundle for {architecture}.")


def _kernel(machine: Machine, spec: Spec) -> Iterator[Issue]:
    unified = machine.there("/sys/fs/cgroup/cgroup.controllers")
    kubelet = spec.options.get("kubelet") or {}
    if not unified and spec.minor >= (1, 35) and kubelet.get("failCgroupV1") is not False:
        text = f"Kubernetes {spec.version} does not start on a host with control groups of version 1."
        yield _issue("K105", text, "Boot with systemd.unified_cgroup_hierarchy=1, or take an older engine.")
    if unified and spec.minor < (1, 22):
        text = f"Kubernetes {spec.version} does not know control groups of version 2 well."
        yield _issue("K105", text, "Take a newer engine, or boot with version 1.", "warning")
    swap = [line.split()[0] for line in machine.text("/proc/swaps").splitlines()[1:]]
    if swap and kubelet.get("failSwapOn") is not False:
        text = f"Swap is on ({', '.join(swap)}); the kubelet does not start with it."
        yield _issue("K106", text, "Switch it off (swapoff -a) and take it out of /etc/fstab.")


def _programs(machine: Machine, spec: Spec, node: Node) -> Iterator[Issue]:
    moves = spec.vip and node.role == "control-plane"
    wanted = (*_PROGRAMS, "keepalived") if moves else _PROGRAMS
    if lacking := [name for name in wanted if not machine.program(name)]:
        yield _issue(
            "K107", f"Programs are missing: {', '.join(lacking)}.", "Install them from this system's packages."
        )
    if not runtime.plugins(machine):
        text = f"The network plugins ({', '.join(runtime.PLUGINS)}) are in none of {', '.join(runtime.PLUGIN_FOLDERS)}."
        yield _issue("K120", text, "Install containernetworking-plugins, or take a system image that has them.")
    if moves and layout.KEEPALIVED not in machine.record.former and machine.there(layout.KEEPALIVED):
        text = "keepalived is set up for something else here."
        yield _issue("K119", text, "Give the cluster an address that does not move, or take that set-up away.")


def _content(spec: Spec, payload: Payload) -> Iterator[Issue]:
    inventory = payload.inventory
    if (inventory.engine, inventory.version) != (spec.engine, spec.version):
        text = f"The content is {inventory.engine} {inventory.version}; {spec.engine} {spec.version} is wanted."
        yield _issue("K115", text, "Import the bundle that belongs to the cluster definition.")
    if altered := payload.altered():
        text = f"Parts of the content are missing or altered: {', '.join(altered[:5])}."
        yield _issue("K115", text, "Import the bundle again.")
    names = {Path(p.path).name for p in payload.binaries}
    if lacking := [name for name in _BINARIES if name not in names]:
        yield _issue("K116", f"The content lacks {', '.join(lacking)}.", "Make the bundle again, with these programs.")
    if spec.registry:
        return
    if lacking := payload.lacks(spec.needs_images):
        text = f"The definition needs images that the content lacks: {', '.join(lacking[:5])}."
        yield _issue("K116", text, "Import a bundle that has the engine and these images.")
    if lacking := [name for name in _IMAGES if not payload.image(name)]:
        text = f"The content lacks images that {spec.version} needs: {', '.join(lacking)}."
        yield _issue("K116", text, "Make the bundle again, with all that `kubeadm config images list` names.")
    if not payload.image("coredns"):
        text = "The content has no CoreDNS: names of services are not resolved in this cluster."
        yield _issue("K117", text, "Go on where nothing needs it, or make the bundle again with it.", "warning")


def _network(machine: Machine, spec: Spec, node: Node, link: Link | None) -> Iterator[Issue]:
    if link is None:
        text = f"This host does not have the address {node.address}."
        yield _issue("K112", text, "Give the host a fixed address, then choose it for the cluster.")
    elif any(str(ip_interface(a.address).ip) == str(node.address) and a.origin == "dhcp" for a in link.addresses):
        text = f"{node.address} is leased by DHCP; a node whose address changes is lost to its cluster."
        yield _issue("K112", text, "Make it static, or have it reserved for this host.", "warning")
    routes: list[tuple[str, str]] = []
    with suppress(OSError):
        links = [one for one in machine.host.kernel.links() if one.name not in (_ours(machine))]
        routes = [(route.destination, one.name) for one in links for route in one.routes if route.family == 4]
    if not any(destination == "default" for destination, _ in routes):
        text = "This host has no default route; the engine then finds no address of its own."
        yield _issue("K108", text, "Set a gateway, even one that leads nowhere.")
    for what, inside in (("pods", spec.pod_range), ("services", spec.service_range)):
        for destination, name in routes:
            if _overlaps(inside, destination) and not _own_pods(spec, destination):
                text = f"The range for {what}, {inside}, overlaps {destination}, which {name} leads to."
                yield _issue("K114", text, "Choose another range in the cluster definition.")
    if spec.pod_range.overlaps(spec.service_range):
        text = f"The ranges for pods ({spec.pod_range}) and services ({spec.service_range}) overlap."
        yield _issue("K114", text, "Choose other ranges in the cluster definition.")


def _ports(machine: Machine, ports: tuple[int, ...]) -> Iterator[Issue]:
    if {"init", "join", "start"} & machine.record.steps.keys():
        return
    if taken := [str(port) for port in ports if _taken(port)]:
        text = f"Ports that the cluster needs are in use: {', '.join(taken)}."
        yield _issue("K109", text, "Stop what listens there: `ss -ltnp` names it.")


def _ours(machine: Machine) -> tuple[str, ...]:
    return ("cni0", "docker0") if machine.record.cluster else ()


def _own_pods(spec: Spec, destination: str) -> bool:
    return destination in {str(spec.pods_of(n)) for n in spec.nodes}


def _overlaps(inside: IPv4Network, destination: str) -> bool:
    if destination == "default":
        return False
    with suppress(ValueError, TypeError):
        return inside.overlaps(IPv4Network(ip_network(destination, strict=False)))
    return False


def _taken(port: int) -> bool:
    with socket.socket(socket.AF_INET6) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("::", port))
        except OSError:
            return True
    return False


def _names(node: Node) -> Iterator[Issue]:
    try:
        socket.getaddrinfo(node.name, None)
    except OSError:
        text = f"The name {node.name} does not lead to an address on this host."
        yield _issue("K111", text, "Set it as the host's name: Name & time.", "warning")


async def _vip(spec: Spec, node: Node, link: Link | None) -> AsyncIterator[Issue]:
    """Nobody may answer for the moving address; it must lie in the network of the node."""
    if not spec.vip or link is None or node.role != "control-plane" or node.uid != spec.control_planes[0].uid:
        return
    mine = [ip_interface(a.address) for a in link.addresses if a.family == 4]
    if any(spec.vip == a.ip for a in mine):
        return
    if not any(spec.vip in a.network for a in mine):
        text = f"The cluster address {spec.vip} is not in the network of {node.address}."
        yield _issue("K113", text, "Choose a free address of the same network.")
    with suppress(OSError):
        with listening(link, frozenset({link.mac}), [spec.vip]) as wire:
            await probe.ask(wire, [spec.vip], probe.TRIES, probe.INTERVAL)
        if holders := wire.holders.get(spec.vip):
            text = f"The cluster address {spec.vip} is in use by the machine with the MAC {min(holders)}."
            yield _issue("K113", text, "Choose an address that nobody has.")


async def _running(machine: Machine) -> AsyncIterator[Issue]:
    others = (await machine.run("ctr", "namespaces", "ls", "-q")).output.split()
    for name in others:
        if name != "k8s.io" and (await machine.run("ctr", "-n", name, "tasks", "ls", "-q")).output.split():
            text = f"Containers of something else ({name}) run here; they are restarted with the runtime."
            yield _issue("K124", text, "Go on where a short interruption is no harm.", "warning")


async def _clock(machine: Machine) -> AsyncIterator[Issue]:
    clock = await machine.run("timedatectl", "show", "--property=NTPSynchronized", "--value")
    if clock.ok and clock.output.strip() == "no":
        text = "The clock of this host is not set by a time server."
        yield _issue("K110", text, "Set a time server: Name & time. Certificates need clocks that agree.", "warning")
