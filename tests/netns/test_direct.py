"""The `direct` backend with real links: DHCP, router advertisements, boot."""

from __future__ import annotations

import sys

import pytest

from tests.netns.direct_cases import CASES
from tests.practice import PracticeHost


@pytest.mark.parametrize("case", CASES)
def test_direct(practice: PracticeHost, case: str) -> None:
    words = (practice.kind, str(practice.root), case)
    done = practice.run(
        sys.executable, "-W", "error", "-m", "tests.netns.direct_cases", *words, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
