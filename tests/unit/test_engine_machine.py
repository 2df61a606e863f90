"""A host as a driver uses it: what was there comes back, nothing is done twice, what is altered is not taken."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from agent.engines import access
from agent.engines.engine import Event
from agent.engines.machine import RECORD, Machine
from agent.engines.payload import Payload, sha256_of
from tui.models.change import FileImage, Issue, Refused
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(Host(tmp_path / "root", NetlinkKernel(), "user"))


def again(machine: Machine) -> Machine:
    """As after a restart of the agent."""
    return Machine(machine.host)


def test_what_was_there_before_comes_back(machine: Machine) -> None:
    path = machine.host.path("/etc/containerd/config.toml")
    path.parent.mkdir(parents=True)
    path.write_text("theirs\n")
    path.chmod(0o640)
    machine.write([FileImage("/etc/containerd/config.toml", b"ours\n"), FileImage("/etc/cni/net.d/x", b"ours\n")])
    machine.write([FileImage("/etc/containerd/config.toml", b"ours again\n")])
    assert path.read_text() == "ours again\n"
    later = again(machine)
    later.put_back()
    assert path.read_text() == "theirs\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not machine.host.path("/etc/cni/net.d/x").exists()
    later.forget()
    assert not machine.host.path(RECORD).exists()


def test_the_record_is_for_root_alone(machine: Machine) -> None:
    machine.write([FileImage("/etc/x", b"secret\n", 0o600)])
    machine.write([FileImage("/etc/x", b"other\n", 0o600)])
    assert stat.S_IMODE(machine.host.path(RECORD).stat().st_mode) == 0o600


async def test_a_step_is_done_once_for_one_input(machine: Machine) -> None:
    done: list[str] = []
    events: list[Event] = []

    async def work() -> None:
        done.append("x")

    await machine.once("files", "Files are there", events.append, work, "a")
    await again(machine).once("files", "Files are there", events.append, work, "a")
    assert done == ["x"]
    await again(machine).once("files", "Files are there", events.append, work, "b")
    assert done == ["x", "x"]
    assert [e.mark for e in events] == ["begun", "done", "begun", "done"]


async def test_a_step_that_failed_or_was_cut_off_is_done_again(machine: Machine) -> None:
    events: list[Event] = []

    async def fails() -> None:
        raise Refused(Issue("K201", "error", "", "No.", "Try."))

    async def works() -> None:
        return None

    with pytest.raises(Refused):
        await machine.once("init", "Made", events.append, fails)
    assert again(machine).record.steps == {"init": "begun"}
    assert (events[-1].mark, events[-1].code) == ("failed", "K201")
    await again(machine).once("init", "Made", events.append, works)
    assert events[-1].mark == "done"


async def test_a_program_that_is_altered_is_not_placed(machine: Machine, tmp_path: Path) -> None:
    source = tmp_path / "kubelet"
    source.write_bytes(b"program")
    right = sha256_of(source)
    await machine.place(source, "/usr/local/bin/kubelet", right, 0o755)
    placed = machine.host.path("/usr/local/bin/kubelet")
    assert (placed.read_bytes(), stat.S_IMODE(placed.stat().st_mode)) == (b"program", 0o755)
    source.write_bytes(b"altered")
    with pytest.raises(Refused) as refused:
        await machine.place(source, "/usr/local/bin/kubelet", "0" * 64, 0o755)
    assert refused.value.issues[0].code == "K115"
    assert placed.read_bytes() == b"program"
    assert [p.name for p in placed.parent.iterdir()] == ["kubelet"]


async def test_a_program_that_hangs_is_ended_with_its_children(machine: Machine, tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    done = await machine.run("sh", "-c", f"(sleep 30; touch {mark}) & wait", limit=0.3)
    assert (done.status, "longer than" in done.why) == (124, True)
    assert (await machine.run("not-a-program")).status == 127


async def test_why_a_program_failed_is_the_line_that_says_it(machine: Machine) -> None:
    said = "one\n[ERROR Port-6443]: Port 6443 is in use\n[ERROR Swap]: swap is on\nTo see the stack trace of this error"
    done = await machine.run("sh", "-c", 'printf "%s\n" "$1" >&2; exit 1', "-", said)
    assert done.why == "Port-6443: Port 6443 is in use; Swap: swap is on"


def test_keys_of_the_cluster_stand_beside_those_of_others(machine: Machine) -> None:
    path = machine.host.path(access.KEYS)
    path.parent.mkdir(parents=True)
    path.write_text("ssh-ed25519 AAAA theirs")
    access.ssh_keys(machine, ("ssh-ed25519 BBBB one", "ssh-ed25519 CCCC two"))
    assert path.read_text().splitlines()[0] == "ssh-ed25519 AAAA theirs"
    assert "BBBB" in path.read_text()
    access.ssh_keys(machine, ("ssh-ed25519 DDDD three",))
    assert "BBBB" not in path.read_text()
    access.ssh_keys(machine, ())
    assert path.read_text() == "ssh-ed25519 AAAA theirs\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("path", ["../../etc/shadow", "/etc/shadow", "bin/../../x"])
def test_a_payload_stays_in_its_folder(tmp_path: Path, path: str) -> None:
    inventory = {
        "engine": "kubeadm", "version": "v1.20.2", "architecture": "amd64", "images": [],
        "files": [{"path": path, "sha256": "0" * 64, "size": 1}],
    }  # fmt: skip
    (tmp_path / "payload.json").write_text(json.dumps(inventory))
    with pytest.raises(Refused) as refused:
        Payload.read(tmp_path)
    assert refused.value.issues[0].code == "K115"


def test_a_payload_names_what_is_altered(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    files = [{"path": p, "sha256": sha256_of(tmp_path / "a"), "size": 1} for p in ("a", "b")]
    document = {"engine": "kubeadm", "version": "v1.20.2", "architecture": "amd64", "files": files}
    images = [{"ref": "registry.example:5000/k8s/busybox:1.35", "archive": "a"}]
    (tmp_path / "payload.json").write_text(json.dumps({**document, "images": images}))
    payload = Payload.read(tmp_path)
    assert payload.altered() == ["b"]
    assert payload.image("busybox") == "registry.example:5000/k8s/busybox:1.35"
    assert payload.image("busy") == ""
