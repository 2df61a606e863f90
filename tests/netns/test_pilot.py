"""From a key press to an address in the kernel and back, by Pilot, in the practice host; and there after a reboot."""

from __future__ import annotations

import sys

from tests.practice import PracticeHost

WANTED = ({"192.0.2.10/24", "2001:db8:0:1::10/64"}, {"192.0.2.1", "2001:db8:0:1::1"})


def _has(practice: PracticeHost) -> tuple[set[str], set[str]]:
    kernel = practice.kernel()
    return kernel.addresses("lan0"), kernel.gateways("lan0")


def _keys(practice: PracticeHost, decision: str) -> str:
    command = [sys.executable, "-m", "tests.netns.pilot", str(practice.root), practice.kind, decision]
    return practice.run(*command, timeout=120).stdout


def test_reverted_and_then_kept(practice: PracticeHost) -> None:
    before = _has(practice)
    assert "verified" in _keys(practice, "r")
    assert _has(practice) == before
    _keys(practice, "k")
    assert _has(practice) == WANTED
    practice.reboot()
    assert _has(practice) == WANTED
    status = practice.onsite("status").stdout
    assert "192.0.2.10/24 (console)" in status
    assert "2001:db8:0:1::10/64 (console)" in status
