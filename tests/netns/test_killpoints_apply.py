"""Whatever is hit at whatever moment of applying, the host is all old or all new, and nothing is left."""

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
def test_apply_hit_at_every_point(killed: tuple[PracticeHost, Path, Path], fault: str) -> None:
    practice = killed[0]
    _, new = kill.other(killed, kill.state(practice, kill.LINK))
    points = kill.trace(practice, "apply", str(new), "--keep-within", "60", decide="revert")
    tally = kill.Tally(f"apply {fault[-7:]}", len(points))
    points = kill.sample(points, fault)
    for number, point in enumerate(points):
        old = kill.state(practice, kill.LINK)
        _, new = kill.other(killed, old)
        tally.hit += kill.hit(practice, point, fault, "apply", str(new), "--keep-within", "5")
        if kill.pending(practice) and number % 2:
            practice.onsite("recover")
        kill.until_decided(practice)
        kill.judge(practice, tally, point, fault, old)
    print(kill.HEAD, tally.row(), sep="\n")
    assert tally.wrong == []
    assert tally.hit >= 0.7 * tally.tried
    assert tally.tried == len(points)
    assert tally.points > 10
