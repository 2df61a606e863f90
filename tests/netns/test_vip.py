"""The address of a cluster, asked by ARP on real links: taken, free, untried, and answered for by somebody else."""

from __future__ import annotations

import json
import sys
import time

import pytest

from tests.netns.test_probe import EXTRA, stranger
from tests.practice import PracticeHost

ASK = """
import asyncio, json, sys
from ipaddress import IPv4Address
from pathlib import Path
from tui.services import facts
from tui.services.cluster import vip
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
host = Host(Path(sys.argv[1]), NetlinkKernel())
found = asyncio.run(vip.probed(host, facts.read(host), IPv4Address(sys.argv[2])))
print(json.dumps(None if found is None else [found.code, found.severity, found.text, found.remedy]))
"""


def asked(practice: PracticeHost, address: str, *wrap: str) -> list[str] | None:
    began = time.monotonic()
    said = practice.run(*wrap, sys.executable, "-c", ASK, str(practice.root), address).stdout
    assert time.monotonic() - began < 12  # at most two seconds by design, and a start of Python on a busy machine
    found: list[str] | None = json.loads(said)
    return found


@pytest.fixture(scope="module", autouse=True)
def addresses(practice: PracticeHost) -> None:
    for link, address in (("lan0", "192.0.2.10/24"), ("lan2", "198.51.100.10/24")):
        practice.run("ip", "link", "set", link, "up")
        practice.run("ip", "address", "replace", address, "dev", link)


def test_an_address_that_a_neighbour_has(practice: PracticeHost) -> None:
    found = asked(practice, "192.0.2.77")
    assert found is not None
    assert found[:2] == ["K413", "error"]
    assert "00:00:5e:00:53:77" in found[2]
    assert found[3].endswith(".")


def test_a_free_address_raises_no_alarm_in_five_runs(practice: PracticeHost) -> None:
    found = [asked(practice, f"192.0.2.{100 + n}") for n in range(5)]
    print(f"free addresses asked for: {len(found)}, alarms: {sum(f is not None for f in found)}")
    assert found == [None] * 5


def test_our_own_address_is_no_alarm(practice: PracticeHost) -> None:
    assert asked(practice, "192.0.2.10") is None


@pytest.mark.parametrize(
    ("address", "words"),
    [("203.0.113.9", "no interface of this host is in its network"), ("198.51.100.77", "has no cable")],
)
def test_what_cannot_be_tried_is_said(practice: PracticeHost, address: str, words: str) -> None:
    found = asked(practice, address)
    assert found is not None
    assert found[:2] == ["K414", "warning"]
    assert words in found[2]


def test_whoever_answers_for_everybody_is_no_holder(practice: PracticeHost) -> None:
    with stranger(practice, "proxy"):
        practice.run("ip", "address", "replace", "203.0.113.10/24", "dev", "odd0")
        found = asked(practice, "203.0.113.77")
    assert found is not None
    assert found[:2] == ["K414", "warning"]
    assert "answers for every address" in found[2]
    assert EXTRA not in found[2]
