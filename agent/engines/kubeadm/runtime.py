"""containerd on this host: restarted and asked what it really runs with, filled with images, proven by a sandbox."""

from __future__ import annotations

import os
import re
import shutil
import signal
from contextlib import suppress

import yaml

from agent.engines.engine import Spec
from agent.engines.kubeadm import config
from agent.engines.machine import FOLDER, Machine, until
from agent.engines.payload import Payload
from tui.models.change import FileImage, Issue, Refused
from tui.services.change import files

NAMESPACE = ("ctr", "-n", "k8s.io")
PLUGIN_FOLDERS = ("/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni")
PLUGINS = ("bridge", "host-local", "loopback", "portmap")
_TRIAL = "onsite-sandbox"
_TRIAL_FOLDER = f"{FOLDER}/sandbox"


async def version(machine: Machine) -> int:
    """Major version of containerd; 0 where there is none."""
    done = await machine.run("containerd", "--version")
    found = re.search(r"\bv?(\d+)\.\d+", done.output)
    return int(found.group(1)) if done.ok and found else 0


def plugins(machine: Machine) -> str:
    """The folder that has all CNI plugins that we need; "" where none has."""
    complete = (f for f in PLUGIN_FOLDERS if all(machine.there(f"{f}/{name}") for name in PLUGINS))
    return next(complete, "")


async def restart(machine: Machine, sandbox: str) -> None:
    """Restart it and look whether it took the configuration.

    Raises:
        Refused: it does not start, or runs with another sandbox image (K202).
    """
    await machine.must("Starting the container runtime", "systemctl", "daemon-reload")
    await machine.must("Starting the container runtime", "systemctl", "restart", "containerd")
    await machine.must("Starting the container runtime", "systemctl", "enable", "containerd")
    async for _ in until(20):
        if (await machine.run("ctr", "version", limit=5)).ok:
            break
    given = await _configuration(machine)
    effective = await machine.must("Asking the container runtime", "containerd", *given, "config", "dump")
    if sandbox not in effective:
        text = f"The container runtime does not use the sandbox image of the content ({sandbox})."
        remedy = "Look for another containerd configuration on this host and remove it."
        raise Refused(Issue("K202", "error", "", text, remedy))


async def _configuration(machine: Machine) -> list[str]:
    """The option by which the one that runs was given another file than the usual one; nothing where it was not."""
    pid = (await machine.run("systemctl", "show", "--property=MainPID", "--value", "containerd")).output.strip()
    words = machine.text(f"/proc/{pid}/cmdline").split("\0") if pid.isdigit() else []
    for place, word in enumerate(words):
        name, separate, value = word.partition("=")
        if name in ("--config", "-config", "-c"):
            return ["--config", value if separate else "".join(words[place + 1 : place + 2])]
    return []


async def images(machine: Machine) -> set[str]:
    done = await machine.run(*NAMESPACE, "images", "ls", "-q")
    return set(done.output.split())


async def fill(machine: Machine, payload: Payload) -> None:
    """Import the archives of images that are not there.

    Raises:
        Refused: an archive cannot be imported, or does not hold what it should (K203).
    """
    have = await images(machine)
    wanted = payload.inventory.images
    for archive in dict.fromkeys(i.archive for i in wanted if i.ref not in have):
        path = str(payload.path(archive))
        await machine.must(f"Importing {archive}", *NAMESPACE, "images", "import", path, limit=900)
    have = await images(machine)
    if lacking := [i.ref for i in wanted if i.ref not in have]:
        text = f"The container runtime lacks {', '.join(lacking)} after the import."
        raise Refused(Issue("K203", "error", "content", text, "Make the bundle again from whole image archives."))


async def prove(machine: Machine, spec: Spec, sandbox: str) -> None:
    """Start a pod as the engine would, by a kubelet that belongs to no cluster: nothing else shows that pods start.

    Its only container is the sandbox image itself, which every content has.

    Raises:
        Refused: no pod could be started, with the runtime's own reason (K204).
    """
    pods = f"{_TRIAL_FOLDER}/pods"
    files.make_folder(machine.host.path(pods), 0o700)
    pull = "IfNotPresent" if spec.registry else "Never"
    container = {"name": "pause", "image": sandbox, "imagePullPolicy": pull}
    body = {"containers": [container], "terminationGracePeriodSeconds": 0, "restartPolicy": "Never"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": _TRIAL, "namespace": "default"}, "spec": body}
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        **(spec.options.get("kubelet") or {}),
        "cgroupDriver": config.cgroup_driver(spec),
        "staticPodPath": machine.real(pods),
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "address": "127.0.0.1",
        "healthzPort": 0,
        "enableServer": False,
        "cgroupRoot": "/",
    }
    for name, document in (("kubelet.yaml", settings), ("pods/pod.yaml", pod)):
        files.write_image(machine.host, FileImage(f"{_TRIAL_FOLDER}/{name}", yaml.safe_dump(document).encode(), 0o600))
    command = [
        "systemd-run", "--quiet", "--collect", f"--unit={_TRIAL}", machine.real("/usr/local/bin/kubelet"),
        f"--config={machine.real(_TRIAL_FOLDER)}/kubelet.yaml", f"--root-dir={machine.real(_TRIAL_FOLDER)}/root",
    ]  # fmt: skip
    if spec.minor < (1, 24):
        command += ["--container-runtime=remote"]
    if spec.minor < (1, 27):
        command += [f"--container-runtime-endpoint=unix://{config.SOCKET}"]
    await machine.run("systemctl", "stop", f"{_TRIAL}.service", limit=30)
    await machine.must("Starting the trial kubelet", *command)
    try:
        async for _ in until(60):
            if await _running(machine):
                return
        raise Refused(await _reason(machine))
    finally:
        await machine.run("systemctl", "stop", f"{_TRIAL}.service", limit=30)
        await sweep(machine)
        for folder in (_TRIAL_FOLDER, "/var/lib/cni"):  # the plugins keep the pod's address in the second
            shutil.rmtree(machine.host.path(folder), ignore_errors=True)


async def _running(machine: Machine) -> bool:
    """Whether the trial's container, not only its sandbox, runs."""
    label = 'labels."io.kubernetes.container.name"==pause'
    named = set((await machine.run(*NAMESPACE, "containers", "ls", "-q", label)).output.split())
    tasks = (await machine.run(*NAMESPACE, "tasks", "ls")).output.splitlines()
    return any(line.split()[0] in named and "RUNNING" in line for line in tasks[1:] if line.split())


async def _reason(machine: Machine) -> Issue:
    said = (await machine.run("journalctl", "-q", "-o", "cat", "-u", _TRIAL, "-n", "400")).output
    found = re.findall(r'(?:desc = |err=")(.*?)(?:"|$)', said, re.MULTILINE) or [said.strip().rpartition("\n")[2]]
    why = max(found, key=lambda text: ("sandbox" in text, len(text)))
    why = why if len(why) <= 300 else f"{why[:298]}.."
    text = f"This host cannot start pods, though its runtime runs: {(why or 'no reason is given').removesuffix('.')}."
    return Issue("K204", "error", "", text, "Mend what is named, then try again; the cluster was not touched.")


async def sweep(machine: Machine) -> None:
    """End and remove every container of the engine, the sandboxes last, and the namespaces that they leave.

    Where the runtime cannot do it (its runc may be what is broken), the processes and their shims are ended directly;
    containerd then forgets them by itself.
    """
    if await _swept(machine):
        return
    for line in (await machine.run(*NAMESPACE, "tasks", "ls")).output.splitlines()[1:]:
        _end(line.split()[1])
    for process in machine.host.path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[0].rpartition(b"/")[2].startswith(b"containerd-shim") and b"k8s.io" in words:
                _end(process.name)
    await machine.run("systemctl", "restart", "containerd")
    async for _ in until(20):
        if await _swept(machine):
            return


def _end(pid: str) -> None:
    with suppress(OSError, ValueError):
        os.kill(int(pid), signal.SIGKILL)


async def _swept(machine: Machine) -> bool:
    """Whether nothing is left."""
    listed = (await machine.run(*NAMESPACE, "containers", "ls", "-q")).output.split()
    label = 'labels."io.cri-containerd.kind"==sandbox'
    sandboxes = (await machine.run(*NAMESPACE, "containers", "ls", "-q", label)).output.split()
    listed.sort(key=lambda name: name in sandboxes)
    for name in listed:
        await machine.run(*NAMESPACE, "tasks", "kill", "-s", "SIGKILL", name, limit=10)
    async for _ in until(5, 0.2):
        if not (await machine.run(*NAMESPACE, "tasks", "ls", "-q")).output.split():
            break
    for name in listed:
        await machine.run(*NAMESPACE, "tasks", "delete", "-f", name, limit=10)
        await machine.run(*NAMESPACE, "containers", "delete", name, limit=10)
        await machine.run(*NAMESPACE, "snapshots", "rm", name, limit=10)
    for point in machine.mounts():
        if "/netns/cni-" in point or "/run/containerd/io.containerd" in point:
            await machine.run("umount", point, limit=10)
    for name in list_netns(machine):
        with suppress(OSError):
            machine.host.path(f"/var/run/netns/{name}").unlink(missing_ok=True)
    return not (await machine.run(*NAMESPACE, "containers", "ls", "-q")).output.split()


def list_netns(machine: Machine) -> list[str]:
    try:
        return sorted(p.name for p in machine.host.path("/var/run/netns").iterdir() if p.name.startswith("cni-"))
    except OSError:
        return []
