"""Name, time servers and zone on a real systemd host, with timesyncd and with chrony: kept, not kept, restarted.

What the host is, is asked of hostnamectl, timedatectl, chronyc and date, which share no code with what is tested. The
container may not set the clock of this machine (no CAP_SYS_TIME), so both services run without that right.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from agent.practice.cables import GATEWAY4
from tests.host import box as boxes
from tests.host.box import CODE, Box, wait_for

PACKAGES = {"timesyncd": ("systemd-timesyncd", "tzdata"), "chrony": ("chrony", "tzdata")}
_LINK = "[Match]\nName=lan0\n[Network]\nAddress=192.0.2.20/24\nIPv6AcceptRA=no\n"
_WITHOUT_CLOCK = {
    "/etc/systemd/system/systemd-timesyncd.service.d/test.conf": "[Unit]\nConditionVirtualization=\n"
    "ConditionCapability=\n[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\n",
    "/etc/systemd/system/chrony.service.d/test.conf": "[Unit]\nConditionCapability=\n",
    "/etc/default/chrony": 'DAEMON_OPTS="-F 1 -x"\n',
}
SECOND = "192.0.2.124"
WISH = {
    "version": 1,
    "identity": {"hostname": "edge-7c21"},
    "clock": {"servers": [GATEWAY4, SECOND], "zone": "Europe/Berlin"},
}
FILES = ("etc/hostname", "etc/hosts", "etc/timezone", "etc/localtime")
STEP = ("python3", "-m", "tests.host.steps")


@dataclass(frozen=True, slots=True)
class State:
    """Everything that this change may change, as the host's own tools say it."""

    static: str
    kernel: str
    resolves: str
    zone: str
    offset: str
    servers: str
    answered: str
    files: str


class Host:
    """A container with one time service, and a time server at the far end of its cable."""

    def __init__(self, box: Box, service: str) -> None:
        self.box, self.service = box, service
        self.peer: subprocess.Popen[str] | None = None

    def peers(self) -> None:
        """The time server lives with the peers, which a restart of the host makes anew."""
        assert self.box.peers is not None
        enter = ["nsenter", "-t", str(self.box.peers.pid), "--net", sys.executable, "-m", "tests.host.ntp_peer"]
        self.peer = subprocess.Popen([*enter, GATEWAY4], cwd=CODE, stdout=subprocess.PIPE, text=True)
        assert self.peer.stdout is not None
        assert self.peer.stdout.readline() == "ready\n"

    def gone(self) -> None:
        if self.peer is not None:
            self.peer.kill()
            self.peer.communicate()

    def restart(self) -> None:
        self.box.power_cut()
        self.gone()
        self.box.boot()
        self.peers()

    def said(self, *argv: str) -> str:
        return self.box.run(*argv, check=False).stdout.strip()

    def servers(self) -> list[str]:
        if self.service == "timesyncd":
            return self.said("timedatectl", "show-timesync", "--property=SystemNTPServers", "--value").split()
        listed = self.said("chronyc", "-c", "-N", "sources", "-a").splitlines()
        return [line.split(",")[2] for line in listed if "debian.pool" not in line]

    def answered(self) -> str:
        """The time server that the service took the time from."""
        if self.service == "timesyncd":
            return self.said("timedatectl", "show-timesync", "--property=ServerAddress", "--value")
        said = self.said("chronyc", "-c", "-N", "tracking").split(",")
        return said[1] if said[-1] == "Normal" else ""

    def state(self) -> State:
        files = {name: _text(self.box.root / name) for name in FILES}
        return State(
            self.said("hostnamectl", "--static"),
            self.said("cat", "/proc/sys/kernel/hostname"),
            self.said("sh", "-c", "getent -s files hosts $(cat /etc/hostname) | tr -s ' '"),
            self.said("timedatectl", "show", "--property=Timezone", "--value"),
            self.said("date", "-d", "2026-01-31 12:00 UTC", "+%H:%M %Z"),
            ", ".join(self.servers()),
            self.answered(),
            json.dumps(files),
        )

    def apply(self, seconds: int) -> None:
        self.box.write("/root/wish.yaml", json.dumps(WISH))
        self.box.run(*STEP, "apply", "/root/wish.yaml", str(seconds))


def _text(path: Path) -> str:
    return f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text()  # noqa: PTH115 - as it was written


@contextmanager
def running(service: str) -> Iterator[Host]:
    with Box(PACKAGES[service]) as box:
        for path, text in _WITHOUT_CLOCK.items():
            box.write(path, text)
        box.write("/etc/systemd/network/10-other.network", _LINK)
        host = Host(box, service)
        try:
            host.restart()
            yield host
        finally:
            host.gone()


@pytest.fixture(scope="module", params=PACKAGES)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    if why := boxes.missing():
        pytest.skip(why)
    with running(request.param) as found:
        yield found


def test_not_kept_cut_kept_and_there_after_a_restart(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    before = host.state()
    columns = [("before", before)]

    host.apply(5)
    wait_for("the time server answers", host.answered)
    applied = host.state()
    columns.append(("applied", applied))
    assert (applied.static, applied.kernel) == ("edge-7c21", "edge-7c21")
    assert applied.resolves == "127.0.1.1 edge-7c21"
    assert (applied.zone, applied.offset) == ("Europe/Berlin", "13:00 CET")
    assert applied.servers == f"{GATEWAY4}, {SECOND}"
    assert applied.answered == GATEWAY4

    wait_for("the dead-man", lambda: not (host.box.root / "var/lib/onsite/pending.json").exists(), 40)
    wait_for("the servers are gone", lambda: not host.servers())
    reverted = host.state()
    columns.append(("not kept", reverted))
    assert _lasting(reverted) == _lasting(before)
    assert json.loads(host.box.onsite("history", "--json").stdout)[-1]["result"] == "reverted"

    host.apply(300)
    wait_for("the time server answers", host.answered)
    host.restart()
    wait_for("the time service is asked", lambda: host.said("timedatectl", "show", "--property=Timezone", "--value"))
    cut = host.state()
    columns.append(("power cut", cut))
    assert _lasting(cut) == _lasting(before)

    host.apply(60)
    host.box.onsite("keep")
    wait_for("the time server answers", host.answered)
    kept = host.state()
    columns.append(("kept", kept))
    assert kept == applied

    host.restart()
    wait_for("the time server answers after the restart", host.answered)
    restarted = host.state()
    columns.append(("restarted", restarted))
    assert restarted == kept

    host.box.onsite("revert", "--last")
    host.box.onsite("keep")
    wait_for("the servers are gone", lambda: not host.servers())
    assert _lasting(host.state()) == _lasting(before)
    columns.append(("taken back", host.state()))
    host.restart()
    assert _lasting(host.state()) == _lasting(before)
    with capsys.disabled():
        print("\n".join(table(host.service, columns)))


def test_export_is_what_plan_takes(host: Host) -> None:
    exported = host.box.onsite("export").stdout
    assert "hostname:" in exported
    host.box.write("/root/exported.yaml", exported)
    plan = json.loads(host.box.onsite("plan", "/root/exported.yaml", "--json").stdout)
    assert [d for d in plan["differences"] if d["subject"] == "Host"] == []
    assert [f["path"] for f in plan["files"] if "network" not in f["path"]] == []


def test_the_clock_of_this_machine_is_not_set_without_the_right_to(host: Host) -> None:
    """Who comes in by nsenter has all rights, so this one is taken away: then the kernel refuses, in a sentence."""
    program = (
        "import asyncio, pathlib, time\nfrom tui.models.change import Refused\nfrom tui.services.host import Host\n"
        "from tui.services.timekeeping import setting\n"
        "try: asyncio.run(setting.set_clock(Host(pathlib.Path('/'), None), time.time(), who='a', line='b'))\n"
        "except Refused as refused: print(refused.issues[0].code)"
    )
    without = ("setpriv", "--bounding-set=-sys_time", "--inh-caps=-sys_time")
    assert host.box.run(*without, "python3", "-c", program).stdout.strip() == "C106"


BOUND = """
import pathlib, subprocess, sys
from tui.models.change import FileImage
from tui.services.change import files
from tui.services.host import Host
root = pathlib.Path(sys.argv[1])
subprocess.run(["mount", "--bind", root / "other", root / "etc/hostname"], check=True)
host = Host(root, None)
files.write_image(host, FileImage("/etc/hostname", b"edge-1\\n"))
files.write_image(host, FileImage("/etc/hostname", b"a\\n"))
print(sorted(p.name for p in (root / "etc").iterdir()), (root / "other").read_text())
"""


def test_a_bind_mounted_file_is_written_in_place(tmp_path: Path) -> None:
    if why := boxes.missing():
        pytest.skip(why)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").write_text("below\n")
    (tmp_path / "other").write_text("a much longer name\n")
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", BOUND, str(tmp_path)]
    done = subprocess.run(command, cwd=CODE, capture_output=True, text=True, timeout=30)
    assert done.stdout == "['hostname'] a\n\n", done.stderr
    assert (tmp_path / "etc/hostname").read_text() == "below\n"


def _lasting(state: State) -> tuple[str, ...]:
    """Without who answered last: that is no configuration."""
    return tuple(getattr(state, f.name) for f in fields(state) if f.name != "answered")


def table(service: str, columns: list[tuple[str, State]]) -> Iterator[str]:
    rows = [f.name for f in fields(State) if f.name != "files"]
    yield ""
    yield " | ".join([f"{service:<9}", *(f"{name:<22}" for name, _ in columns)])
    for row in rows:
        yield " | ".join([f"{row:<9}", *(f"{getattr(state, row) or '-':<22}" for _, state in columns)])
