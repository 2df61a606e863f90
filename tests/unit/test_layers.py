"""VLANs, bonds and bridges in a draft: how they get in and out, what follows from them, what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.models import layers, linkname
from tui.models.facts import Address, Facts, Layer, Link, Owner, Route, link_state_from_dict
from tui.models.host import HostConfig
from tui.models.link import LinkConfig
from tui.models.wrong import Wrong
from tui.services.checks import address
from tui.services.network import stack

ONE, TWO, THREE = "00:00:5e:00:53:01", "00:00:5e:00:53:02", "00:00:5e:00:53:03"


def _card(number: int, mac_: str, **more: Any) -> Link:
    usual: dict[str, Any] = {"admin_up": True, "carrier": True, "operstate": "up", "max_mtu": 9216}
    names: dict[str, Any] = {"name": f"lan{number - 2}", "mac": mac_, "permanent_mac": mac_, "owner": Owner("networkd")}
    return Link(number, **names | usual | more)


LEASED = _card(
    2, ONE, addresses=(Address("192.0.2.10/24"),), routes=(Route("default", "192.0.2.1"),), method4="static",
    method6="off", nameservers=("192.0.2.53",),
)  # fmt: skip
CARDS = Facts(links=(LEASED, _card(3, TWO), _card(4, THREE)))
BONDED = Facts(
    links=(
        _card(2, ONE, master="bond0"), _card(3, TWO, mac=ONE, master="bond0"), _card(4, THREE),
        Link(
            5, "bond0", ONE, kind="bond", layer=Layer("bond", mode="802.3ad", lacp_rate="slow", hash="layer2+3", monitor=100),
            addresses=(Address("192.0.2.10/24"),), routes=(Route("default", "192.0.2.1"),), method4="static",
            method6="off", owner=Owner("networkd"), admin_up=True, carrier=True, partner="00:00:5e:00:53:ff",
        ),
        Link(
            6, "bond0.100", ONE, kind="vlan", layer=Layer("vlan", parent="bond0", vlan=100), owner=Owner("networkd"),
            admin_up=True, carrier=True, method4="off", method6="off",
        ),
    )
)  # fmt: skip
STATIC = {"method": "static", "addresses": ["198.51.100.9/24"]}


def _draft(*links: dict[str, Any], **more: Any) -> HostConfig:
    return HostConfig.model_validate({"links": list(links), **more})


def _codes(config: HostConfig, facts: Facts = CARDS, severity: str = "error") -> set[str]:
    return {i.code for i in address.check(config, facts) if i.severity == severity}


BOND = {"name": "bond0", "bond": {"ports": [ONE, TWO]}, "ipv4": STATIC, "ipv6": {"method": "off"}}
VLAN = {"name": "lan0.7", "vlan": {"parent": ONE, "id": 7}, "ipv4": STATIC, "ipv6": {"method": "off"}}
OFF = {"ipv4": {"method": "off"}, "ipv6": {"method": "off"}}


# --- models ---------------------------------------------------------------------------------------------------------


def test_a_bond_takes_the_address_of_its_port_in_one_change() -> None:
    wish = layers.proposed(HostConfig(), CARDS, "bond", (TWO, ONE))
    config = layers.with_made(HostConfig(), CARDS, wish)
    assert config.links == (wish,)
    assert str(wish.ipv4.addresses[0]) == "192.0.2.10/24"
    assert str(wish.ipv4.gateway) == "192.0.2.1"
    whole = stack.expanded(config, CARDS)
    assert [(w.identity, w.ipv4.method, w.ipv6.method) for w in whole.links] == [
        (ONE, "off", "off"), (TWO, "off", "off"), ("bond0", "static", "off"),
    ]  # fmt: skip
    assert _codes(config) == set()


def test_a_removed_bond_gives_its_address_to_its_first_port() -> None:
    config = layers.without_made(HostConfig(), BONDED, "bond0")
    assert set(config.removed) == {"bond0", "bond0.100"}
    assert [(w.identity, [str(a) for a in w.ipv4.addresses]) for w in config.links] == [
        (ONE, ["192.0.2.10/24"]),
        (TWO, []),
    ]
    assert _codes(config, BONDED) == set()


def test_a_bond_of_the_draft_alone_leaves_nothing_behind() -> None:
    wish = layers.proposed(HostConfig(), CARDS, "bond", (ONE, TWO))
    before = HostConfig().with_link(LinkConfig.from_link(CARDS.links[1]))
    config = layers.with_made(before, CARDS, wish)
    assert config.link(TWO) is not None
    assert layers.without_made(config, CARDS, wish.identity) == HostConfig()


def test_another_name_takes_along_what_stands_on_it() -> None:
    draft = _draft({"name": "bond0.200", "vlan": {"parent": "bond0", "id": 200}, **OFF})
    wish = LinkConfig.model_validate({**BOND, "name": "uplink"})
    config = layers.with_made(draft, BONDED, wish, former="bond0")
    assert config.removed == ("bond0",)
    assert config.links[0].lower == ("uplink",)


def test_what_the_host_speaks_from_moves_along() -> None:
    facts = replace(CARDS, management=ONE)
    config = layers.with_made(HostConfig(), facts, LinkConfig.model_validate(BOND))
    assert config.management == "bond0"
    bonded = replace(BONDED, management="bond0")
    assert layers.without_made(HostConfig(), bonded, "bond0").management == ONE


def test_names_are_free_and_fit() -> None:
    assert layers.free_name(HostConfig(), BONDED, "bond") == "bond1"
    assert layers.vlan_name(HostConfig(), BONDED, "bond0", 100) == "vlan100"
    assert layers.vlan_name(HostConfig(), BONDED, ONE, 100) == "lan0.100"
    long = Facts(links=(Link(2, "enp65s0f0np0abc", ONE, ONE),))
    assert layers.vlan_name(HostConfig(), long, ONE, 100) == "vlan100"


def test_what_a_link_has_makes_a_wish_that_says_the_same() -> None:
    links = {link.name: LinkConfig.from_link(link, BONDED.links) for link in BONDED.links}
    assert links["bond0"].lower == (ONE, TWO)
    assert links["bond0"].bond is not None
    assert (links["bond0"].bond.mode, links["bond0"].bond.hash) == ("802.3ad", "layer2+3")
    assert links["bond0.100"].vlan is not None
    assert (links["bond0.100"].lower, links["bond0.100"].vlan.id) == (("bond0",), 100)
    assert links["lan0"].ipv4.method == "off"
    routed = replace(LEASED, mtu=9000, routes=(*LEASED.routes, Route("198.51.100.0/24", "192.0.2.254", 50)))
    wish = LinkConfig.from_link(routed)
    assert wish.mtu == 9000
    assert [str(r) for r in wish.routes or ()] == ["198.51.100.0/24 via 192.0.2.254 metric 50"]


def test_the_picture_has_lower_links_first() -> None:
    picture = layers.of(HostConfig(), BONDED)
    assert [(n.identity, picture.depth(n)) for n in picture.nodes] == [
        (ONE, 0), (TWO, 0), (THREE, 0), ("bond0", 1), ("bond0.100", 2),
    ]  # fmt: skip
    assert [n.name for n in picture.masters(ONE)] == ["bond0"]
    assert [n.name for n in picture.vlans("bond0")] == ["bond0.100"]
    assert picture.circle == ()


def test_a_journal_of_before_can_be_read() -> None:
    state = link_state_from_dict({"up": True, "mtu": 1500, "addresses": [], "routes": [], "dynamic": []})
    assert state.there
    assert state.layer is None


def test_an_old_document_means_what_it_meant() -> None:
    config = _draft({"mac": ONE, "name": "lan0", "ipv4": STATIC})
    assert config.link(ONE) is not None
    assert "removed" not in config.to_dict()


# ruff: noqa: E501

# --- what is wrong --------------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[HostConfig, Facts, str]] = {
    "a port that is not there": (_draft({**BOND, "bond": {"ports": [ONE, "00:00:5e:00:53:09"]}}), CARDS, "N241"),
    "a parent that is removed": (
        _draft({"name": "bond0.9", "vlan": {"parent": "bond0", "id": 9}, **OFF}, removed=["bond0", "bond0.100"]), BONDED, "N241",
    ),
    "a port of two": (_draft(BOND, {"name": "br0", "bridge": {"ports": [TWO, THREE]}, **OFF}), CARDS, "N242"),
    "a VLAN on a port": (_draft(BOND, {**VLAN, "ipv4": {"method": "off"}}), CARDS, "N243"),
    "one id twice": (_draft({**VLAN, **OFF}, {**VLAN, **OFF, "name": "other"}), CARDS, "N244"),
    "one id twice with what is there": (_draft({"name": "x", "vlan": {"parent": "bond0", "id": 100}, **OFF}), BONDED, "N244"),
    "a bigger MTU than the parent": (_draft({**VLAN, "mtu": 9000}), CARDS, "N245"),
    "a parent that shrinks below": (
        _draft({**VLAN, "mtu": 9000}, {"mac": ONE, **OFF, "mtu": 1400}), CARDS, "N245",
    ),
    "a port that cannot": (_draft({**BOND, "mtu": 9300}), CARDS, "N245"),
    "no port": (_draft({**BOND, "bond": {}}), CARDS, "N247"),
    "a circle": (
        _draft({"name": "a", "bridge": {"ports": ["b"]}, **OFF}, {"name": "b", "vlan": {"parent": "a", "id": 1}, **OFF}),
        CARDS, "N248",
    ),
    "a name that is taken": (_draft({**BOND, "name": "lan2"}), CARDS, "N250"),
    "another port preferred": (_draft({**BOND, "bond": {"ports": [ONE, TWO], "primary": THREE}}), CARDS, "N251"),
    "a bond of a VLAN": (_draft({**BOND, "name": "b1", "bond": {"ports": ["bond0.100"]}}), BONDED, "N252"),
    "a port with an address": (_draft(BOND, {"mac": TWO, "ipv4": STATIC | {"addresses": ["203.0.113.9/24"]}}), CARDS, "N253"),
    "two managers": (
        _draft(BOND), replace(CARDS, links=(LEASED, _card(3, TWO, owner=Owner("NetworkManager")))), "N254",
    ),
    "removing a card": (_draft(removed=["lan0"]), CARDS, "N255"),
    "removing what carries others": (_draft(removed=["bond0"]), BONDED, "N255"),
    "speaking from nowhere": (_draft(management="bond7"), CARDS, "N256"),
    "speaking without an address": (_draft({"mac": ONE, **OFF}, management=ONE), CARDS, "N256"),
    "a route by a stranger": (
        _draft({**BOND, "routes": [{"to": "203.0.113.0/24", "via": "192.0.2.7"}]}), CARDS, "N258",
    ),
    "one route twice": (
        _draft({**BOND, "routes": [{"to": "203.0.113.0/24", "via": "198.51.100.1"}, {"to": "203.0.113.0/24", "via": "198.51.100.2"}]}),
        CARDS, "N258",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_refused(case: str) -> None:
    config, facts, code = WRONG[case]
    assert code in _codes(config, facts), _codes(config, facts)


RIGHT: dict[str, tuple[HostConfig, Facts]] = {
    "bond": (_draft(BOND), CARDS),
    "ports by name": (_draft({**BOND, "bond": {"ports": ["lan0", "lan1"], "primary": "lan1"}}), CARDS),
    "VLAN": (_draft({**VLAN, "ipv4": {"method": "static", "addresses": ["198.51.100.9/24"]}}), CARDS),
    "VLAN on a bond": (_draft(BOND, {"name": "bond0.5", "vlan": {"parent": "bond0", "id": 5}, **OFF}), CARDS),
    "bridge with VLAN": (
        _draft({"name": "br0", "bridge": {"ports": [TWO]}, **OFF}, {"name": "br0.5", "vlan": {"parent": "br0", "id": 5}, **OFF}), CARDS,
    ),
    "MTU on all layers": (
        _draft({**BOND, "mtu": 9000}, {"name": "bond0.5", "vlan": {"parent": "bond0", "id": 5}, **OFF, "mtu": 9000}), CARDS,
    ),
    "a port goes from one bond to another": (
        _draft({"name": "bond0", "bond": {"ports": [ONE]}, **OFF}, {"name": "bond1", "bond": {"ports": [TWO]}, **OFF}), BONDED,
    ),
    "two ids, one route each": (
        _draft({**VLAN, "routes": [{"to": "203.0.113.0/24", "via": "198.51.100.1", "metric": 5}]}), CARDS,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_allowed(case: str) -> None:
    config, facts = RIGHT[case]
    found = [i for i in address.check(config, facts) if i.severity == "error"]
    assert found == []


def test_a_bond_over_one_port_is_explained_and_allowed() -> None:
    config = _draft({**BOND, "bond": {"ports": [ONE]}})
    assert _codes(config) == set()
    assert "N246" in _codes(config, severity="note")


def test_lacp_without_partner_is_named() -> None:
    silent = replace(BONDED, links=tuple(replace(x, partner="") for x in BONDED.links))
    assert "N249" in _codes(HostConfig(), silent, "warning")
    assert "N249" not in _codes(HostConfig(), BONDED, "warning")


def test_the_address_of_a_cluster_node_may_move_to_a_bond() -> None:
    facts = replace(CARDS, cluster_uses_address=True)
    kept = layers.proposed(HostConfig(), facts, "bond", (ONE,))
    assert "N222" not in _codes(layers.with_made(HostConfig(), facts, kept), facts)
    assert "N222" in _codes(_draft(BOND), facts)


# --- names and ids --------------------------------------------------------------------------------------------------


@given(st.text(max_size=20))
def test_a_name_that_passes_is_one_that_the_kernel_takes(text: str) -> None:
    try:
        name = linkname.linkname(text)
    except Wrong:
        return
    assert 0 < len(name.encode()) <= 15
    assert name not in (".", "..")
    assert not any(c in "/:" or c.isspace() for c in name)


@given(
    st.one_of(
        st.text(max_size=40),
        st.from_regex(r"[0-9.]{7,15}/[0-9]{1,2}( via [0-9.]{7,15})?( metric [0-9]{1,4})?"),
        st.from_regex(r"\A10\.[0-9]\.[1-9]\.0/24( via 192\.0\.2\.[1-9])?( metric [1-9]{1,4})?\Z"),
    )
)
def test_a_route_is_a_route_or_a_sentence(text: str) -> None:
    try:
        found = linkname.route(text)
    except Wrong:
        return
    assert linkname.route(str(found)) == found
