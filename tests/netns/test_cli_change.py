"""The headless twin on real links: plan, apply, keep, revert, history, export, and what each exits with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.practice import PracticeHost

LAN0 = "00:00:5e:00:53:10"
STATIC = f"""\
version: 1
links:
- mac: {LAN0}
  name: lan0
  ipv4: {{method: static, addresses: [192.0.2.10/24], gateway: 192.0.2.1}}
  ipv6: {{method: static, addresses: ["2001:db8:0:1::10/64"], gateway: "2001:db8:0:1::1"}}
  nameservers: [192.0.2.1, 192.0.2.2]
"""


@pytest.fixture
def fresh(practice: PracticeHost) -> PracticeHost:
    """The practice host with nothing pending and lan0 as after the factory."""
    practice.onsite("revert", check=False)
    for folder in ("etc/onsite/links", "var/lib/onsite/history"):
        for file in (practice.root / folder).glob("*"):
            file.unlink()
    practice.reboot()
    return practice


@pytest.fixture
def static(tmp_path: Path) -> Path:
    file = tmp_path / "static.yaml"
    file.write_text(STATIC)
    return file


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.1)


def test_apply_and_keep(fresh: PracticeHost, static: Path) -> None:
    applied = fresh.onsite("apply", str(static), "--yes-warnings")
    assert "onsite keep" in applied.stdout
    waiting = json.loads(fresh.onsite("status", "--json").stdout)["pending"]
    assert waiting["phase"] == "waiting"
    assert 0 < waiting["left"] <= 120
    assert fresh.kernel().addresses("lan0") == {"192.0.2.10/24", "2001:db8:0:1::10/64"}
    assert not list((fresh.root / "etc/onsite/links").glob("*.yaml")), "nothing is kept before Keep"

    assert fresh.onsite("keep", waiting["id"]).stdout.startswith("Kept.")
    assert fresh.kernel().gateways("lan0") == {"192.0.2.1", "2001:db8:0:1::1"}
    said = json.loads(fresh.onsite("status", "--json").stdout)
    link = next(link for link in said["links"] if link["name"] == "lan0")
    assert said["pending"] is None
    assert {a["address"]: a["origin"] for a in link["addresses"]}["192.0.2.10/24"] == "console"

    assert fresh.onsite("plan", str(static)).stdout == "Nothing would change.\n"
    assert "Nothing has to change." in fresh.onsite("apply", str(static)).stdout
    history = json.loads(fresh.onsite("history", "--json").stdout)
    assert [(entry["result"], entry["change"]) for entry in history] == [("kept", waiting["id"])]
    exported = yaml.safe_load(fresh.onsite("export").stdout)
    mine = next(link for link in exported["links"] if link["mac"] == LAN0)
    assert mine["ipv4"] == {"method": "static", "addresses": ["192.0.2.10/24"], "gateway": "192.0.2.1"}

    fresh.onsite("revert", "--last")
    fresh.onsite("keep")
    assert fresh.kernel().addresses("lan0") == set()


def test_a_second_apply_while_one_waits_is_3(fresh: PracticeHost, static: Path) -> None:
    fresh.onsite("apply", str(static), "--yes-warnings")
    static.write_text(STATIC.replace("192.0.2.10", "192.0.2.11"))
    second = fresh.onsite("apply", str(static), "--yes-warnings", check=False)
    assert (second.returncode, second.stderr.partition(" ")[0]) == (3, "C101")
    assert "192.0.2.10/24" in fresh.kernel().addresses("lan0")
    assert "verified" in fresh.onsite("revert").stdout
    assert fresh.kernel().addresses("lan0") == set()


def test_nobody_keeps_it(fresh: PracticeHost, static: Path) -> None:
    fresh.onsite("apply", str(static), "--yes-warnings", "--keep-within", "5")
    assert fresh.kernel().addresses("lan0")
    wait_for(lambda: json.loads(fresh.onsite("status", "--json").stdout)["pending"] is None)
    assert fresh.kernel().addresses("lan0") == set()
    assert "reverted" in fresh.onsite("history").stdout
    late = fresh.onsite("keep", check=False)
    assert (late.returncode, late.stderr.partition(" ")[0]) == (1, "C108")


def test_keep_names_another_change(fresh: PracticeHost, static: Path) -> None:
    fresh.onsite("apply", str(static), "--yes-warnings")
    other = fresh.onsite("keep", "00000000", check=False)
    assert (other.returncode, other.stderr.partition(" ")[0]) == (1, "C108")
    fresh.onsite("revert")


def test_a_warning_stops_apply_until_it_is_accepted(fresh: PracticeHost, static: Path) -> None:
    static.write_text(STATIC.replace(LAN0, "00:00:5e:00:53:12").replace("lan0", "lan2"))  # no carrier
    stopped = fresh.onsite("apply", str(static), check=False)
    assert stopped.returncode == 1
    assert "--yes-warnings" in stopped.stdout
    assert json.loads(fresh.onsite("status", "--json").stdout)["pending"] is None
    fresh.onsite("apply", str(static), "--yes-warnings")
    fresh.onsite("revert")


def test_recover_with_nothing_to_do(fresh: PracticeHost) -> None:
    assert fresh.onsite("recover").stdout == "Nothing was interrupted.\n"


def test_recover_after_a_power_cut(fresh: PracticeHost, static: Path) -> None:
    fresh.onsite("apply", str(static), "--yes-warnings")
    fresh.reboot()
    assert json.loads(fresh.onsite("status", "--json").stdout)["pending"] is None
    assert fresh.kernel().addresses("lan0") == set()
    assert "reverted" in fresh.onsite("history").stdout
