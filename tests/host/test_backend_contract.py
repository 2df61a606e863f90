"""`networkd` keeps the contract of a backend, with the real systemd-networkd."""

from __future__ import annotations

import pytest

from tests.backend_contract import CASES
from tests.host.box import Box


@pytest.mark.parametrize("case", CASES)
def test_networkd_keeps_the_contract(box: Box, case: str) -> None:
    words = ("networkd", "real", "/", "lan0", case)
    done = box.run("python3", "-W", "error", "-m", "tests.backend_contract", *words, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
