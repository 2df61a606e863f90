"""A power cut at any step of registering, on a disk that loses what was not flushed: one entry, the same pairing.

The moments are the calls by which the agent leaves a trace on its disk or on the wire, numbered from a trace; strace
stops the agent right after one of them, what the disk has by then is copied, and everything loses its power. The hub
is another machine: it keeps what it knows. A few of the moments by default, all with ONSITE_FULL=1 (`make host-full`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.practice import hub_certs
from agent.practice.hub import TOKEN
from agent.registration import memory
from tests.host import box as boxes
from tests.host import look
from tests.host.box import Box, wait_for
from tests.host.forgetful import Disk
from tests.host.test_power_cut import TRACE
from tests.hub import Hub
from tests.screens.machine import machine
from tui.models.change import FileImage
from tui.services import registration
from tui.services.change import files
from tui.services.host import Host
from tui.services.recording import RecordedKernel

UID = "edge-cut-0001"
CALLS = ("fsync", "fdatasync", "rename", "unlink", "connect", "sendto", "recvfrom")
KNOCK = """
import ssl, urllib.request
known = ssl.create_default_context(cafile="/etc/ssl/certs/ca-certificates.crt")
urllib.request.urlopen("https://hub.site.example/r", context=known, timeout=20).read()
"""
"""The hub carries out an order when somebody comes."""
UNIT, DROP_IN = "onsite-agent.service", "/etc/systemd/system/onsite-agent.service.d/50-test.conf"
STATE = "var/lib/onsite"
pytestmark = pytest.mark.timeout(3600)


@dataclass
class Rig:
    """A host that can register, and the hub."""

    box: Box
    hub: Hub
    disk: Disk

    def fresh(self) -> None:
        """As before the first registration: the agent does not run, neither side knows the other."""
        self.box.run("systemctl", "kill", "--signal=SIGKILL", UNIT, check=False)
        self.box.run("systemctl", "stop", UNIT)
        for path in (self.box.root / STATE).glob("[ar][ge]*"):  # agent.db and its companions, registration.json
            path.unlink()
        self.disk.flush()
        self.hub.order("forget")
        self.knock()
        assert self.hub.entries == {}
        (self.box.root / TRACE).unlink(missing_ok=True)

    def knock(self) -> None:
        """Whatever the hub was asked before, it has done."""
        self.box.run("python3", "-c", KNOCK)

    def start(self, strace: str) -> None:
        command = f"strace -f -qq -o /{TRACE} {strace} /usr/bin/onsite agent"
        self.box.write(DROP_IN, f"[Service]\nExecStart=\nExecStart={command}\nEnvironment=ONSITE_PACE=20\n")
        self.box.run("systemctl", "daemon-reload")
        self.box.run("systemctl", "start", UNIT)

    def kept(self) -> memory.Memory:
        """What the host remembers, as its file says now."""
        path = self.box.root / memory.PATH.lstrip("/")
        return memory.Memory(**json.loads(path.read_text())) if path.exists() else memory.Memory()

    def in_use(self) -> bool:
        """The hub heard from it, and it has written down that it was heard."""
        return "health" in self.hub.entries.get(UID, {}) and "heartbeat" in self.kept().times

    def trace(self) -> str:
        path = self.box.root / TRACE
        return path.read_text() if path.exists() else ""

    def cut_at(self, point: tuple[str, int]) -> bool:
        """Register until right after that call, then cut the power and boot; whether it came to that call."""
        call, number = point
        self.fresh()
        self.start(f"-e trace={call} -e inject={call}:signal=SIGSTOP:when={number}")
        wait_for(f"{point} or in use", lambda: "stopped by SIGSTOP" in self.trace() or self.in_use(), 90)
        hit = "stopped by SIGSTOP" in self.trace()
        self.knock()
        copy = self.disk.copied()
        self.box.power_cut()
        (self.box.root / DROP_IN.lstrip("/")).unlink()
        self.disk.becomes(copy)
        return hit


@contextmanager
def _rig() -> Iterator[Rig]:
    if why := boxes.missing():
        pytest.skip(why)
    with Box() as box:
        made = Hub(box.folder / "hub", [])
        made.folder.mkdir(exist_ok=True)
        box.write("/etc/ssl/certs/ca-certificates.crt", hub_certs.make(made.folder))
        box.write("/root/wish.yaml", look.document(10))
        box.onsite("apply", "/root/wish.yaml", "--keep-within", "60")
        box.onsite("keep")
        wish = {"endpoint": "hub.site.example", "token": TOKEN, "host_id_from": "typed", "host_id": UID}
        box.write(registration.KEPT, json.dumps(wish))
        box.write(f"/usr/lib/systemd/system/{UNIT}", (boxes.CODE / "assets/units" / UNIT).read_text())
        box.run("systemctl", "--quiet", "enable", UNIT)
        box.power_cut()
        with Disk(box.folder / "disk", box.root / STATE) as disk:
            box.boot()
            wait_for("registered", Rig(box, made, disk).in_use, 60)
            yield Rig(box, made, disk)
            box.power_cut()


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with _rig() as made:
        yield made


@dataclass
class Tally:
    tried: int = 0
    hit: int = 0
    stages: dict[str, int] = field(
        default_factory=lambda: {"before anything": 0, "key on the disk": 0, "entry at the hub": 0, "paired": 0}
    )
    wrong: list[str] = field(default_factory=list)


def _points(rig: Rig) -> list[tuple[str, int]]:
    """Each call of those kinds of the agent's main thread from its start to being in use, numbered among its kind."""
    rig.fresh()
    rig.start(f"-e signal=none -e trace={','.join(CALLS)}")
    wait_for("in use", rig.in_use, 90)
    lines = [line.split(maxsplit=1) for line in rig.trace().splitlines()]
    main = lines[0][0]
    counts: dict[str, int] = {}
    points = []
    for thread, said in lines:
        call = said.partition("(")[0]
        if thread == main and call in CALLS:
            counts[call] = counts.get(call, 0) + 1
            points.append((call, counts[call]))
    return points


def _some(points: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return points if os.environ.get("ONSITE_FULL") else points[:: -(-len(points) // 3)]


def test_the_disk_forgets_what_was_not_flushed(tmp_path: Path) -> None:
    """As the control of the rig: a write, a rename, and what `files` makes of them."""
    if os.geteuid() or shutil.which("mkfs.ext4") is None:
        pytest.skip("a disk that forgets needs a loop device, root and mkfs.ext4")
    host = Host(tmp_path, RecordedKernel(machine()), "recorded")
    with Disk(tmp_path / "disk", tmp_path / "mounted") as disk:
        (disk.where / "renamed").write_text("old")
        disk.flush()
        (disk.where / "written").write_text("x")
        (disk.where / "part").write_text("new")
        (disk.where / "part").rename(disk.where / "renamed")
        copy = disk.copied()
        disk.becomes(copy)
        assert {p.name: p.read_text() for p in disk.where.glob("[!l]*")} == {"renamed": "old"}
        files.write_image(host, FileImage("/mounted/renamed", b"new", 0o600))
        disk.becomes(disk.copied())
        assert {p.name: p.read_text() for p in disk.where.glob("[!l]*")} == {"renamed": "new"}


def test_power_cut_at_any_step_of_registering(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    points, tally = _points(rig), Tally()
    for point in _some(points):
        tally.tried += 1
        tally.hit += rig.cut_at(point)
        before, entry = rig.kept(), dict(rig.hub.entries.get(UID, {}))
        rig.box.boot()
        wait_for(f"in use again after {point}", rig.in_use, 60)
        _judge(tally, point, before, entry, rig)
    with capsys.disabled():
        print(
            f"\npower cut while registering: points {len(points)}, tried {tally.tried}, hit {tally.hit},"
            f" {tally.stages}, wrong {len(tally.wrong)}"
        )
    assert tally.wrong == []
    assert tally.hit >= 0.8 * tally.tried
    assert all(tally.stages.values()) or not os.environ.get("ONSITE_FULL"), "some step was never cut"


def _judge(tally: Tally, point: object, before: memory.Memory, entry: dict[str, Any], rig: Rig) -> None:
    """`before` is what the disk had, `entry` what the hub knew when the power was gone; now it is in use again."""
    stage = (bool(before.pairing_key), bool(entry), bool(before.credential))
    tally.stages[list(tally.stages)[sum(stage)]] += 1
    after, entries = rig.kept(), rig.hub.entries
    if list(entries) != [UID]:
        tally.wrong.append(f"{point}: entries {list(entries)}")
    if entry and entry["key"] != before.pairing_key:
        tally.wrong.append(f"{point}: the hub was told a key that the disk did not have")
    if entries[UID]["key"] != after.pairing_key or (entry and entry["key"] != after.pairing_key):
        tally.wrong.append(f"{point}: another key")
    if before.credential not in ("", after.credential) or entry.get("service", after.credential) != after.credential:
        tally.wrong.append(f"{point}: the pairing was lost")
