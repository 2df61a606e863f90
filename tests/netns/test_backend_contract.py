"""`direct` keeps the contract of a backend, on the practice host's healthy link."""

from __future__ import annotations

import sys

import pytest

from tests.backend_contract import CASES
from tests.practice import PracticeHost


@pytest.mark.parametrize("case", CASES)
def test_direct_keeps_the_contract(practice: PracticeHost, case: str) -> None:
    words = ("direct", practice.kind, str(practice.root), "lan0", case)
    done = practice.run(sys.executable, "-W", "error", "-m", "tests.backend_contract", *words, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
