"""Keep and the dead-man at the same instant: exactly one of the two, a thousand times (RACES: how often)."""

from __future__ import annotations

import json
import os
import sys

import pytest

from tests.practice import PracticeHost


@pytest.mark.timeout(900)
def test_keep_racing_the_deadman_ends_in_exactly_one(practice: PracticeHost) -> None:
    races = int(os.environ.get("RACES", "1000"))
    mac = practice.kernel().link("lan0")["address"]
    run = practice.run(sys.executable, "-m", "tests.netns.race", str(practice.root), mac, str(races), timeout=850)
    tally = json.loads(run.stdout.splitlines()[-1])
    print(f"races {races}: {tally}")
    assert sum(tally.values()) == races
    assert set(tally) == {"kept", "reverted"}
