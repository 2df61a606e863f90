"""Line 2 of the promise: whatever is hit at whatever moment, the host is all old or all new, and nothing is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns import killpoints as kill
from tests.practice import PracticeHost, practice_host

LINK = "lan0"
pytestmark = [
    pytest.mark.skipif(not kill.have_strace(), reason="strace cannot trace here"),
    pytest.mark.timeout(1500),
]


@pytest.fixture(scope="module")
def rig() -> Iterator[tuple[PracticeHost, Path, Path]]:
    """A practice host of which lan0 has configuration A, kept; and the documents A and B."""
    with practice_host() as practice:
        mac = practice.kernel().link(LINK)["address"]
        documents = []
        for name, last in (("a", 10), ("b", 20)):
            path = practice.folder / f"{name}.yaml"
            path.write_text(
                f"version: 1\nlinks:\n- mac: '{mac}'\n  name: {LINK}\n"
                f"  ipv4: {{method: static, addresses: [192.0.2.{last}/24], gateway: 192.0.2.1}}\n"
                f"  ipv6: {{method: static, addresses: ['2001:db8:0:1::{last}/64'], gateway: '2001:db8:0:1::1'}}\n"
                "  nameservers: [192.0.2.1]\n"
            )
            documents.append(path)
        practice.run("sh", "-c", f"echo 0 >/proc/sys/net/ipv6/conf/{LINK}/dad_transmits")
        practice.onsite("apply", str(documents[0]), "--keep-within", "60")
        practice.onsite("keep")
        yield practice, documents[0], documents[1]


def _sample(points: list[kill.Point], fault: str) -> list[kill.Point]:
    """All of them for SIGKILL; of the two errors every third, or all under ONSITE_FULL (make host-full)."""
    return points if "SIGKILL" in fault or os.environ.get("ONSITE_FULL") else points[::3]


def _other(rig: tuple[PracticeHost, Path, Path], now: kill.State) -> tuple[Path, Path]:
    """The document of the present state and the other one."""
    _, a, b = rig
    return (a, b) if "192.0.2.10/24" in now.addresses else (b, a)


def _judge(practice: PracticeHost, tally: kill.Tally, point: kill.Point, fault: str, old: kill.State) -> None:
    """Count the end state; "new" is recognised by being whole: address, gateway and file of the other document."""
    now = kill.state(practice, LINK)
    left = kill.leftovers(practice)
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


@pytest.mark.parametrize("fault", kill.FAULTS)
def test_apply_hit_at_every_point(rig: tuple[PracticeHost, Path, Path], fault: str) -> None:
    practice = rig[0]
    _, new = _other(rig, kill.state(practice, LINK))
    points = kill.trace(practice, "apply", str(new), "--keep-within", "60", decide="revert")
    tally = kill.Tally(f"apply {fault[-7:]}", len(points))
    points = _sample(points, fault)
    for number, point in enumerate(points):
        old = kill.state(practice, LINK)
        _, new = _other(rig, old)
        tally.hit += kill.hit(practice, point, fault, "apply", str(new), "--keep-within", "5")
        if kill.pending(practice) and number % 2:
            practice.onsite("recover")
        kill.until_decided(practice)
        _judge(practice, tally, point, fault, old)
    print(kill.HEAD, tally.row(), sep="\n")
    assert tally.wrong == []
    assert tally.hit >= 0.7 * tally.tried
    assert tally.tried == len(points)
    assert tally.points > 10


@pytest.mark.parametrize("fault", kill.FAULTS)
def test_keep_hit_at_every_point(rig: tuple[PracticeHost, Path, Path], fault: str) -> None:
    practice = rig[0]
    _, new = _other(rig, kill.state(practice, LINK))
    practice.onsite("apply", str(new), "--keep-within", "60")
    points = kill.trace(practice, "keep")
    tally = kill.Tally(f"keep {fault[-7:]}", len(points))
    points = _sample(points, fault)
    for point in points:
        old = kill.state(practice, LINK)
        _, new = _other(rig, old)
        practice.run(*kill.onsite(practice, ["apply", str(new), "--keep-within", "5"]))
        tally.hit += kill.hit(practice, point, fault, "keep")
        kill.until_decided(practice)
        _judge(practice, tally, point, fault, old)
    print(kill.HEAD, tally.row(), sep="\n")
    assert tally.wrong == []
    assert tally.hit >= 0.7 * tally.tried
    assert tally.tried == len(points)
    assert tally.points > 10


@pytest.mark.parametrize("fault", kill.FAULTS)
def test_recovery_hit_at_every_point(rig: tuple[PracticeHost, Path, Path], fault: str) -> None:
    practice = rig[0]
    old = kill.state(practice, LINK)
    _, new = _other(rig, old)
    points = kill.trace(practice, "apply", str(new), "--keep-within", "60", decide="revert")
    late = [p for p in points if p.call == "fsync"][-4]

    def crash() -> None:
        """A change that is in the kernel, whose console and dead-man were killed."""
        while not kill.pending(practice):
            kill.hit(practice, late, "signal=SIGKILL", "apply", str(new), "--keep-within", "60")
            kill.no_deadman(practice)

    crash()
    points = kill.trace(practice, "recover")
    tally = kill.Tally(f"recover {fault[-7:]}", len(points))
    points = _sample(points, fault)
    for point in points:
        crash()
        tally.hit += kill.hit(practice, point, fault, "recover")
        practice.onsite("recover")
        _judge(practice, tally, point, fault, old)
    print(kill.HEAD, tally.row(), sep="\n")
    assert tally.wrong == []
    assert tally.hit >= 0.7 * tally.tried
    assert tally.new == 0
    assert tally.tried == len(points)
    assert tally.points > 5
