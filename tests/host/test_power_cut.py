"""A power cut at every moment of a change that leaves a trace on disk, then a boot: all old or all new.

The moments are numbered from a trace, as in tests/netns/killpoints.py. There the process is killed; here strace stops
it right after the call, so that nothing else happens, and then the whole container loses its power. Boot runs
onsite-recover.service before networkd, and the state is compared when networkd is done. The netlink sends of this
program only read (networkd does the changes), so they are no moments.
"""

from __future__ import annotations

import os

import pytest

from tests.host import look
from tests.host.box import Box, Host, wait_for

CALLS = ("fsync", "fdatasync", "rename", "renameat", "renameat2", "unlink", "unlinkat")
TRACE = "root/trace"
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def kept(box: Box) -> Box:
    """The container with a kept configuration."""
    box.write("/root/wish.yaml", look.document(10))
    box.onsite("apply", "/root/wish.yaml", "--keep-within", "60")
    box.onsite("keep")
    assert look.whole(10, look.settled(box))
    return box


def _other(box: Box) -> tuple[int, int]:
    """The last number of the addresses that are kept now, and that of the wish, which is written down."""
    now = 10 if "192.0.2.10/24" in look.state(box).addresses else 20
    box.write("/root/wish.yaml", look.document(30 - now))
    return now, 30 - now


def _onsite(*words: str) -> list[str]:
    return ["python3", "-m", "tui", *words]


APPLY = _onsite("apply", "/root/wish.yaml", "--keep-within", "60")


def _points(box: Host, command: list[str]) -> list[tuple[str, int]]:
    """Each call of those kinds that the command makes, with its number among its kind."""
    box.remove(TRACE)
    box.run("strace", "-qq", "-o", f"/{TRACE}", "-e", "signal=none", "-e", f"trace={','.join(CALLS)}", *command)
    return _numbered(box)


def _numbered(box: Host) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    points = []
    for line in (box.read(TRACE) or "").splitlines():
        call = line.partition("(")[0]
        counts[call] = counts.get(call, 0) + 1
        points.append((call, counts[call]))
    return points


def _cut_at(box: Host, point: tuple[str, int], command: list[str]) -> bool:
    """Run until right after that call, then cut the power; whether it came to that call."""
    call, number = point
    box.remove(TRACE)
    inject = f"inject={call}:signal=SIGSTOP:when={number}"
    stopping = ["strace", "-qq", "-o", f"/{TRACE}", "-e", f"trace={call}", "-e", inject, *command]
    ended = box.begin(*stopping)
    wait_for(f"{point} or the end of the command", lambda: _stopped(box) or ended(), 60)
    hit = _stopped(box)
    box.power_cut()
    return hit


def _stopped(box: Host) -> bool:
    return "stopped by SIGSTOP" in (box.read(TRACE) or "")


def _some(points: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Every point with ONSITE_FULL=1 (`make host-full`), else every third: a cut and a boot take six seconds."""
    return points if os.environ.get("ONSITE_FULL") else points[::3]


class Tally:
    """What the cuts of one phase showed."""

    def __init__(self, phase: str, points: int) -> None:
        self.phase, self.points = phase, points
        self.tried = self.hit = self.old = self.new = 0
        self.wrong: list[str] = []

    def judge(self, box: Box, point: object, old: int, new: int) -> None:
        """After a boot: count what is there."""
        self.tried += 1
        now = look.settled(box)
        if left := look.leftovers(box):
            self.wrong.append(f"{point}: left {left}")
        elif look.whole(old, now):
            self.old += 1
        elif look.whole(new, now):
            self.new += 1
        else:
            self.wrong.append(f"{point}: neither old nor new: {now}")

    def __str__(self) -> str:
        counts = f"points {self.points}, tried {self.tried}, hit {self.hit}, old {self.old}, new {self.new}"
        return f"power cut in {self.phase}: {counts}, wrong {len(self.wrong)}"


def test_power_cut_while_applying(kept: Box) -> None:
    box = kept
    _other(box)
    points = _points(box, APPLY)
    box.onsite("revert")
    tally = Tally("apply", len(points))
    for point in _some(points):
        old, new = _other(box)
        tally.hit += _cut_at(box, point, APPLY)
        box.boot()
        tally.judge(box, point, old, new)
    print(tally)
    assert tally.wrong == []
    assert tally.new == 0, "nobody said Keep"
    assert tally.points > 10
    assert tally.tried == tally.hit == len(_some(points))


def test_power_cut_in_the_window(kept: Box) -> None:
    """The commonest one: the change waits, and somebody pulls the plug."""
    box = kept
    old, new = _other(box)
    box.run(*APPLY)
    assert look.state(box).addresses == {f"192.0.2.{new}/24", f"2001:db8:0:1::{new}/64"}
    box.power_cut()
    box.boot()
    recovered = box.run(
        "systemctl", "show", "--property=ExecMainStatus,Result,ConditionResult", "onsite-recover"
    ).stdout
    assert recovered.split() == ["Result=success", "ExecMainStatus=0", "ConditionResult=yes"]
    tally = Tally("window", 1)
    tally.judge(box, "window", old, new)
    last = look.history(box)[-1]
    assert last["result"] == "reverted", last
    assert (tally.old, tally.wrong) == (1, [])


def test_power_cut_while_keeping(kept: Box) -> None:
    box = kept
    _other(box)
    box.run(*APPLY)
    points = _points(box, _onsite("keep"))
    tally = Tally("keep", len(points))
    for point in _some(points):
        old, new = _other(box)
        box.run(*APPLY)
        tally.hit += _cut_at(box, point, _onsite("keep"))
        box.boot()
        tally.judge(box, point, old, new)
    print(tally)
    assert tally.wrong == []
    assert tally.old > 0 < tally.new
    assert tally.points > 8
    assert tally.tried == tally.hit == len(_some(points))


def test_power_cut_while_recovering_at_boot(kept: Box) -> None:
    """The unit of the boot is stopped at each of its calls; the power goes again, and the next boot does it all."""
    box = kept
    old, new = _other(box)
    keep = _onsite("keep")

    def crash() -> None:
        """Half kept: the new file is under /etc, and the journal is still there."""
        box.run(*APPLY)
        assert _cut_at(box, ("rename", 1), keep)

    crash()
    _recover_with(box, f"-e signal=none -e trace={','.join(CALLS)}")
    box.boot()
    points = _numbered(box)
    tally = Tally("recovery", len(points))
    for call, number in _some(points):
        crash()
        _recover_with(box, f"-e trace={call} -e inject={call}:signal=SIGSTOP:when={number}")
        box.boot(wait=False)
        wait_for("recovery stopped, or the boot went on without", lambda: _stopped(box) or box.up(), 60)
        tally.hit += _stopped(box)
        box.power_cut()
        _recover_with(box, "")
        box.boot()
        tally.judge(box, (call, number), old, new)
    print(tally)
    assert tally.wrong == []
    assert tally.new == 0
    assert tally.points > 5
    assert tally.tried == len(_some(points))
    assert tally.hit >= 0.8 * tally.tried


def _recover_with(box: Box, strace: str) -> None:
    """Have the unit of the boot run under strace with these options, or as it is shipped."""
    drop_in = "/etc/systemd/system/onsite-recover.service.d/50-strace.conf"
    box.remove(TRACE)
    if strace:
        command = f"strace -qq -o /{TRACE} {strace} {' '.join(_onsite('recover', '--boot'))}"
        box.write(drop_in, f"[Service]\nExecStart=\nExecStart={command}\n")
    else:
        box.remove(drop_in)
