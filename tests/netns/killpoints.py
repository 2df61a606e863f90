"""Every moment at which a change can be hit: numbered from a trace, then hit one by one by strace's fault injection.

A point is the N-th call of one kind in the main process: whatever makes files durable (fsync, fdatasync, rename,
unlink) and whatever changes the kernel (a send on a netlink socket). strace counts the calls of a kind, so only calls
that are points are hit, by their number among all calls of their kind (strace(1), inject=SET:when=N).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.practice import CODE, PracticeHost

CALLS = ("fsync", "fdatasync", "rename", "renameat", "renameat2", "unlink", "unlinkat", "sendto", "sendmsg")
_LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")
LINK = "lan0"
FAULTS = ("signal=SIGKILL", "error=ENOSPC", "error=EIO")


@dataclass(frozen=True, slots=True)
class Point:
    call: str
    nth: int
    what: str


@dataclass(slots=True)
class Tally:
    """What one phase showed, for the table."""

    phase: str
    points: int = 0
    tried: int = 0
    hit: int = 0
    """Runs that came to the point: how often the kernel is read while it settles differs from run to run."""
    old: int = 0
    new: int = 0
    wrong: list[str] = field(default_factory=list)

    def row(self) -> str:
        counts = f"{self.points:>7}{self.tried:>7}{self.hit:>6}{self.old:>6}{self.new:>6}"
        return f"{self.phase:<18}{counts}{len(self.wrong):>7}"


HEAD = f"{'phase':<18}{'points':>7}{'tried':>7}{'hit':>6}{'old':>6}{'new':>6}{'wrong':>7}"


@dataclass(frozen=True, slots=True)
class State:
    """A host as a stranger sees it: kept files, and what iproute2 says of the link."""

    files: tuple[tuple[str, str], ...]
    addresses: frozenset[str]
    gateways: frozenset[str]


def state(practice: PracticeHost, link: str) -> State:
    kept = sorted((practice.root / "etc/onsite/links").glob("*"))
    resolv = practice.root / "etc/resolv.conf"
    files = [(p.name, p.read_text()) for p in kept]
    files.append(("resolv.conf", str(resolv.readlink()) if resolv.is_symlink() else "a file"))
    kernel = practice.kernel()
    return State(tuple(files), frozenset(kernel.addresses(link)), frozenset(kernel.gateways(link)))


def leftovers(practice: PracticeHost) -> list[str]:
    found = [str(p.relative_to(practice.root)) for p in practice.root.rglob("*.onsite.tmp")]
    return found + [p for p in ("var/lib/onsite/pending.json",) if (practice.root / p).exists()]


def trace(practice: PracticeHost, *arguments: str, decide: str = "") -> list[Point]:
    """Run `onsite ARGUMENTS` to its end under strace -f and number the points of its main process.

    Args:
        decide: "revert" or "keep", said when the change waits: -f follows the dead-man too, which ends only then.
    """
    with tempfile.NamedTemporaryFile(suffix=".strace") as out:
        command = ["strace", "-f", "-yy", "-o", out.name, "-e", f"trace={','.join(CALLS)}"]
        inside = practice.inside([*command, *onsite(practice, arguments)])
        with subprocess.Popen(inside, cwd=CODE, env=practice.environment, stdout=subprocess.DEVNULL) as traced:
            while decide and not waiting(practice) and traced.poll() is None:
                time.sleep(0.05)
            if decide:
                practice.onsite(decide)
            assert traced.wait(60) == 0, practice.log()
        lines = Path(out.name).read_text(errors="replace").splitlines()
    points: list[Point] = []
    counts: dict[str, int] = {}
    main = ""
    for line in lines:
        match = _LINE.match(line)
        if not match:
            continue
        pid, call, rest = match.groups()
        main = main or pid
        if pid != main:
            continue
        counts[call] = counts.get(call, 0) + 1
        if not call.startswith("send") or "NETLINK" in rest:
            points.append(Point(call, counts[call], rest[:60]))
    return points


def hit(practice: PracticeHost, point: Point, fault: str, *arguments: str) -> bool:
    """Run `onsite ARGUMENTS` and let that one call fail, or kill the process at it; whether it came to that call."""
    with tempfile.NamedTemporaryFile(suffix=".strace") as out:
        inject = f"inject={point.call}:{fault}:when={point.nth}"
        command = ["strace", "-o", out.name, "-e", f"trace={point.call}", "-e", inject]
        practice.run(*command, *onsite(practice, arguments), check=False)
        text = Path(out.name).read_text(errors="replace")
    return "INJECTED" in text or "killed by SIGKILL" in text


def waiting(practice: PracticeHost) -> bool:
    """The change is applied and somebody may keep it."""
    try:
        journal = (practice.root / "var/lib/onsite/pending.json").read_text()
    except FileNotFoundError:
        return False
    return bool(json.loads(journal)["phase"] == "waiting")


def pending(practice: PracticeHost) -> bool:
    return (practice.root / "var/lib/onsite/pending.json").exists()


def until_decided(practice: PracticeHost, seconds: float = 30) -> None:
    """Wait until nothing is pending and the dead-man has ended."""
    end = time.monotonic() + seconds
    while pending(practice) or any((practice.root / "run/onsite").glob("deadman-*.lock")):
        if time.monotonic() > end:
            raise TimeoutError("the dead-man did not take it back: " + practice.log()[-500:])
        time.sleep(0.1)


def no_deadman(practice: PracticeHost) -> None:
    """Kill every dead-man of this host, as a power cut of the whole box would."""
    practice.run("pkill", "-KILL", "-f", f"{practice.root} .*deadman", check=False)


def onsite(practice: PracticeHost, arguments: Sequence[str]) -> list[str]:
    """The command, as the practice console starts it."""
    return [sys.executable, "-m", "tui", "--root", str(practice.root), "--practice", practice.kind, *arguments]


def have_strace() -> bool:
    """Injection is to be had here: strace is installed and ptrace is allowed."""
    try:
        subprocess.run(["strace", "-o", "/dev/null", "true"], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def sample(points: list[Point], fault: str) -> list[Point]:
    """All of them for SIGKILL; of the two errors every third, or all under ONSITE_FULL (make host-full)."""
    return points if "SIGKILL" in fault or os.environ.get("ONSITE_FULL") else points[::3]


def other(rig: tuple[PracticeHost, Path, Path], now: State) -> tuple[Path, Path]:
    """The document of the present state and the other one."""
    _, a, b = rig
    return (a, b) if "192.0.2.10/24" in now.addresses else (b, a)


def judge(practice: PracticeHost, tally: Tally, point: Point, fault: str, old: State) -> None:
    """Count the end state; "new" is recognised by being whole: address, gateway and file of the other document."""
    now = state(practice, LINK)
    left = leftovers(practice)
    last = "20" if "192.0.2.10/24" in old.addresses else "10"
    whole = (
        now.addresses == {f"192.0.2.{last}/24", f"2001:db8:0:1::{last}/64"}
        and now.gateways == {"192.0.2.1", "2001:db8:0:1::1"}
        and any(f"192.0.2.{last}/24" in text for _, text in now.files)
    )
    tally.tried += 1
    if left or not (now == old or whole):
        tally.wrong.append(f"{tally.phase} {point} {fault}: {now} left {left}")
    elif now == old:
        tally.old += 1
    else:
        tally.new += 1
