"""Definitions in netplan files: golden ones, and that a file of somebody else keeps all but the one definition."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_networkd import CARD, VETH, WISHES, _config
from tui.models.facts import Facts, FileFact, Owner
from tui.models.host import HostConfig
from tui.services.change import planner
from tui.services.network.netplan import Netplan
from tui.services.network.netplan_yaml import MARK, edited, set_by_onsite

GOLDEN = Path(__file__).parent / "data/netplan"
CLOUD = """# This file is generated from information provided by the datasource.
network:
    version: 2
    ethernets:
        lan1:           # the other one
            dhcp4: true
        lan0:
            # from the provider
            addresses:
            - 192.0.2.44/24
            dhcp4: false
            routes:
            -   to: default
                via: 192.0.2.1
            -   to: 198.51.100.0/24
                via: 192.0.2.9
            wakeonlan: true
        # lan2 is for later
        lan3: {dhcp4: true}
    vlans: {}
"""
PATH = "/etc/netplan/50-cloud-init.yaml"
STATIC: dict[str, Any] = {"ipv4": {"method": "static", "addresses": ["192.0.2.50/24"], "gateway": "192.0.2.2"}}


def _facts(text: str = CLOUD, *names: str) -> Facts:
    owner = Owner("netplan", True, "", PATH)
    links = [replace(VETH, owner=owner)]
    links += [
        replace(VETH, index=9, name=name, mac=f"00:00:5e:00:53:{n}1", owner=owner) for n, name in enumerate(names)
    ]
    import hashlib

    file = FileFact(PATH, hashlib.sha256(text.encode()).hexdigest(), text, 0o640, 0, 7)
    return Facts(links=tuple(links), files=(file,))


@pytest.mark.parametrize("name", WISHES)
def test_file_of_our_own_is_the_golden_one(name: str) -> None:
    link, wish = WISHES[name]
    image = Netplan().kept(_config(link, wish), link, Facts())
    assert (image.path, image.mode) == ("/etc/netplan/90-onsite.yaml", 0o600)
    assert (image.content or b"").decode() == (GOLDEN / f"{name}.yaml").read_text()


def test_file_of_another_keeps_all_but_the_definition() -> None:
    facts = _facts()
    link = facts.links[0]
    kept, volatile = (layer(_config(link, STATIC), link, facts) for layer in (Netplan().kept, Netplan().volatile))
    assert (kept.path, volatile.path) == (PATH, "/run/netplan/50-cloud-init.yaml")
    assert kept.content == volatile.content
    assert (kept.mode, kept.gid) == (0o640, 7)
    text = (kept.content or b"").decode()
    before, after = CLOUD.splitlines(), text.splitlines()
    assert after[:7] == before[:7]
    assert after[-3:] == before[-3:]
    assert MARK in text
    said = yaml.safe_load(text)["network"]["ethernets"]["lan0"]
    assert said["addresses"] == ["192.0.2.50/24"]
    assert said["wakeonlan"] is True
    assert said["routes"] == [
        {"to": "198.51.100.0/24", "via": "192.0.2.9"},
        {"to": "default", "via": "192.0.2.2"},
    ]
    assert {(r.destination, r.gateway) for r in Netplan().wanted(_config(link, STATIC), link, facts).routes} == {
        ("default", "192.0.2.2"),
        ("198.51.100.0/24", "192.0.2.9"),
    }


def test_the_same_wish_twice_is_no_change() -> None:
    facts = _facts()
    link = facts.links[0]
    once = (Netplan().kept(_config(link, STATIC), link, facts).content or b"").decode()
    again = Netplan().kept(_config(link, STATIC), link, _facts(once)).content
    assert again == once.encode()
    assert set_by_onsite(once, "lan0")
    assert not set_by_onsite(once, "lan1")
    assert not set_by_onsite(CLOUD, "lan0")


def test_two_links_of_one_file_are_one_step() -> None:
    facts = _facts(CLOUD, "lan1")
    links = [{"mac": link.identity, **STATIC} for link in facts.links]
    links[1] = {"mac": facts.links[1].identity, "ipv4": {"method": "static", "addresses": ["198.51.100.9/24"]}}
    plan = planner.plan(HostConfig.model_validate({"links": links}), facts, {"netplan": Netplan()})
    (step,) = plan.steps
    said = yaml.safe_load(step.image.content or b"")["network"]["ethernets"]
    assert said["lan0"]["addresses"] == ["192.0.2.50/24"]
    assert said["lan1"]["addresses"] == ["198.51.100.9/24"]
    assert step.volatile is not None
    assert step.volatile.content == step.image.content
    assert step.before_hash == facts.files[0].sha256
    assert len(plan.links) == len(plan.wanted) == 2


def test_a_definition_by_networkmanager_gives_up_what_it_passes_through() -> None:
    text = yaml.safe_dump(
        {"network": {"ethernets": {"NM-1": {
            "match": {"name": "lan0"}, "renderer": "NetworkManager",
            "networkmanager": {"uuid": "1", "passthrough": {"ipv4.method": "auto", "connection.zone": "dmz"}},
        }}}}
    )  # fmt: skip
    facts = _facts(text)
    image = Netplan().kept(_config(facts.links[0], STATIC), facts.links[0], facts)
    said = yaml.safe_load(image.content or b"")["network"]["ethernets"]["NM-1"]
    assert said["networkmanager"] == {"uuid": "1", "passthrough": {"connection.zone": "dmz"}}
    assert said["match"] == {"name": "lan0"}


names = st.text("abc0:#' -é", min_size=1, max_size=6)
leaves = st.none() | st.booleans() | st.integers() | st.text("ab:#'\"{} \n-é", max_size=8)
values = st.recursive(leaves, lambda x: st.lists(x, max_size=3) | st.dictionaries(names, x, max_size=3), max_leaves=8)
bodies = st.dictionaries(names, values, max_size=3)


@given(st.dictionaries(names, bodies, min_size=1, max_size=3), st.data(), bodies, st.sampled_from([True, False, None]))
def test_any_file_means_the_same_but_for_the_definition(
    others: dict[str, Any], data: st.DataObject, new: dict[str, Any], flow: bool | None
) -> None:
    document = {"network": {"version": 2, "ethernets": others, "vlans": {"v": {"id": 3}}}}
    text = yaml.safe_dump(document, default_flow_style=flow, sort_keys=False, allow_unicode=True)
    name = data.draw(st.sampled_from(sorted(others)) | names)
    document["network"]["ethernets"] = others | {name: new}
    assert yaml.safe_load(edited(text, "ethernets", name, new)) == document


@pytest.mark.parametrize("written", ["password: hunter2", '{auth: {key-management: psk, password: "hun}ter2, x"}}',
                                     "{a: b, 'password': 'hunter2'}", "{password: hunter2}"])  # fmt: skip
def test_passwords_of_wireless_networks_are_no_facts_to_send(written: str) -> None:
    from tui.models.masking import masked

    assert yaml.safe_load(written)
    assert "ter2" not in masked(f"        {written}\n")


def test_card_is_bound_by_its_permanent_mac_and_keeps_its_name() -> None:
    said = yaml.safe_load(Netplan().kept(_config(CARD, {}), CARD, Facts()).content or b"")
    assert said["network"]["ethernets"]["enp1s0"]["match"] == {"macaddress": CARD.permanent_mac}
    assert said["network"]["ethernets"]["enp1s0"]["set-name"] == "enp1s0"
