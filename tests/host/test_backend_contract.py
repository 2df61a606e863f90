"""Every backend keeps its contract, with the real systemd-networkd, NetworkManager and netplan."""

from __future__ import annotations

import os

import pytest

from tests.backend_contract import CASES
from tests.host.box import Box
from tests.host.managers import MANAGERS, Manager, use

SOME = ("restore_of_a_leased_link",)
"""What is tried each time with the managers beside networkd; every case with ONSITE_FULL=1 (`make host-full`)."""
PAIRS = [(m, c) for m in MANAGERS for c in CASES if m == "networkd" or c in SOME or os.environ.get("ONSITE_FULL")]


@pytest.fixture(scope="module")
def managed(box: Box, request: pytest.FixtureRequest) -> tuple[Box, Manager]:
    manager = MANAGERS[request.param]
    if manager.base or manager.networkmanager:
        use(box, manager)
    return box, manager


@pytest.mark.parametrize(("managed", "case"), PAIRS, indirect=["managed"])
def test_manager_keeps_the_contract(managed: tuple[Box, Manager], case: str) -> None:
    box, manager = managed
    words = (manager.backend, "real", "/", "lan0", case)
    done = box.run("python3", "-W", "error", "-m", "tests.backend_contract", *words, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
