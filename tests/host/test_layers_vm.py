"""VLANs, bonds and bridges with every manager, on a machine with a kernel and a disk of its own that loses its power.

Not kept: back to the former devices and none left over, by Revert and by the cut; kept: there after the cut; removed:
none left. lan4 and lan5 lead to a switch that speaks LACP, so a bond in that mode has a partner and is asked for an
answer. What is there is asked of iproute2. `ONSITE_FULL=1` (`make layers-full`) tries every case with every manager and
writes docs/measured/layers.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.host import guest
from tests.host.box import wait_for
from tests.host.guest import Guest
from tests.host.managers import MANAGERS, Manager, boot, use
from tests.practice import Kernel
from tools.environment import ROOT

FULL = bool(os.environ.get("ONSITE_FULL"))
pytestmark = pytest.mark.timeout(3600)
LAN0, LAN1, LAN4, LAN5 = (f"00:00:5e:00:53:{n}" for n in (10, 11, 14, 15))
OFF = {"method": "off"}
MADE = ("vlan", "bond", "bridge")


def static(address: str, **more: str) -> dict[str, Any]:
    return {"ipv4": {"method": "static", "addresses": [address], **more}, "ipv6": OFF}


FORMER = [
    {"mac": LAN0, "name": "lan0", **static("192.0.2.10/24", gateway="192.0.2.1")},
    {"mac": LAN4, "name": "lan4", **static("198.51.100.10/24")},
]
LACP = {"ports": [LAN4, LAN5], "mode": "802.3ad", "lacp_rate": "fast", "hash": "layer3+4"}


@dataclass(frozen=True, slots=True)
class Case:
    """What is wished, and what the kernel shall show of it.

    Attributes:
        made: kind and address by the name of each link that is made; "" for none.
        ports: master by port.
        says: texts by (link, key of its linkinfo).
        answers: an address that has to answer.
    """

    links: tuple[dict[str, Any], ...]
    made: dict[str, tuple[str, str]]
    ports: dict[str, str]
    says: dict[tuple[str, str], Any]
    answers: str = ""
    mtu: int = 1500


CASES = {
    "VLAN": Case(
        ({"name": "lan4.20", "vlan": {"parent": LAN4, "id": 20}, **static("203.0.113.10/24")},),
        {"lan4.20": ("vlan", "203.0.113.10/24")}, {}, {("lan4.20", "id"): 20},
    ),
    "bond, active-backup": Case(
        ({"name": "bond0", "bond": {"ports": [LAN4, LAN5], "primary": LAN5}, **static("198.51.100.10/24")},),
        {"bond0": ("bond", "198.51.100.10/24")}, {"lan4": "bond0", "lan5": "bond0"},
        {("bond0", "mode"): "active-backup", ("bond0", "primary"): "lan5"},
    ),
    "bond, balance-alb": Case(
        ({"name": "bond0", "bond": {"ports": [LAN4, LAN5], "mode": "balance-alb"}, **static("198.51.100.10/24")},),
        {"bond0": ("bond", "198.51.100.10/24")}, {"lan4": "bond0", "lan5": "bond0"}, {("bond0", "mode"): "balance-alb"},
    ),
    "bond, 802.3ad": Case(
        ({"name": "bond0", "bond": LACP, **static("198.51.100.10/24")},),
        {"bond0": ("bond", "198.51.100.10/24")}, {"lan4": "bond0", "lan5": "bond0"},
        {
            ("bond0", "mode"): "802.3ad", ("bond0", "ad_lacp_rate"): "fast",
            ("bond0", "xmit_hash_policy"): "layer3+4",
        },
        "198.51.100.1",
    ),
    "VLAN on bond": Case(
        (
            {"name": "bond0", "bond": LACP, "ipv4": OFF, "ipv6": OFF},
            {"name": "bond0.20", "vlan": {"parent": "bond0", "id": 20}, **static("203.0.113.10/24")},
        ),
        {"bond0": ("bond", ""), "bond0.20": ("vlan", "203.0.113.10/24")}, {"lan4": "bond0", "lan5": "bond0"},
        {("bond0", "mode"): "802.3ad", ("bond0.20", "id"): 20}, "203.0.113.1",
    ),
    "bridge with VLAN": Case(
        (
            {"name": "lan5.7", "vlan": {"parent": LAN5, "id": 7}, "ipv4": OFF, "ipv6": OFF},
            {"name": "br0", "bridge": {"ports": ["lan5.7", LAN1]}, **static("203.0.113.10/24")},
        ),
        {"lan5.7": ("vlan", ""), "br0": ("bridge", "203.0.113.10/24")}, {"lan5.7": "br0", "lan1": "br0"},
        {("br0", "stp_state"): 1, ("lan5.7", "id"): 7},
    ),
    "address from port to bond": Case(
        ({"name": "bond0", "bond": {"ports": [LAN0]}, **static("192.0.2.10/24", gateway="192.0.2.1")},),
        {"bond0": ("bond", "192.0.2.10/24")}, {"lan0": "bond0"}, {("bond0", "mode"): "active-backup"}, "192.0.2.1",
    ),
    "MTU on all layers": Case(
        (
            {"name": "bond0", "bond": LACP, "ipv4": OFF, "ipv6": OFF, "mtu": 9000},
            {"name": "bond0.20", "vlan": {"parent": "bond0", "id": 20}, **static("203.0.113.10/24"), "mtu": 9000},
        ),
        {"bond0": ("bond", ""), "bond0.20": ("vlan", "203.0.113.10/24")}, {"lan4": "bond0", "lan5": "bond0"},
        {("bond0", "mode"): "802.3ad"}, "203.0.113.1", 9000,
    ),
}  # fmt: skip
TRIED = [(manager, case) for manager in MANAGERS for case in CASES] if FULL else [("networkd", "VLAN on bond")]
_ABOUT = """# VLANs, bonds and bridges under each manager of a network

`python3 dev.py layers-full` on commit {commit}, {day}: Debian 12 (systemd 252, netplan 0.106, NetworkManager 1.42) in a
machine with a kernel and a disk of its own; two ports lead to a switch that speaks LACP. For each pair: applied, looked
at, taken back; applied, power cut before Keep; applied, kept, power cut; removed, kept, power cut. Looked at is the
kernel by iproute2: the devices and what they are, their ports, MTU and addresses, and that none is left over; where the
switch has an address it has to answer, and a bond with LACP has to have it for a partner on both ports.

kept: there after a power cut, of 1. not kept: the former devices and none left over, of 2 (Revert, power cut).
removed: none left after a power cut, of 1.

"""
counts: dict[tuple[str, str], dict[str, int]] = {}
"""What was seen, by manager and case: the table."""


@pytest.fixture(scope="module")
def machine() -> Iterator[Guest]:
    if why := guest.missing():
        pytest.skip(why)
    with Guest() as booted:
        yield booted
    if FULL and set(counts) == set(TRIED):  # a part must not take the place of the whole
        _write_table()


def former(kernel: Kernel) -> bool:
    """The former devices with their addresses, and none left over."""
    return (
        not any(link.get("linkinfo", {}).get("info_kind") in MADE for link in kernel.links)
        and not any(link.get("master") for link in kernel.links)
        and kernel.addresses("lan0") == {"192.0.2.10/24"}
        and kernel.gateways("lan0") == {"192.0.2.1"}
        and kernel.addresses("lan4") == {"198.51.100.10/24"}
        and kernel.link("lan4")["mtu"] == 1500
    )


def wished(kernel: Kernel, case: Case) -> bool:
    found = {link["ifname"]: link for link in kernel.links}
    made = {n: x for n, x in found.items() if x.get("linkinfo", {}).get("info_kind") in MADE}
    sized = [*case.made, *(case.ports if case.mtu != 1500 else ())]
    return (
        {n: x["linkinfo"]["info_kind"] for n, x in made.items()} == {n: kind for n, (kind, _) in case.made.items()}
        and {n: x["master"] for n, x in found.items() if x.get("master")} == case.ports
        and all(found[n]["linkinfo"]["info_data"].get(key) == value for (n, key), value in case.says.items())
        and all(kernel.addresses(n) == ({address} if address else set()) for n, (_, address) in case.made.items())
        and not any(kernel.addresses(n) for n in case.ports)
        and all(found[n]["mtu"] == case.mtu for n in sized)
    )


def left(machine: Guest, manager: Manager) -> list[str]:
    """Files of ours in the volatile layer, and a journal: nothing while no change is pending."""
    pattern = "*" if manager.backend == "netplan" else "*onsite*"
    folder = f"/{manager.volatile}"
    found = machine.run("find", folder, "-type", "f", "-name", pattern, check=False).stdout.split()
    return found + machine.run("find", "/var/lib/onsite", "-name", "pending.json", check=False).stdout.split()


@pytest.mark.parametrize(("name", "case"), TRIED)
def test_kept_not_kept_and_removed(machine: Guest, name: str, case: str) -> None:
    manager, wish = MANAGERS[name], CASES[case]
    seen = counts[name, case] = dict.fromkeys(("kept", "not kept", "removed"), 0)

    def so(what: str, true: Callable[[Kernel], bool]) -> None:
        last: list[Kernel] = []

        def look() -> bool:
            last[:] = [machine.kernel()]
            return true(last[0])

        try:
            wait_for(what, look, 60)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{_more(machine)}") from None

    def apply(*links: dict[str, Any], **more: Any) -> None:
        machine.write("/root/wish.yaml", json.dumps({"version": 1, "links": list(links), **more}))
        done = machine.run(
            "onsite", "apply", "/root/wish.yaml", "--keep-within", "300", "--yes-warnings", check=False, timeout=200
        )
        assert done.returncode == 0, done.stdout + done.stderr + _more(machine)

    def verb(word: str) -> None:
        done = machine.run("onsite", word, check=False, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr + _more(machine)
        assert left(machine, manager) == []

    use(machine, manager)
    apply(*FORMER)
    verb("keep")
    so("the former addresses", former)

    apply(*wish.links)
    so(f"{case}, waiting", lambda k: wished(k, wish))
    if wish.answers:
        wait_for(f"an answer of {wish.answers}", lambda: _answers(machine, wish), 60)
    verb("revert")
    so(f"{case}, taken back", former)
    seen["not kept"] += 1
    apply(*wish.links)
    boot(machine, manager)
    so(f"{case}, power cut before Keep", former)
    assert left(machine, manager) == []
    seen["not kept"] += 1

    apply(*wish.links)
    verb("keep")
    so(f"{case}, kept", lambda k: wished(k, wish))
    boot(machine, manager)
    so(f"{case}, after a power cut", lambda k: wished(k, wish))
    if wish.answers:
        wait_for(f"an answer of {wish.answers} after a power cut", lambda: _answers(machine, wish), 60)
    seen["kept"] += 1

    apply(*FORMER, removed=list(wish.made))
    so(f"{case}, removed", former)
    verb("keep")
    so(f"{case}, removed for good", former)
    boot(machine, manager)
    so(f"{case}, removed, after a power cut", former)
    seen["removed"] += 1
    print(f"layers, {name}: {case}: {seen}")


def _answers(machine: Guest, wish: Case) -> bool:
    """The far end answers, and a bond with LACP has a partner."""
    if ("bond0", "mode") in wish.says and wish.says["bond0", "mode"] == "802.3ad":
        info = machine.kernel().link("bond0")["linkinfo"]["info_data"]["ad_info"]
        if info["partner_mac"] == "00:00:00:00:00:00" or info["num_ports"] != 2:
            return False
    return machine.run("ping", "-c", "1", "-W", "1", wish.answers, check=False).returncode == 0


def _more(machine: Guest) -> str:
    """What a failure is understood by."""
    script = (
        "ip -d link; ip addr; ip route; ls -l /etc/systemd/network /run/systemd/network; journalctl -n 60 --no-pager"
    )
    return machine.run("sh", "-c", script, check=False).stdout


def _write_table() -> None:
    """What was seen in this run; a pair that failed on its way says so."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    text = _ABOUT.format(commit=commit.strip(), day=time.strftime("%Y-%m-%d"))
    lines = [*text.splitlines(), f"| | {' | '.join(MANAGERS)} |", "| --- |" + " --- |" * len(MANAGERS)]
    for case in CASES:
        cells = [", ".join(f"{what} {n}" for what, n in counts[manager, case].items()) for manager in MANAGERS]
        lines.append(f"| {case} | {' | '.join(cells)} |")
    (ROOT / "docs/measured/layers.md").write_text("\n".join([*lines, ""]), encoding="utf-8")
