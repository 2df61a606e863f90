"""Whatever is hit while a change is taken back at boot, the host is all old, and nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.netns import killpoints as kill
from tests.practice import PracticeHost

pytestmark = [
    pytest.mark.skipif(not kill.have_strace(), reason="strace cannot trace here"),
    pytest.mark.timeout(1500),
    pytest.mark.long,
]


@pytest.mark.parametrize("fault", kill.FAULTS)
def test_recovery_hit_at_every_point(killed: tuple[PracticeHost, Path, Path], fault: str) -> None:
    practice = killed[0]
    old = kill.state(practice, kill.LINK)
    _, new = kill.other(killed, old)
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
    points = kill.sample(points, fault)
    for point in points:
        crash()
        tally.hit += kill.hit(practice, point, fault, "recover")
        practice.onsite("recover")
        kill.judge(practice, tally, point, fault, old)
    print(kill.HEAD, tally.row(), sep="\n")
    assert tally.wrong == []
    assert tally.hit >= 0.7 * tally.tried
    assert tally.new == 0
    assert tally.tried == len(points)
    assert tally.points > 5
