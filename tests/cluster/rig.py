"""Plain Linux hosts for clusters: Debian nodes with real systemd and containerd, on a network that leads nowhere.

A node is a systemd-nspawn container with a disk (an overlay on `root.root()`, and a plain /var), a network, a machine
id and a journal of its own. Nothing of Kubernetes is on it. The project's code, its packages and the payload are
plugged in read-only. Not real: the kernel and its clock are the machine's, there is no udev, and a power cut loses
nothing that was written.

What took time to find: each node needs a group of its own in every v1 controller, or two kubelets share /kubepods;
/var must be a plain folder, because overlay on overlay is refused; the engine's programs need /dev/kmsg, bpf and
keyrings. Root only.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.cluster.root import root
from tests.host.box import site
from tests.surroundings import outside

CODE = Path(__file__).resolve().parents[2]
GROUPS = Path("/sys/fs/cgroup")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
T = TypeVar("T")
_TOOLS = ("mmdebstrap", "systemd-nspawn", "nsenter", "unshare", "ip", "mount")


def missing() -> str | None:
    """Why there are no nodes here, or None."""
    if os.geteuid():
        return "nodes of a cluster need root"
    if lacking := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        return f"nodes of a cluster need {' and '.join(lacking)} (see .ci/packages)"
    if not (GROUPS / "memory").is_dir():
        return "nodes of a cluster were only ever tried where control groups are of version 1"
    return None


def payload() -> Path | None:
    """The folder with the engine, named from outside; the project has none."""
    named = os.environ.get("ONSITE_ENGINE_PAYLOAD", "")
    return Path(named) if named and (Path(named) / "payload.json").is_file() else None


@dataclass(frozen=True)
class Result:
    status: int
    output: str
    said: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.status == 0


class Rig:
    """Nodes and the switch between them. Use as a context manager; nothing is left of it afterwards.

    Args:
        share: folders of this machine and where a node sees them, read-only, like a stick that is plugged in.
    """

    def __init__(self, share: dict[Path, str] | None = None) -> None:
        self.share = {CODE: "/opt/onsite/code", site(): "/opt/onsite/site", **(share or {})}
        self.nodes: list[Node] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Rig:
        self.folder = Path(tempfile.mkdtemp(prefix="onsite-rig-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.switch = self.folder / "switch"
        self.switch.touch()
        checked("unshare", f"--net={self.switch}", "true")
        self._stack.callback(checked, "umount", str(self.switch))
        for words in ("link add br0 type bridge", "addr add 10.66.0.1/24 dev br0", "link set br0 up", "link set lo up"):
            self.on_switch(*words.split())
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            with contextlib.suppress(Exception):
                node.remove()
        self._stack.close()

    def node(self, number: int) -> Node:
        """A new host, n1 with 10.66.0.11 and so on, booted."""
        node = Node(self, number)
        self.nodes.append(node)
        node.make()
        node.boot()
        return node

    def on_switch(self, *words: str) -> None:
        checked("nsenter", f"--net={self.switch}", "ip", *words)


@dataclass
class Node:
    rig: Rig
    number: int
    leader: int = 0
    up: bool = False
    machine_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    _nspawn: subprocess.Popen[bytes] | None = None
    _groups: list[Path] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"n{self.number}"

    @property
    def address(self) -> str:
        return f"10.66.0.{10 + self.number}"

    @property
    def folder(self) -> Path:
        return self.rig.folder / self.name

    @property
    def merged(self) -> Path:
        return self.folder / "merged"

    @property
    def powered(self) -> bool:
        """Not yet while it boots, and no more from the moment on in which its power is cut."""
        return self.leader != 0 and self.up

    def make(self) -> None:
        for name in ("upper/etc", "work", "merged"):
            (self.folder / name).mkdir(parents=True)
        etc = self.folder / "upper/etc"
        (etc / "hostname").write_text(f"{self.name}\n")
        (etc / "machine-id").write_text(f"{self.machine_id}\n")
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n{self.address} {self.name}\n")
        checked("cp", "-a", str(root() / "var"), str(self.folder / "var"))
        layers = f"lowerdir={root()},upperdir={self.folder}/upper,workdir={self.folder}/work"
        checked("mount", "-t", "overlay", "overlay", "-o", layers, str(self.merged))

    def boot(self) -> None:
        """Power on: a fresh network, the disk as it was left."""
        self._cable()
        self._groups = list(_own_groups(f"onsite-{self.rig.folder.name}-{self.name}"))
        command = [
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "-M", self.name,
            "-D", str(self.merged), f"--network-namespace-path={self.folder}/netns", f"--bind={self.folder}/var:/var",
            "--bind=/dev/kmsg", "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--capability=all",
            "--drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE", "--system-call-filter=@keyring bpf @mount",
            *(f"--bind-ro={here}:{there}" for here, there in self.rig.share.items()),
        ]  # fmt: skip
        environment = outside() | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "0", "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "1"}
        # A mount namespace of its own, so that what a node mounts ends with it; a shell moves itself into the groups.
        enter = "".join(f"echo $$ > {shlex.quote(str(g / 'cgroup.procs'))} && " for g in self._groups)
        self._nspawn = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{enter}exec "$@"', "-", *command],
            stdin=subprocess.DEVNULL, stdout=self._console(), stderr=subprocess.STDOUT, env=environment,
            start_new_session=True,
        )  # fmt: skip
        self.leader = wait_for(lambda: _process_one(self._nspawn.pid if self._nspawn else 0), 30, self._tail)
        wait_for(
            lambda: self.direct("systemctl", "is-system-running").strip() in ("running", "degraded"), 60, self._tail
        )
        self.up = True

    def cut(self) -> None:
        """Power off without a word to anybody."""
        self.up = False
        if self.leader:
            with contextlib.suppress(AssertionError):
                self.cable(False)  # process 1 ends before the others here, and what those say of it must not be heard
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.leader, signal.SIGKILL)
        self._ended()

    def reboot(self) -> None:
        """Orderly."""
        self.up = False
        os.kill(self.leader, signal.SIGRTMIN + 4)
        self._ended()
        self.boot()

    def cable(self, plugged: bool) -> None:
        self.rig.on_switch("link", "set", f"p-{self.name}", "up" if plugged else "down")

    def remove(self) -> None:
        self.cut()
        subprocess.run(["umount", "-l", str(self.merged)], capture_output=True)

    # -- commands
    def enter(self) -> list[str]:
        """The words that begin a command in the node's namespaces."""
        inside = f"/proc/{self.leader}/root"
        return [
            "nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", f"--root={inside}", f"--wd={inside}",
            "env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8",
        ]  # fmt: skip

    def run(self, command: str, limit: float = 120, stdin: str = "") -> Result:
        """A shell command as a transient unit of the node: what it leaves in the background ends with it."""
        began = time.monotonic()
        try:
            done = subprocess.run(
                [*self.enter(), *self.unit(), "/bin/sh", "-c", command],
                input=stdin, capture_output=True, text=True, errors="replace", timeout=limit,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Result(124, "", f"longer than {limit:.0f} s", limit)
        return Result(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def must(self, command: str, limit: float = 120, stdin: str = "") -> str:
        result = self.run(command, limit, stdin)
        assert result.ok, f"{self.name}: {command[:200]}: {result.status}\n{(result.output + result.said)[-2000:]}"
        return result.output

    @staticmethod
    def unit() -> list[str]:
        return ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--working-directory=/root",
                f"--setenv=PATH={PATH}", "--setenv=HOME=/root", "--setenv=PYTHONDONTWRITEBYTECODE=1", "--"]  # fmt: skip

    def direct(self, *command: str) -> str:
        """What a command of the node prints, run without its systemd."""
        done = subprocess.run([*self.enter(), *command], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.stdout

    # -- parts
    def _console(self) -> int:
        return os.open(self.folder / "console.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)

    def _tail(self) -> str:
        return (self.folder / "console.log").read_text(errors="replace")[-1500:]

    def _ended(self) -> None:
        if self._nspawn is not None:
            try:
                self._nspawn.wait(90)
            except subprocess.TimeoutExpired:
                os.killpg(self._nspawn.pid, signal.SIGKILL)
                self._nspawn.wait(30)
        self._nspawn, self.leader = None, 0
        for group in self._groups:
            _remove_group(group)
        subprocess.run(
            ["nsenter", f"--net={self.rig.switch}", "ip", "link", "del", f"p-{self.name}"], capture_output=True
        )
        subprocess.run(["umount", str(self.folder / "netns")], capture_output=True)

    def _cable(self) -> None:
        space = self.folder / "netns"
        space.touch()
        checked("unshare", f"--net={space}", "true")
        inside = ("nsenter", f"--net={space}", "ip")
        port = f"p-{self.name}"
        mac = f"52:54:00:66:00:{10 + self.number:02x}"
        self.rig.on_switch(
            "link", "add", port, "type", "veth", "peer", "name", "eth0", "address", mac, "netns", str(space)
        )
        self.rig.on_switch("link", "set", port, "master", "br0", "up")
        checked(*inside, "link", "set", "lo", "up")
        checked(*inside, "addr", "add", f"{self.address}/24", "dev", "eth0")
        checked(*inside, "link", "set", "eth0", "up")
        checked(*inside, "route", "add", "default", "via", "10.66.0.1")  # leads nowhere, but engines want one


def checked(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr.strip()}"


def wait_for(ask: Callable[[], T], seconds: float, why: Callable[[], str] = str) -> T:
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {why()}"
        time.sleep(0.1)
    return found


def _own_groups(name: str) -> Iterator[Path]:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, names, path = line.split(":", 2)
        for folder in ["unified"] if number == "0" else [names.removeprefix("name="), *names.split(",")]:
            top = GROUPS / folder
            if not top.is_dir() or top.is_symlink():
                continue
            mine = top / path.lstrip("/") if (top / path.lstrip("/")).is_dir() else top
            group = mine / name
            _remove_group(group)
            group.mkdir(exist_ok=True)
            for key in ("cpuset.cpus", "cpuset.mems"):
                if (group / key).exists():
                    (group / key).write_text((mine / key).read_text())
            yield group
            break


def _remove_group(group: Path) -> None:
    for _ in range(50):
        for folder, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
        if not group.exists():
            return
        time.sleep(0.1)


def _process_one(above: int) -> int:
    """Process 1 of the node: in a process namespace of its own, below nspawn."""
    waiting = [above]
    while waiting:
        pid = waiting.pop()
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            spaces = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
            if len(spaces) > 1 and spaces[-1] == "1" and Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                return pid
            waiting += [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except (OSError, StopIteration):
            continue
    return 0


if __name__ == "__main__":  # a look at a node: python -m tests.cluster.rig COMMAND
    with Rig() as rig:
        print(rig.node(1).run(" ".join(sys.argv[1:]) or "systemctl is-system-running"))
