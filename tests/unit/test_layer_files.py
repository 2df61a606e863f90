"""The set of VLANs, bonds and bridges as each backend writes it, against golden files; planned from recorded facts.

Golden files are in golden/layers/BACKEND/CASE: every file of the plan; of netplan one set for each of its renderers. To
write them anew:
`python -m tests.unit.test_layer_files`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tui.models.change import Plan
from tui.models.facts import Address, Facts, FileFact, Layer, Link, Owner, Route
from tui.models.host import HostConfig
from tui.services.change import planner
from tui.services.network import backends

GOLDEN = Path(__file__).parent / "golden/layers"
ONE, TWO, THREE = "52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"
STATIC = {"method": "static", "addresses": ["192.0.2.10/24"], "gateway": "192.0.2.1"}
OFF = {"method": "off"}
BOND = {"name": "bond0", "bond": {"ports": [ONE, TWO]}, "ipv4": STATIC, "ipv6": OFF}
LACP = {"ports": [ONE, TWO], "mode": "802.3ad", "lacp_rate": "fast", "hash": "layer3+4"}
TAGGED = {"method": "static", "addresses": ["198.51.100.10/24"]}
NETPLAN = f"""# by the installer
network:
  version: 2
  ethernets:
    lan0:
      match: {{macaddress: "{ONE}"}}
      set-name: lan0
      addresses: [192.0.2.10/24]
      routes:
      - to: default
        via: 192.0.2.1
"""
CASES: dict[str, dict[str, Any]] = {
    "vlan": {"links": [{"name": "lan1.100", "vlan": {"parent": TWO, "id": 100}, "ipv4": TAGGED, "ipv6": OFF}]},
    "bond-active-backup": {
        "links": [{**BOND, "bond": {"ports": [TWO, THREE], "primary": THREE}, "ipv4": TAGGED}],
    },
    "bond-balance-xor": {
        "links": [{**BOND, "bond": {"ports": [TWO, THREE], "mode": "balance-xor", "hash": "layer3+4"}, "ipv4": TAGGED}],
    },
    "bond-balance-alb": {"links": [{**BOND, "bond": {"ports": [TWO, THREE], "mode": "balance-alb"}, "ipv4": TAGGED}]},
    "bond-802.3ad": {"links": [{**BOND, "bond": LACP | {"ports": [TWO, THREE]}, "ipv4": TAGGED}]},
    "vlan-on-bond": {
        "links": [
            {**BOND, "bond": LACP | {"ports": [TWO, THREE]}, "ipv4": OFF},
            {"name": "bond0.100", "vlan": {"parent": "bond0", "id": 100}, "ipv4": TAGGED, "ipv6": OFF},
        ]
    },
    "bridge-with-vlan": {
        "links": [
            {"name": "lan1.7", "vlan": {"parent": TWO, "id": 7}, "ipv4": OFF, "ipv6": OFF},
            {"name": "br0", "bridge": {"ports": ["lan1.7", THREE]}, "ipv4": TAGGED, "ipv6": OFF},
        ]
    },
    "address-from-port-to-bond": {"links": [BOND], "management": "bond0"},
    "static-route": {
        "links": [
            {
                "mac": ONE, "name": "lan0", "ipv4": STATIC, "ipv6": OFF,
                "routes": [{"to": "203.0.113.0/24", "via": "192.0.2.254", "metric": 50}, {"to": "198.51.100.0/24"}],
            }
        ]
    },
    "mtu-on-all-layers": {
        "links": [
            {**BOND, "bond": LACP, "mtu": 9000},
            {"name": "bond0.100", "vlan": {"parent": "bond0", "id": 100}, "ipv4": TAGGED, "ipv6": OFF, "mtu": 8000},
        ]
    },
}  # fmt: skip
OWNERS = {
    "networkd": Owner("networkd", config="/etc/systemd/network/10-lan0.network"),
    "netplan": Owner("netplan", config="/etc/netplan/50-installer.yaml"),
    "netplan-NetworkManager": Owner("netplan", config="/etc/netplan/50-installer.yaml"),
    "NetworkManager": Owner("NetworkManager"),
    "direct": Owner("direct"),
}


def facts(backend: str) -> Facts:
    """Three cards: one with the address, two that nobody has configured."""
    free = replace(OWNERS[backend], config="")
    cards = tuple(
        Link(
            n + 2, f"lan{n}", mac, mac, admin_up=True, carrier=True, operstate="up", max_mtu=9216,
            owner=OWNERS[backend] if n == 0 else free,
        )
        for n, mac in enumerate((ONE, TWO, THREE))
    )  # fmt: skip
    first = replace(
        cards[0], addresses=(Address("192.0.2.10/24", "console"),), routes=(Route("default", "192.0.2.1"),),
        method4="static", method6="off",
    )  # fmt: skip
    text = NETPLAN if backend == "netplan" else NETPLAN.replace("version: 2", "version: 2\n  renderer: NetworkManager")
    planned = OWNERS[backend].backend == "netplan"
    files = (FileFact("/etc/netplan/50-installer.yaml", "x", text, 0o600),) if planned else ()
    return Facts(links=(first, *cards[1:]), files=files)


def planned(backend: str, document: dict[str, Any], seen: Facts | None = None) -> Plan:
    plan = planner.plan(HostConfig.model_validate(document), seen or facts(backend), backends())
    assert plan.errors == (), plan.errors
    return plan


def written(plan: Plan) -> dict[str, str]:
    steps = [step for step in plan.steps if step.image.path != "/etc/resolv.conf"]
    return {step.image.path: (step.image.content or b"").decode() for step in steps}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", OWNERS)
def test_files_are_the_golden_ones(backend: str, case: str) -> None:
    files = written(planned(backend, CASES[case]))
    folder = GOLDEN / backend / case
    assert files, "a plan writes something"
    assert {p.rpartition("/")[2]: t for p, t in files.items()} == {f.name: f.read_text() for f in folder.iterdir()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", OWNERS)
def test_what_is_written_is_no_change_any_more(backend: str, case: str) -> None:
    seen = facts(backend)
    plan = planned(backend, CASES[case], seen)
    after = {f.path: f for f in seen.files}
    for step in plan.steps:
        text = step.image.content.decode() if step.image.content is not None else None
        after[step.image.path] = FileFact(step.image.path, step.image.sha256, text, target=step.image.target)
    states = dict(plan.wanted)
    there = [replace(x, master=states[x.identity].master) if x.identity in states else x for x in seen.links]
    for number, (identity, state) in enumerate(states.items()):
        if state.layer is not None:
            owner = seen.links[1].owner
            if owner.backend == "netplan":
                owner = replace(owner, config="/etc/netplan/90-onsite.yaml")
            link = Link(9 + number, identity, ONE, kind=state.layer.kind, layer=state.layer, mtu=state.mtu, owner=owner)
            there.append(replace(link, admin_up=True, carrier=True, max_mtu=65535))
    if OWNERS[backend].backend == "netplan":  # every card has a definition now
        own = Owner("netplan", config="/etc/netplan/90-onsite.yaml")
        there = [replace(x, owner=own) if x.name != "lan0" else x for x in there]
    again = replace(
        seen, links=tuple(there), files=tuple(after.values()), management=str(CASES[case].get("management", ""))
    )
    left = written(planner.plan(HostConfig.model_validate(CASES[case]), again, backends()))
    assert left == {}


@pytest.mark.parametrize("backend", OWNERS)
def test_the_states_that_are_wanted(backend: str) -> None:
    plan = planned(backend, CASES["mtu-on-all-layers"])
    states = dict(plan.wanted)
    lacp = Layer("bond", mode="802.3ad", lacp_rate="fast", hash="layer3+4", monitor=100)
    assert states["bond0"].layer == lacp
    assert (states[ONE].master, states[TWO].master) == ("bond0", "bond0")
    assert states["bond0.100"].layer == Layer("vlan", parent="bond0", vlan=100)
    sizes = {identity: state.mtu for identity, state in states.items()}
    assert sizes == {ONE: 9000, TWO: 9000, "bond0": 9000, "bond0.100": 8000}
    assert list(states) == [ONE, TWO, "bond0", "bond0.100"], "lower links first"
    assert all(OWNERS[backend].backend == name for _, name in plan.links)


def test_one_change_moves_the_address_and_says_so() -> None:
    plan = planned("networkd", CASES["address-from-port-to-bond"])
    words = {f"{d.subject} {d.label}: {d.before} -> {d.after}" for d in plan.differences}
    assert "bond0 Bond: none -> active-backup of lan0, lan1" in words
    assert "lan0 Port of: none -> bond0" in words
    assert "lan0 IPv4 address: 192.0.2.10/24 -> none" in words
    assert "bond0 IPv4 address: none -> 192.0.2.10/24" in words
    assert "Host Speaks from: the way out -> bond0" in words


def test_a_session_on_the_port_is_warned_of_the_move_of_its_address() -> None:
    seen = replace(facts("networkd"), session_address="192.0.2.10")
    assert "which moves to bond0" in planned("networkd", CASES["address-from-port-to-bond"], seen).cuts_session


def test_a_vlan_of_networkd_stands_in_the_file_of_its_parent() -> None:
    parent = written(planned("networkd", CASES["vlan"]))["/etc/systemd/network/05-onsite-lan1.network"]
    assert "VLAN=lan1.100" in parent


def test_a_removed_link_takes_its_files_along_at_once() -> None:
    for backend in OWNERS:
        seen = facts(backend)
        plan = planned(backend, CASES["vlan"], seen)
        name = OWNERS[backend].backend
        owner = Owner(name, config="/etc/netplan/90-onsite.yaml" if name == "netplan" else "")
        vlan = Link(9, "lan1.100", TWO, kind="vlan", layer=Layer("vlan", "lan1", 100), owner=owner, admin_up=True)
        made = [FileFact(s.image.path, s.image.sha256, (s.image.content or b"").decode()) for s in plan.steps]
        cards = [replace(x, owner=owner) if x.name == "lan1" else x for x in seen.links]
        there = replace(seen, links=(*cards, vlan), files=(*seen.files, *made))
        gone = planner.plan(HostConfig.model_validate({"removed": ["lan1.100"]}), there, backends())
        assert gone.errors == ()
        mine = [s for s in gone.steps if s.link == "lan1.100"]
        assert mine, backend
        for step in mine:
            text = (step.image.content or b"").decode()
            assert "lan1.100" not in text
            assert step.volatile is None or name == "netplan"
        assert dict(gone.wanted)["lan1.100"].there is False


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", [name for name, owner in OWNERS.items() if owner.backend == "netplan"])
def test_netplan_files_can_be_read(backend: str, case: str) -> None:
    for path, text in written(planned(backend, CASES[case])).items():
        if path.endswith(".yaml"):
            assert yaml.safe_load(text)["network"]["version"] == 2, path


@pytest.mark.parametrize("backend", OWNERS)
def test_planning_costs_milliseconds(backend: str) -> None:
    """Counted against something that this machine does at the same moment, so that a busy one counts for both."""
    seen = facts(backend)
    config = HostConfig.model_validate(CASES["mtu-on-all-layers"])
    known = backends()
    planner.plan(config, seen, known)
    ratios = []
    for _ in range(5):
        begin = time.process_time()
        planner.plan(config, seen, known)
        middle = time.process_time()
        sum(range(2_000_000))  # 20 ms of this machine where it was written
        ratios.append((middle - begin) / (time.process_time() - middle))
    print(f"planning for {backend}: {min(ratios):.2f} of the time of two million additions")
    assert min(ratios) < 2


def main() -> None:
    for backend in OWNERS:
        for case, document in CASES.items():
            folder = GOLDEN / backend / case
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.iterdir():
                old.unlink()
            for path, text in written(planned(backend, document)).items():
                (folder / path.rpartition("/")[2]).write_text(text)


if __name__ == "__main__":
    main()
