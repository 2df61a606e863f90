"""The ladder among real peers: every fault is blamed by its code, a healthy network raises no alarm.

`ONSITE_FULL=1` (`make checks-full`) makes 20 pairs of faults and 200 healthy runs, and writes the table of
docs/measured/checks.md; otherwise 4 pairs and 30 runs. The seed is printed; `ONSITE_SEED` repeats an order.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.netns.ladder_faults import FAULTS, pairs, rank, shuffled
from tests.practice import CODE
from tui.models import codes
from tui.models.check import Run

FULL = bool(os.environ.get("ONSITE_FULL"))
SEED = int(os.environ.get("ONSITE_SEED", random.randrange(1_000_000)))
SHAPES = ("static", "DHCP", "v6 only", "dual", "proxy", "air gap")
SLOWER = 2.0
"""Seconds beside a limit that two busy cores may add."""


class Rig:
    """The rig of `tests.netns.ladder_rig`, asked line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.shape = ""

    def ask(self, **asked: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the rig ended at {asked}"
        return json.loads(line)

    def become(self, shape: str) -> None:
        if shape != self.shape:
            self.ask(shape=shape)
            self.shape = shape

    def climbs(self, count: int = 1) -> list[Run]:
        runs = [Run.from_dict(data) for data in self.ask(climb=count)]
        assert len(runs) == count
        for rung in (rung for run in runs for rung in run.rungs):
            assert rung.seconds < rung.limit + SLOWER, rung
            assert rung.verdict in ("ok", "warning", "failed", "not tried")
            assert rung.verdict != "not tried" or rung.reason, "why it was not tried"
            if rung.issue is not None:
                assert rung.issue.code in codes.TITLES
                assert rung.issue.remedy.endswith(".")
        return runs

    def blamed(self, *faults: str) -> Run:
        self.ask(faults=list(faults))
        try:
            (run,) = self.climbs()
        finally:
            self.ask(faults=[])
        return run


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.netns.ladder_rig"],
        cwd=CODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        if said == "no user namespace":
            pytest.skip("no namespaces here: a user namespace was refused")
        assert said == "ready"
        yield Rig(process)
        process.stdin.close()


def test_every_fault_alone_is_blamed(rig: Rig) -> None:
    print(f"\nseed {SEED}")
    rows, wrong = [], []
    for fault in shuffled(SEED):
        rig.become(fault.shape)
        begun = time.monotonic()
        run = rig.blamed(fault.name)
        code = run.blame.issue.code if run.blame and run.blame.issue else "none"
        rows.append((rank(fault), f"| {fault.name} | {fault.shape} | {fault.code} | {code} | "
                     f"{time.monotonic() - begun:.1f} | {run.line[5:]} |"))  # fmt: skip
        print(rows[-1][1])
        if code != fault.code or run.verdict != "failed":
            wrong.append((fault.name, fault.code, run.line))
    assert len(FAULTS) >= 20
    words = f"Order shuffled by seed {SEED}; {len(FAULTS) - len(wrong)} of {len(FAULTS)} blamed rightly."
    heads = ("fault", "network", "expected", "blamed", "seconds", "what is said")
    _write("faults", words, heads, [row for _, row in sorted(rows)])
    assert wrong == []


def test_of_two_faults_the_first_is_blamed(rig: Rig) -> None:
    print(f"\nseed {SEED}")
    rows, wrong = [], []
    for one, other in pairs(SEED, 20 if FULL else 4):
        rig.become(one.shape)
        run = rig.blamed(one.name, other.name)
        code = run.blame.issue.code if run.blame and run.blame.issue else "none"
        rows.append(f"| {one.name} + {other.name} | {one.shape} | {one.code} | {code} |")
        print(rows[-1])
        if code != one.code:
            wrong.append((one.name, other.name, one.code, run.line))
    _write("pairs", f"Chosen by seed {SEED}; {len(rows) - len(wrong)} of {len(rows)} blamed rightly.",
           ("faults", "network", "expected", "blamed"), rows)  # fmt: skip
    assert wrong == []


def test_no_false_alarm_on_healthy_networks(rig: Rig) -> None:
    shapes = random.Random(SEED).sample(SHAPES, len(SHAPES))
    each = [34, 34, 33, 33, 33, 33] if FULL else [5] * len(SHAPES)
    print(f"\nseed {SEED}")
    rows, alarms = [], []
    for shape, count in zip(shapes, each, strict=True):
        rig.become(shape)
        begun = time.monotonic()
        runs = rig.climbs(count)
        bad = [run.line for run in runs if run.verdict != "ok" or run.blame is not None]
        untried = sum(rung.verdict == "not tried" for rung in runs[0].rungs)
        rows.append(f"| {shape} | {count} | {len(bad)} | {len(runs[0].rungs) - untried} of {len(runs[0].rungs)} | "
                    f"{(time.monotonic() - begun) / count:.2f} |")  # fmt: skip
        print(rows[-1])
        alarms += bad
    _write("healthy", f"{sum(each)} runs, ten at a time; {len(alarms)} false alarms.",
           ("network", "runs", "alarms", "rungs tried", "seconds a run"), rows)  # fmt: skip
    assert alarms == []


@pytest.mark.parametrize("shape", ["static", *(["v6 only"] if FULL else [])])
@pytest.mark.parametrize(
    ("firewall", "said"),
    [("no echoes", "answers an echo"), ("small echoes only", "are filtered, but full packets of TCP pass")],
)
def test_a_firewall_that_drops_echoes_is_no_fault(rig: Rig, shape: str, firewall: str, said: str) -> None:
    rig.become(shape)
    run = rig.blamed(firewall)
    assert run.verdict == "ok", run.line
    assert said in next(rung for rung in run.rungs if rung.name == "mtu").reason


def test_one_silent_name_server_beside_one_that_answers_is_a_warning(rig: Rig) -> None:
    rig.become("dual")
    run = rig.blamed("dns 4 silent")
    assert (run.verdict, run.line) == ("warning", "D211 The name server 192.0.2.1 does not answer.")
    assert all(rung.verdict in ("ok", "not tried") for rung in run.rungs if not rung.name.startswith("nameserver"))


def test_air_gap_lets_nothing_out(rig: Rig) -> None:
    """Every frame on every interface is looked at, DNS and ARP included; the name server outside is not asked."""
    rig.become("air gap")
    rig.ask(capture=True)
    for faults in ([], ["no gateway answers"], ["dns silent"], ["silent"]):
        rig.ask(faults=faults)
        runs = rig.climbs(2)
        for rung in runs[0].rungs:
            if rung.name in ("nameserver 203.0.113.99", "tcp", "tls", "http", "endpoint", "url"):
                assert rung.verdict == "not tried", rung
    rig.ask(faults=[])
    seen = rig.ask(capture=True)
    print(f"\nair gap: frames that left {seen['frames']}, outside of the configured networks: {len(seen['outside'])}")
    assert seen["frames"]["lan0"] > 50
    assert seen["outside"] == []
    words = f"Frames that left in 8 runs, by interface: {seen['frames']}; outside the configured networks: 0."
    _write("air gap", words, (), [])


def test_the_capture_would_see_what_leaves(rig: Rig) -> None:
    rig.become("static")
    rig.ask(capture=True)
    rig.climbs()
    assert any("203.0.113.10" in line for line in rig.ask(capture=True)["outside"])


@pytest.mark.parametrize("fault", ["dns silent", "hole", *(["silent", "tcp silent", "not tls"] if FULL else [])])
def test_leaving_ends_everything_at_once(rig: Rig, fault: str) -> None:
    rig.become("static")
    rig.climbs()  # whatever is imported and opened once is there
    rig.ask(faults=[fault])
    try:
        for after in (0.0, 0.05, 0.7, 1.5, 1.9, 3.1) if FULL else (0.0, 0.7, 1.9, 3.1):
            ended = rig.ask(cancel=after)
            assert ended["seconds"] < 0.2, (after, ended)
            assert ended["after"] == ended["before"], after
    finally:
        rig.ask(faults=[])


def test_nothing_is_left_after_climbs(rig: Rig) -> None:
    rig.become("dual")
    rig.climbs(10)
    before = rig.ask(left=True)
    rig.climbs(10)
    after = rig.ask(left=True)
    print(f"\nleft after 10 climbs: {after}")
    assert after == before


STALLS = """
import asyncio, sys, time
from pathlib import Path
from tui import settings
from tui.services import facts
from tui.services.checks import run
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel

async def main():
    host = Host(Path(sys.argv[1]), NetlinkKernel(), "user")
    gaps, last = [], time.monotonic()
    def tick():
        nonlocal last
        now = time.monotonic()
        gaps.append(now - last)
        last = now
        loop.call_later(0.001, tick)
    loop = asyncio.get_running_loop()
    loop.call_soon(tick)
    await asyncio.sleep(0.01)
    done = await run.run(host, facts.read(host, files=False), run.wanted(settings.load(host.root)))
    print(done.verdict, len(gaps), round(max(gaps) * 1000))

asyncio.run(main())
"""


def test_no_key_press_waits_for_a_check(rig: Rig) -> None:
    """The longest time for which the event loop did nothing else, imports of a first climb included."""
    rig.become("static")
    said = rig.ask(python=STALLS)
    verdict, ticks, longest = said.split()
    print(f"\nlongest stall of the event loop in a first climb: {longest} ms of {ticks} looks")
    assert verdict == "ok", said
    assert int(longest) < 250
    _write("key presses", f"Longest stall of the event loop in a first climb: {longest} ms ({ticks} looks).", (), [])


def test_draft_is_tested_as_far_as_it_can_be(rig: Rig) -> None:
    """Name servers of a draft are asked now; an address that is not there yet waits, its neighbours do not."""
    rig.become("static")
    four = {"method": "static", "addresses": ["192.0.2.10/24"], "gateway": "192.0.2.1"}
    same = {"ipv4": four, "ipv6": {"method": "off"}}
    assert Run.from_dict(rig.ask(draft={**same, "nameservers": ["192.0.2.1"]})).verdict == "ok"
    wrong = Run.from_dict(rig.ask(draft={**same, "nameservers": ["192.0.2.8"]}))
    assert wrong.line.startswith("D211 192.0.2.8 is there, but no name server runs on it")
    gateway = {**same, "ipv4": {**four, "gateway": "192.0.2.254"}, "nameservers": ["192.0.2.1"]}
    assert Run.from_dict(rig.ask(draft=gateway)).line.startswith("N302 The gateway 192.0.2.254 does not answer")
    other = {**same, "ipv4": {**four, "addresses": ["192.0.2.30/24"]}, "nameservers": ["192.0.2.1"]}
    rungs = {rung.name: rung for rung in Run.from_dict(rig.ask(draft=other)).rungs}
    assert [rungs[name].verdict for name in ("address", "duplicate", "gateway")] == ["not tried", "ok", "ok"]
    assert rungs["tls"].verdict == "not tried"
    assert "after apply" in rungs["tls"].reason
    taken = {**same, "ipv4": {**four, "addresses": ["192.0.2.8/24"]}, "nameservers": ["192.0.2.1"]}
    assert Run.from_dict(rig.ask(draft=taken)).line.startswith("N301 192.0.2.8 is in use")


@pytest.mark.skipif(not shutil.which("tinyproxy"), reason="tinyproxy is not installed (Debian: tinyproxy-bin)")
def test_by_a_proxy_that_others_made(rig: Rig) -> None:
    rig.become("proxy")
    assert Run.from_dict(rig.ask(tinyproxy=["BasicAuth edge word"])).line == "Everything that was tried works."
    assert Run.from_dict(rig.ask(tinyproxy=["BasicAuth edge other"])).line.startswith("D232")
    assert Run.from_dict(rig.ask(tinyproxy=["BasicAuth edge word", "ConnectPort 8443"])).line.startswith("D233")


def test_command_line(rig: Rig) -> None:
    rig.become("static")
    said = rig.ask(run=["check", "--json"])
    assert said["status"] == 0, said
    run = Run.from_dict(json.loads(said["out"]))
    assert run.verdict == "ok"
    assert [rung.name for rung in run.rungs[:4]] == ["carrier", "address", "duplicate", "gateway"]
    rig.ask(faults=["expired"])
    said = rig.ask(run=["check"])
    rig.ask(faults=[])
    assert said["status"] == 1
    assert said["out"].splitlines()[-1].startswith("D242 The certificate of api.manage.example has expired")
    assert "Traceback" not in said["err"]
    last = rig.ask(run=["check", "--last"])
    assert last["out"].splitlines()[-1].endswith("(just now)")
    assert last["status"] == 1


def _write(title: str, words: str, heads: tuple[str, ...], rows: list[str]) -> None:
    """One section of docs/measured/checks.md, on a full run."""
    if not FULL:
        return
    path = Path(CODE) / "docs/measured/checks.md"
    known = path.read_text() if path.exists() else "# Checks, measured\n\nWritten by `make checks-full`.\n"
    before, _, rest = known.partition(f"\n## {title}\n")
    after = rest.partition("\n## ")[2] if rest else ""
    table = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *rows, ""] if heads else []
    section = "\n".join([f"\n## {title}\n", words, "", *table])
    path.write_text(before + section + (f"\n## {after}" if after else ""))
