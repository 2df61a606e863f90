"""Find the port on real links: who is at the other end by real frames, and a cable that moves, within two seconds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.practice import CODE, PracticeHost, control

LIMIT = 2.0
"""Seconds until a cable that moved is on the screen."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if os.geteuid() != 0:
        pytest.skip("making a network namespace needs root")
    command = [sys.executable, "-m", "tests.netns.find_port", str(tmp_path_factory.mktemp("root"))]
    done = subprocess.run(command, cwd=CODE, text=True, capture_output=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.skipif(shutil.which("lldpd") is None, reason="lldpd is not installed")
def test_what_a_real_lldpd_announces(found: dict[str, Any]) -> None:
    page = found["lldp"]
    for label, value in (
        ("Name", "switch-a.example"), ("Port", "Gi1/0/14"), ("Called", "till-room"), ("VLAN", "20"),
    ):  # fmt: skip
        assert f"{label:<9}{value}\n" in page.replace("\n", " \n").replace(" \n", "\n"), page


def test_a_switch_that_speaks_lacp_at_a_single_link(found: dict[str, Any]) -> None:
    page = found["lacp"]
    assert "N311 The switch takes lan1 for a bundle" in page
    assert "lan0" in page


def test_a_cable_that_is_pulled_and_plugged_in_is_seen_in_time(found: dict[str, Any]) -> None:
    seconds = sorted(s for pair in found["seconds"] for s in pair)
    print(f"cable moved {len(seconds)} times, on the screen after {seconds[0]} to {seconds[-1]} s (limit {LIMIT})")
    assert len(seconds) == 20
    assert seconds[-1] < LIMIT


def test_a_storm_of_routes_does_not_delay_it(found: dict[str, Any]) -> None:
    seconds = [s for pair in found["storm"] for s in pair]
    print(f"under a storm of routes: cable moved {len(seconds)} times, on the screen after at most {max(seconds)} s")
    assert max(seconds) < LIMIT


def test_a_lamp_that_cannot_blink_says_so(found: dict[str, Any]) -> None:
    assert "N313 The driver of lan0 cannot blink its lamp." in found["blink"]


def test_a_port_that_is_off_is_on_while_one_looks_and_off_again_afterwards(found: dict[str, Any]) -> None:
    assert "Switched off, so they notice no cable: lan2. O has them on" in found["off"].replace("\n", " ")
    assert "O switch on" in found["off"]
    assert "O switch on" not in found["on"]
    assert found["left"] == [True, True, False]


def test_nothing_stays_open(found: dict[str, Any]) -> None:
    assert found["open"] == []


LISTEN = """
import asyncio, sys
from pathlib import Path
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.services.port.known import Ports
host = Host(Path(sys.argv[1]), NetlinkKernel(), "network")
known = Ports(host, host.kernel.links())
async def main():
    async with asyncio.timeout(8):
        async for _ in known.follow():
            index = {x.name: x.index for x in host.kernel.links()}
            said = {n: [x.port for x in known.neighbours(i)] for n, i in index.items() if n != "lo"}
            if known.refused or (said["lan0"] and said["lan3"] and known.hints()):
                print(said, sorted(x.code for x in known.hints().values()), known.refused and known.refused.code)
                return
asyncio.run(main())
"""
DROP_NET_RAW = "import ctypes,os,sys; ctypes.CDLL(None).prctl(24, 13, 0, 0, 0); os.execv(sys.executable, sys.argv[1:])"
"""As in test_probe: whatever is executed has CAP_NET_RAW no more."""


def test_the_switch_of_the_practice_host(practice: PracticeHost) -> None:
    said = practice.python(LISTEN, str(practice.root)).stdout
    assert "'lan0': ['Gi1/0/1']" in said
    assert "'lan2': []" in said
    assert "'lan3': ['Gi1/0/14']" in said
    assert "['N311'] None" in said


def test_without_the_right_to_listen(practice: PracticeHost) -> None:
    python = [sys.executable, "-c", DROP_NET_RAW, sys.executable, "-c", LISTEN, str(practice.root)]
    assert practice.run(*python).stdout.endswith("[] N314\n")


def test_what_was_heard_is_there_for_the_next_console(practice: PracticeHost) -> None:
    kept = Path(practice.root, "run/onsite/neighbours.json")
    kept.unlink(missing_ok=True)
    practice.python(LISTEN, str(practice.root))
    assert kept.stat().st_mode & 0o777 == 0o644
    assert "Gi1/0/1" in kept.read_text()


def test_a_cable_of_the_practice_host(practice: PracticeHost) -> None:
    for option, flag in (("--pull", False), ("--plug", True)):
        control(practice.folder, option, "lan1")
        until(lambda flag=flag: ("LOWER_UP" in practice.kernel().link("lan1")["flags"]) == flag)
    refused = control(practice.folder, "--pull", "lan9", check=False)
    assert "lan9 is none of its links: lan0, lan1" in refused.stderr


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)
