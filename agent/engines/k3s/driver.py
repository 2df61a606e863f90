"""The driver of k3s: the interface of `agent.engines.engine`. Not yet proven on real hardware."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.engines import access, hosting, kubectl, probe
from agent.engines.engine import Bundle, Event, Node, Planned, Role, Spec, Status, Tell, contents
from agent.engines.k3s import layout
from agent.engines.kubeadm import driver as kubeadm
from agent.engines.kubeadm import layout as shared
from agent.engines.kubeadm import leave, preflight
from agent.engines.machine import FOLDER, Machine, digest
from agent.engines.payload import Part, Payload, sha256_of
from tui.models.change import FileImage, Issue, Refused
from tui.services.change import files, lock

_REMAINS = ("/etc/kubernetes/kubelet.conf", "/var/lib/rancher/rke2", "/var/lib/k0s", "/var/snap/microk8s")
_OWN = ("/var/lib/rancher/k3s/server", "/var/lib/rancher/k3s/agent", layout.CONFIG)
_PORTS = {"control-plane": (6443, 2379, 2380, 10250), "worker": (10250,)}
_FOLDERS = ("/var/lib/rancher/k3s", "/etc/rancher", "/var/lib/kubelet", "/var/lib/cni", "/run/k3s", "/run/flannel")
_LINKS = ("cni0", "flannel.1", "flannel-v6.1")


class K3s:
    """See `agent.engines.engine.Engine`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def detect(self) -> dict[str, str]:
        record = self.machine.record
        if record.engine == "k3s":
            joined = "yes" if record.steps.get("start") == "done" else ""
            return {"state": "ours", "role": record.role, "version": record.version, "remains": "", "joined": joined}
        found = [path for path in (*_REMAINS, *_OWN) if self.machine.there(path)]
        state = "foreign" if found else "none"
        return {"state": state, "role": "", "version": "", "remains": ", ".join(found[:4]), "joined": ""}

    async def preflight(self, spec: Spec, node: Node, payload: Payload) -> tuple[Issue, ...]:
        found = [*self._content(spec, payload)]
        text = "Onsite's driver of k3s is not yet proven on real hardware."
        found.append(Issue("K126", "note", "", text, "Try it where a cluster may fail, and tell how it went."))
        found += await preflight.host(self.machine, spec, node, payload, self.detect(), _PORTS[node.role])
        return tuple(sorted(found, key=lambda i: i.severity != "error"))

    def plan(self, spec: Spec, node: Node, payload: Payload) -> Planned:
        placed = tuple((path, mode, "") for _, path, mode in self._placed(payload))
        first = node.uid == spec.control_planes[0].uid
        bundle = None if first else Bundle(endpoint=spec.endpoint, token="", ca_hash="", expires=0)
        images = layout.images(spec, node, hosting.link(self.machine, node), bundle)
        return Planned(files=(*contents(images), *placed), commands=(f"systemctl enable --now {layout.unit(node)}",))

    async def prepare(self, spec: Spec, node: Node, payload: Payload, tell: Tell) -> None:
        machine = self.machine
        hosting.begin(self.machine, "k3s", spec, node)

        async def place() -> None:
            async with lock.locked(machine.host):
                for part, path, mode in self._placed(payload):
                    await machine.place(payload.path(part.path), path, part.sha256, mode)
                # With it, a later start imports only archives that have changed.
                machine.write([FileImage(f"{layout.IMAGES}/.cache.json", b"")])
                with suppress(OSError):
                    access.ssh_keys(machine, spec.ssh_keys)
            await access.time_servers(machine, spec)
            await machine.must("Looking at the kernel", machine.real("/usr/local/bin/k3s"), "check-config", limit=60)

        of = digest(*(p.sha256 for p in payload.inventory.files))
        await machine.once("files", "Programs and images are in place", tell, place, of)

    async def install(self, spec: Spec, node: Node, payload: Payload, tell: Tell) -> None:
        await self._start(spec, node, None, tell)
        await kubectl.wait_for_api(self.machine)

    async def join(self, spec: Spec, node: Node, payload: Payload, bundle: Bundle, tell: Tell) -> None:
        if differs := [k for k, v in kubeadm.settled(spec).items() if bundle.settled.get(k, v) != v]:
            text = f"This host and the cluster do not agree on {', '.join(differs)}."
            raise Refused(Issue("K220", "error", "", text, "Join with the definition that the cluster was made from."))
        if bundle.expires < self.machine.host.clock.now():
            text = "What was handed out for joining is no longer good."
            raise Refused(Issue("K221", "error", "", text, "Ask the cluster for a new one, and compare the clocks."))
        await self._start(spec, node, bundle, tell)

    async def ready(self, name: str, tell: Tell) -> None:
        tell(Event(step="ready", mark="begun", text=f"{name} is ready", node=name))
        await kubectl.wait_ready(self.machine, name)
        tell(Event(step="ready", mark="done", text=f"{name} is ready", node=name))

    async def network(self, spec: Spec, node: Node) -> None:
        """k3s brings its own pod network; only the address that moves has to know of the others."""
        images = [
            i
            for i in layout.images(spec, node, hosting.link(self.machine, node), None)
            if i.path.endswith("keepalived.conf")
        ]
        changed = [i for i in images if files.read_image(self.machine.host, i.path).sha256 != i.sha256]
        self.machine.write(changed)
        if changed:
            await self.machine.run("systemctl", "reload-or-restart", "keepalived.service")

    async def mint_join(self, spec: Spec, role: Role, seconds: float) -> Bundle:
        """The server's own token in its secure form, which carries the authority's hash."""
        token = self.machine.text(layout.TOKEN).strip()
        if not token:
            text = "This server has no token to hand out."
            raise Refused(Issue("K201", "error", "", text, "Look at its journal: journalctl -u k3s."))
        now = self.machine.host.clock.now()
        hashed = token.partition("::")[0].removeprefix("K10")
        return Bundle(
            endpoint=spec.endpoint, token=token, ca_hash=hashed, expires=now + seconds, settled=kubeadm.settled(spec)
        )

    async def apply(self, spec: Spec, tell: Tell) -> None:
        if spec.manifests:
            tell(Event(step="packs", mark="begun", text="The packs are applied"))
            await kubectl.apply(self.machine, spec)
            tell(Event(step="packs", mark="done", text="The packs are applied"))

    async def mark(self, name: str, labels: list[str], taints: list[str]) -> None:
        await kubectl.mark(self.machine, name, labels, taints)

    async def probe_begin(self, spec: Spec, payload: Payload) -> dict[str, Any]:
        return await probe.begin(self.machine, spec, payload)

    async def probe_ask(self, address: str, port: int) -> list[str]:
        return await probe.ask(address, port)

    async def probe_mend(self) -> None:
        """kube-proxy is a part of k3s itself."""
        record = self.machine.record
        unit = layout.SERVER if record.role == "control-plane" else layout.AGENT
        await self.machine.must("Restarting k3s", "systemctl", "restart", unit, limit=180)

    async def probe_anew(self) -> None:
        await self.machine.must("Starting k3s anew", "systemctl", "restart", layout.SERVER, limit=300)
        await kubectl.wait_for_api(self.machine)

    async def probe_end(self, namespace: str) -> None:
        await probe.end(self.machine, namespace)

    async def objects(self, kind: str, namespace: str) -> list[dict[str, Any]]:
        where = ("-n", namespace) if namespace else ("-A",)
        return list((await kubectl.ask(self.machine, "get", kind, *where)).get("items", []))

    async def kubeconfig(self) -> str:
        return self.machine.text(kubectl.K3S)

    async def status(self) -> Status:
        record = self.machine.record
        if not record.cluster:
            return Status(word="none")
        issues = []
        unit = layout.SERVER if record.role == "control-plane" else layout.AGENT
        running = (await self.machine.run("systemctl", "is-active", unit)).ok
        if not running:
            text = "k3s does not run on this host."
            issues.append(Issue("K301", "error", "", text, f"Look at its journal: journalctl -u {unit}."))
        up = record.role != "control-plane" or await kubectl.answers(self.machine)
        if not up:
            text = "The cluster's API does not answer on this host."
            issues.append(Issue("K302", "error", "", text, "Look at its journal: journalctl -u k3s."))
        listed = (await kubectl.ask(self.machine, "get", "nodes", seconds=5)).get("items", []) if up else []
        nodes = tuple(kubectl.node_data(item) for item in listed)
        for node in nodes:
            issues += [Issue("K303", "error", "", f"{node['name']}: {why}", "Look at it.") for why in node["reasons"]]
        word = "ready" if not issues else "degraded" if running and up else "down"
        return Status.model_validate(
            {
                "word": word, "role": record.role, "version": record.version, "nodes": nodes,
                "reasons": [{f: getattr(i, f) for f in ("code", "severity", "text", "remedy")} for i in issues],
            }
        )  # fmt: skip

    async def renew(self, tell: Tell) -> None:
        """k3s rotates only while it is stopped."""
        tell(Event(step="renew", mark="begun", text="Certificates are renewed"))
        await self.machine.must("Stopping k3s", "systemctl", "stop", layout.SERVER, limit=120)
        try:
            await self.machine.must("Renewing the certificates", "k3s", "certificate", "rotate", limit=120)
        finally:
            await self.machine.must("Starting k3s", "systemctl", "start", layout.SERVER, limit=300)
        await kubectl.wait_for_api(self.machine)
        tell(Event(step="renew", mark="done", text="Certificates are renewed"))

    async def upgrade(self, spec: Spec, node: Node, payload: Payload, first: bool, tell: Tell) -> None:
        """Archive, binary, restart; the caller takes one server at a time, then the agents."""
        machine = self.machine
        if issue := kubeadm.skew(machine.record.version, spec.version):
            raise Refused(issue)
        if first:
            await self.backup(f"{FOLDER}/before-{spec.version}")

        async def change() -> None:
            for part, path, mode in self._placed(payload):
                await machine.place(payload.path(part.path), path, part.sha256, mode)
            await machine.must("Starting the new k3s", "systemctl", "restart", layout.unit(node), limit=300)

        await machine.once("upgrade", f"This host runs {spec.version}", tell, change, spec.version)
        machine.record.version = spec.version
        machine.save()

    async def remove(self, name: str, address: str, tell: Tell) -> None:
        """Deleting the node object takes the member out of etcd too, and lets the name join again."""
        tell(Event(step="remove", mark="begun", text=f"{name} leaves the cluster", node=name))
        words = ("drain", name, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=60s")
        await self.machine.run(*kubectl.command(self.machine, *words, seconds=60), limit=90)
        await kubectl.forget(self.machine, name)
        tell(Event(step="remove", mark="done", text=f"{name} has left the cluster", node=name))

    async def forget(self, name: str) -> None:
        await kubectl.forget(self.machine, name)

    async def reset(self, purge: bool, tell: Tell) -> list[str]:
        machine = self.machine
        tell(Event(step="reset", mark="begun", text="The engine is taken off this host"))
        for unit in (layout.SERVER, layout.AGENT):
            await machine.run("systemctl", "disable", "--now", unit, limit=120)
            await machine.run("systemctl", "kill", "--signal=SIGKILL", unit)
        if shared.KEEPALIVED in machine.record.former:
            await machine.run("systemctl", "disable", "--now", "keepalived.service")
        for point in (
            p for p in machine.mounts() if p.startswith(("/run/k3s/", "/var/lib/kubelet/", "/var/lib/rancher/"))
        ):
            await machine.run("umount", point, limit=20)
        for link in _LINKS:
            await machine.run("ip", "link", "delete", link)
        await leave.rules(machine)
        with suppress(OSError):
            access.ssh_keys(machine, ())
        for folder in _FOLDERS:
            shutil.rmtree(machine.host.path(folder), ignore_errors=True)
        machine.put_back(lambda path: purge or not path.startswith(("/usr/local/bin/", layout.IMAGES)))
        await machine.run("systemctl", "daemon-reload")
        left = [f"folder {f}" for f in _FOLDERS if machine.there(f)]
        left += [
            f"unit {u}" for u in (layout.SERVER, layout.AGENT) if (await machine.run("systemctl", "is-active", u)).ok
        ]
        if left:
            tell(leave.left_behind(left))
        else:
            machine.forget()
            tell(Event(step="reset", mark="done", text="Nothing of the engine is left on this host"))
        return left

    async def backup(self, path: str) -> dict[str, str]:
        name, folder = Path(path).name, str(Path(path).parent)
        words = ("etcd-snapshot", "save", "--name", name, "--dir", self.machine.real(folder))
        await self.machine.must("The snapshot", "k3s", *words, limit=300)
        made = sorted(self.machine.host.path(folder).glob(f"{name}*"))
        if not made:
            raise Refused(
                Issue("K217", "error", "", "k3s wrote no snapshot.", "Look at its journal: journalctl -u k3s.")
            )
        return {"path": f"{folder}/{made[-1].name}", "sha256": sha256_of(made[-1])}

    async def restore(self, path: str, sha256: str, tell: Tell) -> None:
        hosting.whole(self.machine, path, sha256)
        await self.machine.must("Stopping k3s", "systemctl", "stop", layout.SERVER, limit=120)
        words = ("server", "--cluster-reset", f"--cluster-reset-restore-path={self.machine.real(path)}")
        await self.machine.must("Restoring the snapshot", "k3s", *words, limit=600)
        await self.machine.must("Starting k3s", "systemctl", "start", layout.SERVER, limit=300)
        await kubectl.wait_for_api(self.machine)

    # -- parts of these
    async def _start(self, spec: Spec, node: Node, bundle: Bundle | None, tell: Tell) -> None:
        machine = self.machine

        async def start() -> None:
            machine.write(layout.images(spec, node, hosting.link(self.machine, node), bundle))
            await machine.run("systemctl", "daemon-reload")
            if spec.vip and node.role == "control-plane":
                await machine.must("Starting keepalived", "systemctl", "enable", "--now", "keepalived.service")
            await machine.must("Starting k3s", "systemctl", "enable", layout.unit(node))
            await machine.must("Starting k3s", "systemctl", "restart", layout.unit(node), limit=600)

        await machine.once("start", "k3s runs on this host", tell, start)

    def _placed(self, payload: Payload) -> Iterator[tuple[Part, str, int]]:
        """Each part, where it goes, and its mode."""
        for part in payload.inventory.files:
            name = Path(part.path).name
            if name == "k3s":
                yield part, "/usr/local/bin/k3s", 0o755
            elif part.path.startswith("images/"):
                yield part, f"{layout.IMAGES}/{name}", 0o644

    def _content(self, spec: Spec, payload: Payload) -> Iterator[Issue]:
        if not any(path == "/usr/local/bin/k3s" for _, path, _ in self._placed(payload)):
            text = "The content lacks the program k3s."
            yield Issue("K116", "error", "", text, "Make the bundle again, with it.")
        if not spec.registry and not any(p.path.startswith("images/") for p in payload.inventory.files):
            text = f"The content has no image archive of {spec.version}."
            yield Issue("K116", "error", "", text, "Make the bundle again, with k3s-airgap-images of the same version.")
