"""The driver of kubeadm: the interface of `agent.engines.engine`, one call after the other."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.engines import access, hosting, kubectl, probe
from agent.engines.engine import Bundle, Event, Node, Planned, Role, Spec, Status, Tell, contents
from agent.engines.kubeadm import (
    certificates,
    config,
    detect,
    etcd,
    layout,
    leave,
    preflight,
    runtime,
    status,
)  # fmt: skip
from agent.engines.machine import FOLDER, Machine, digest, until
from agent.engines.payload import Payload, sha256_of
from tui.models.change import FileImage, Issue, Refused
from tui.services.change import files, lock

_CONFIG = f"{FOLDER}/kubeadm.yaml"
_JOIN_LIMIT = 300.0
_NO_PULL = "--ignore-preflight-errors=ImagePull"
"""Every image of the content was seen in the runtime before, by `runtime.fill`."""


class Kubeadm:
    """See `agent.engines.engine.Engine`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def detect(self) -> dict[str, str]:
        return detect.detect(self.machine)

    async def preflight(self, spec: Spec, node: Node, payload: Payload) -> tuple[Issue, ...]:
        return await preflight.findings(self.machine, spec, node, payload)

    def plan(self, spec: Spec, node: Node, payload: Payload) -> Planned:
        images = self._files(spec, node, payload, link=hosting.link(self.machine, node), runtime_version=1)
        role = "init" if node.uid == spec.control_planes[0].uid else "join"
        commands = (
            "systemctl restart containerd",
            *(f"ctr -n k8s.io images import {i.archive}" for i in payload.inventory.images),
            f"kubeadm {role} --config {_CONFIG}",
        )
        placed = tuple((f"/usr/local/bin/{Path(p.path).name}", 0o755, "") for p in payload.binaries)
        return Planned(files=(*contents(images), *placed), commands=commands)

    # -- the host, before it is a node
    async def prepare(self, spec: Spec, node: Node, payload: Payload, tell: Tell) -> None:
        machine = self.machine
        hosting.begin(self.machine, "kubeadm", spec, node)
        sandbox = payload.inventory.sandbox_image
        version = await runtime.version(machine)
        images = self._files(spec, node, payload, link=hosting.link(self.machine, node), runtime_version=version)
        of = digest(*(f"{i.path}{i.sha256}" for i in images), *(p.sha256 for p in payload.binaries))

        async def place() -> None:
            async with lock.locked(machine.host):
                for part in payload.binaries:
                    name = Path(part.path).name
                    await machine.place(payload.path(part.path), f"/usr/local/bin/{name}", part.sha256, 0o755)
                machine.write(images)
                with suppress(OSError):
                    access.ssh_keys(machine, spec.ssh_keys)
            await access.time_servers(machine, spec)
            await machine.run("systemctl", "daemon-reload")
            await machine.run("modprobe", "-a", "overlay", "br_netfilter")
            await machine.run("sysctl", "-q", "-p", machine.real(layout.SYSCTL))

        async def start() -> None:
            await runtime.restart(machine, sandbox)
            if spec.pod_network == "routes":
                await machine.must("Setting the ways to pods", "systemctl", "enable", "onsite-pod-routes.service")
                await machine.must("Setting the ways to pods", "systemctl", "restart", "onsite-pod-routes.service")

        refs = digest(*(i.ref for i in payload.inventory.images))
        await machine.once("files", "Programs and settings are in place", tell, place, of)
        await machine.once("runtime", "The container runtime runs with them", tell, start, of)
        await machine.once("images", "The images are imported", tell, lambda: runtime.fill(machine, payload), refs)
        await machine.once(
            "sandbox", "A pod can start here", tell, lambda: runtime.prove(machine, spec, sandbox), of + refs
        )

    # -- becoming a node
    async def install(self, spec: Spec, node: Node, payload: Payload, tell: Tell) -> None:
        machine = self.machine

        async def address() -> None:
            await self._keepalived()
            async for _ in until(30):
                if preflight.link_of(machine, str(spec.vip)):
                    return
            text = f"The cluster address {spec.vip} did not come up on this host."
            raise Refused(Issue("K219", "error", "", text, "Look at keepalived: journalctl -u keepalived."))

        async def init() -> None:
            token = f"{secrets.token_hex(3)}.{secrets.token_hex(8)}"
            text = config.first(spec, node, spec.image_repository or payload.inventory.image_repository, token)
            words = ["init", "--config", machine.real(_CONFIG)]
            if lacks_dns(spec, payload):
                words += ["--skip-phases=addon/coredns", _NO_PULL]
            await self._kubeadm("Creating the control plane", text, words)
            await machine.run("kubeadm", "token", "delete", token.partition(".")[0])

        if spec.vip:
            await machine.once("address", f"The cluster address {spec.vip} is here", tell, address)
        if machine.record.steps.get("init") == "begun":
            await self._afresh(tell, "init")
        await machine.once("init", "The control plane is created", tell, init)
        await kubectl.wait_for_api(machine)

    async def ready(self, name: str, tell: Tell) -> None:
        tell(Event(step="ready", mark="begun", text=f"{name} is ready", node=name))
        await kubectl.wait_ready(self.machine, name)
        self.machine.record.members = []  # whoever was let in is there
        self.machine.save()
        tell(Event(step="ready", mark="done", text=f"{name} is ready", node=name))

    async def mint_join(self, spec: Spec, role: Role, seconds: float) -> Bundle:
        machine = self.machine
        key = ""
        if role == "control-plane":
            known = await etcd.members(machine)
            if issue := etcd.risk(len(known), sum(m["healthy"] for m in known)):
                raise Refused(issue)
            machine.record.members = [m["address"] for m in known]
            machine.save()
            key = secrets.token_hex(32)
            await machine.must("Handing out the certificates", "kubeadm", "init", "phase", "upload-certs",
                               "--upload-certs", "--config", machine.real(self._upload(spec, key)))  # fmt: skip
            files.remove(machine.host, [_CONFIG])
        life = f"{max(int(seconds) // 60, 1)}m"
        token = (await machine.must("Making a token", "kubeadm", "token", "create", f"--ttl={life}")).strip()
        return Bundle(
            endpoint=spec.endpoint, token=token.splitlines()[-1], ca_hash=certificates.ca_hash(machine),
            certificate_key=key, expires=machine.host.clock.now() + seconds, settled=settled(spec),
        )  # fmt: skip

    async def join(self, spec: Spec, node: Node, payload: Payload, bundle: Bundle, tell: Tell) -> None:
        machine = self.machine
        if differs := [k for k, v in settled(spec).items() if bundle.settled.get(k, v) != v]:
            text = f"This host and the cluster do not agree on {', '.join(differs)}."
            raise Refused(Issue("K220", "error", "", text, "Join with the definition that the cluster was made from."))
        if bundle.expires < machine.host.clock.now():
            text = "What was handed out for joining is no longer good."
            raise Refused(Issue("K221", "error", "", text, "Ask the cluster for a new one, and compare the clocks."))

        async def enter() -> None:
            text = config.joining(spec, node, bundle)
            more = [_NO_PULL] if lacks_dns(spec, payload) else []
            words = ["join", "--config", machine.real(_CONFIG), *more]
            await self._kubeadm("Joining the cluster", text, words, counts=node.role == "control-plane")
            if spec.vip and node.role == "control-plane":
                await self._keepalived()

        if machine.record.steps.get("join") == "begun":
            await self._afresh(tell, "join")
        await machine.once("join", "This host has joined the cluster", tell, enter)

    async def network(self, spec: Spec, node: Node) -> None:
        machine = self.machine
        images = layout.network(spec, node, hosting.link(self.machine, node))
        changed = [i for i in images if files.read_image(machine.host, i.path).sha256 != i.sha256]
        machine.write(changed)
        if not changed:
            return
        await machine.run("systemctl", "daemon-reload")
        if any(i.path == layout.ROUTES for i in changed):
            await machine.must("Setting the ways to pods", "systemctl", "restart", "onsite-pod-routes.service")
        if any(i.path == layout.KEEPALIVED for i in changed):
            await machine.run("systemctl", "reload-or-restart", "keepalived.service")

    async def apply(self, spec: Spec, tell: Tell) -> None:
        if spec.manifests:
            tell(Event(step="packs", mark="begun", text="The packs are applied"))
            await kubectl.apply(self.machine, spec)
            tell(Event(step="packs", mark="done", text="The packs are applied"))

    async def mark(self, name: str, labels: list[str], taints: list[str]) -> None:
        await kubectl.mark(self.machine, name, labels, taints)

    # -- is it well?
    async def probe_begin(self, spec: Spec, payload: Payload) -> dict[str, Any]:
        return await probe.begin(self.machine, spec, payload)

    async def probe_ask(self, address: str, port: int) -> list[str]:
        return await probe.ask(address, port)

    async def probe_mend(self) -> None:
        await probe.mend(self.machine)

    async def probe_anew(self) -> None:
        await etcd.anew(self.machine, "kube-apiserver")
        await kubectl.wait_for_api(self.machine)

    async def probe_end(self, namespace: str) -> None:
        await probe.end(self.machine, namespace)

    async def objects(self, kind: str, namespace: str) -> list[dict[str, Any]]:
        where = ("-n", namespace) if namespace else ("-A",)
        return list((await kubectl.ask(self.machine, "get", kind, *where)).get("items", []))

    async def kubeconfig(self) -> str:
        return self.machine.text(kubectl.ADMIN)

    async def status(self) -> Status:
        return await status.status(self.machine)

    async def renew(self, tell: Tell) -> None:
        await certificates.renew(self.machine, tell)

    async def upgrade(self, spec: Spec, node: Node, payload: Payload, first: bool, tell: Tell) -> None:
        """kubeadm first, then this node, then its kubelet. The caller takes one control plane at a time."""
        machine = self.machine
        if issue := skew(machine.record.version, spec.version):
            raise Refused(issue)
        parts = {Path(p.path).name: p for p in payload.binaries}

        async def change() -> None:
            await runtime.fill(machine, payload)
            part = parts["kubeadm"]
            await machine.place(payload.path(part.path), "/usr/local/bin/kubeadm", part.sha256, 0o755)
            words = ["upgrade", "apply", "-y", spec.version] if first else ["upgrade", "node"]
            if first and not payload.image("coredns"):
                words.append("--ignore-preflight-errors=CoreDNSUnsupportedPlugins,CoreDNSMigration")
            await machine.must("The upgrade", "kubeadm", *words, limit=600)
            for name, other in parts.items():
                await machine.place(payload.path(other.path), f"/usr/local/bin/{name}", other.sha256, 0o755)
            await machine.must("Starting the new kubelet", "systemctl", "restart", "kubelet")

        if first:
            await self.backup(f"{FOLDER}/before-{spec.version}.db")
        await machine.once("upgrade", f"This host runs {spec.version}", tell, change, spec.version)
        machine.record.version = spec.version
        machine.save()

    # -- leaving
    async def remove(self, name: str, address: str, tell: Tell) -> None:
        machine = self.machine
        tell(Event(step="remove", mark="begun", text=f"{name} leaves the cluster", node=name))
        up = await kubectl.answers(machine)
        node = await kubectl.ask(machine, "get", "node", name) if up else {}
        if kubectl.condition(node).get("status") == "True":
            words = ("drain", name, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=60s")
            await machine.run(*kubectl.command(machine, *words, seconds=60), limit=90)
        if await etcd.remove(machine, name, address) and not await kubectl.answers(machine):
            # The API ended again and again without etcd: the kubelet lets it wait up to five minutes, unless it is new.
            await machine.run("systemctl", "restart", "kubelet")
        await kubectl.wait_for_api(machine)
        await kubectl.forget(machine, name)
        tell(Event(step="remove", mark="done", text=f"{name} has left the cluster", node=name))

    async def forget(self, name: str) -> None:
        await kubectl.forget(self.machine, name)

    async def reset(self, purge: bool, tell: Tell) -> list[str]:
        with suppress(OSError):
            access.ssh_keys(self.machine, ())
        return await leave.reset(self.machine, purge, tell)

    async def backup(self, path: str) -> dict[str, str]:
        await etcd.snapshot(self.machine, path)
        return {"path": path, "sha256": sha256_of(self.machine.host.path(path))}

    async def restore(self, path: str, sha256: str, tell: Tell) -> None:
        hosting.whole(self.machine, path, sha256)
        await etcd.restore(self.machine, path, tell)
        # What they remember is newer than the data (kubernetes, "Operating etcd clusters for Kubernetes").
        for name in ("kube-controller-manager", "kube-scheduler"):
            await etcd.anew(self.machine, name)
        await self.machine.run("systemctl", "restart", "kubelet")
        await kubectl.wait_for_api(self.machine)

    # -- parts of these
    def _files(
        self, spec: Spec, node: Node, payload: Payload, link: str, runtime_version: int
    ) -> tuple[FileImage, ...]:
        folder = runtime.plugins(self.machine) or runtime.PLUGIN_FOLDERS[0]
        return layout.images(spec, node, payload.inventory.sandbox_image, folder, link, runtime_version)

    async def _kubeadm(self, what: str, text: str, words: list[str], counts: bool = False) -> None:
        """Run it with a configuration that is secret and goes away afterwards.

        Args:
            counts: it announces a member of etcd; where that does not run, it is not waited for.
        """
        machine = self.machine
        await machine.must(what, "systemctl", "enable", "kubelet.service")
        files.write_image(machine.host, FileImage(_CONFIG, text.encode(), 0o600))
        kubeadm = asyncio.create_task(machine.run("kubeadm", *words, limit=_JOIN_LIMIT))
        member = asyncio.create_task(etcd.never_came(machine)) if counts else None
        try:
            await asyncio.wait([kubeadm, *([member] if member else [])], return_when=asyncio.FIRST_COMPLETED)
            if member is not None and member.done() and not kubeadm.done():
                raise Refused(member.result())
            done = await kubeadm
        finally:
            for task in (kubeadm, member):
                if task is not None:
                    task.cancel()
            await asyncio.gather(*(t for t in (kubeadm, member) if t), return_exceptions=True)
            files.remove(machine.host, [_CONFIG])
        if not done.ok:
            files.write_image(
                machine.host, FileImage(f"{FOLDER}/kubeadm.log", (done.output + done.said).encode(), 0o600)
            )
            remedy = f"The whole story is in {FOLDER}/kubeadm.log on this host."
            raise Refused(Issue("K201", "error", "", f"{what} failed: {done.why}", remedy))

    async def _afresh(self, tell: Tell, step: str) -> None:
        """A step of kubeadm that was interrupted cannot go on in its middle: back to before it, images kept."""
        machine = self.machine
        text = "A step was interrupted; it is taken back and done again"
        tell(Event(step=step, mark="note", code="K213", text=text))
        await machine.run("kubeadm", "reset", "-f", limit=180)
        await machine.run("systemctl", "stop", "kubelet.service")
        await runtime.sweep(machine)
        await machine.run("systemctl", "restart", "containerd")
        machine.record.steps.pop(step, None)
        machine.save()

    async def _keepalived(self) -> None:
        await self.machine.must("Starting keepalived", "systemctl", "enable", "keepalived.service")
        await self.machine.must("Starting keepalived", "systemctl", "restart", "keepalived.service")

    def _upload(self, spec: Spec, key: str) -> str:
        """The configuration that `upload-certs` takes its key from: an argument would show it to everybody."""
        kind = {"apiVersion": f"kubeadm.k8s.io/{config.api(spec)}", "kind": "InitConfiguration"}
        text = config.documents({**kind, "certificateKey": key}, config.cluster(spec, ""))
        files.write_image(self.machine.host, FileImage(_CONFIG, text.encode(), 0o600))
        return _CONFIG


def lacks_dns(spec: Spec, payload: Payload) -> bool:
    """The engine insists on an image that is neither in the content nor to be had: then it must not pull at all."""
    return not payload.image("coredns") and not spec.registry


def settled(spec: Spec) -> dict[str, str]:
    """What every host of the cluster must agree on."""
    return {
        "engine": spec.engine,
        "version": spec.version,
        "pods": str(spec.pod_range),
        "services": str(spec.service_range),
        "domain": spec.dns_domain,
    }


def skew(now: str, then: str) -> Issue | None:
    """kubeadm goes up, one minor version at a time (kubernetes, "Version Skew Policy")."""
    old, new = ([int(n) for n in re.findall(r"\d+", text)[:3]] for text in (now, then))
    if old <= new and (new[0], new[1]) in ((old[0], old[1]), (old[0], old[1] + 1)):
        return None
    text = f"From {now} there is no way to {then}: one minor version at a time, and never back."
    return Issue("K222", "error", "", text, "Import a bundle of the next minor version.")
