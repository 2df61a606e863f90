"""Names bound to cards: what is written and where not, and cards that change names at boot without one getting lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_layer_files import CASES, TWO, facts, planned, written
from tui.models.facts import Facts, Link
from tui.models.host import HostConfig
from tui.services.change import planner
from tui.services.host import Host
from tui.services.network import backends, pin, pin_boot
from tui.services.network.owners import Managers
from tui.services.network.recorded import RecordedKernel

DEFAULT = "/usr/lib/systemd/network/99-default.link"
FILE = "/etc/systemd/network/05-onsite-52-54-00-00-00-02.link"
TAGGED = {"links": [{"mac": TWO, "ipv4": {"method": "static", "addresses": ["198.51.100.20/24"]}}]}


def named(backend: str, by: str) -> Facts:
    seen = facts(backend)
    return replace(seen, links=tuple(replace(x, named_by=by) for x in seen.links))


@pytest.mark.parametrize("backend", ["networkd", "NetworkManager", "direct"])
def test_a_changed_card_keeps_its_name_and_review_says_so(backend: str) -> None:
    plan = planned(backend, TAGGED, named(backend, DEFAULT))
    text = written(plan)[FILE]
    assert f"[Match]\nPermanentMACAddress={TWO}\n" in text
    assert "\nName=lan1\n" in text
    (step,) = [s for s in plan.steps if s.image.path == FILE]
    assert step.volatile is not None
    assert step.volatile.path == "/run/systemd/network/04-onsite-52-54-00-00-00-02.link"
    assert [d.after for d in plan.differences if d.label == "Name follows"] == [f"MAC {TWO}"]
    assert [s.image.path for s in plan.steps if s.link == TWO][-1] != FILE, "the journal knows a link by its own file"


def test_netplan_says_it_in_its_own_words() -> None:
    files = written(planned("netplan", TAGGED, named("netplan", DEFAULT)))
    assert not any(path.endswith(".link") for path in files)
    assert "set-name: lan1" in files["/etc/netplan/90-onsite.yaml"]


def test_only_cards_are_bound() -> None:
    files = written(planned("networkd", CASES["vlan-on-bond"], named("networkd", DEFAULT)))
    assert sorted(p for p in files if p.endswith(".link")) == [
        "/etc/systemd/network/05-onsite-52-54-00-00-00-02.link",
        "/etc/systemd/network/05-onsite-52-54-00-00-00-03.link",
    ]


@pytest.mark.parametrize("by", ["", "/usr/lib/systemd/network/73-usb-net-by-mac.link"])
def test_nothing_is_said_where_udev_is_not_or_names_by_mac_already(by: str) -> None:
    plan = planned("networkd", TAGGED, named("networkd", by))
    assert not any(path.endswith(".link") for path in written(plan))
    assert not [i for i in plan.issues if i.code == "M103"]


def test_the_file_of_somebody_else_stays_and_is_named() -> None:
    plan = planned("networkd", TAGGED, named("networkd", "/etc/systemd/network/10-dmz.link"))
    assert not any(path.endswith(".link") for path in written(plan))
    (issue,) = [i for i in plan.issues if i.code == "M103"]
    assert "/etc/systemd/network/10-dmz.link" in issue.text


def test_two_ports_with_one_mac_are_not_bound() -> None:
    seen = named("networkd", DEFAULT)
    twins = [replace(x, permanent_mac=TWO) if x.name == "lan2" else x for x in seen.links]
    config = HostConfig.model_validate(TAGGED)
    assert not any(s.image.path.endswith(".link") for s in _steps(config, replace(seen, links=tuple(twins))))


def _steps(config: HostConfig, seen: Facts) -> tuple[object, ...]:
    return planner.plan(config, seen, backends()).steps


def test_once_bound_it_is_no_change() -> None:
    seen = named("networkd", DEFAULT)
    first = planned("networkd", TAGGED, seen)
    after = planner._with(seen, next(s.image for s in first.steps if s.image.path == FILE))
    assert FILE not in written(planned("networkd", TAGGED, after))


def test_udev_is_read_from_its_database(tmp_path: Path) -> None:
    card = Link(3, "lan1", TWO, TWO)
    host = Host(tmp_path, RecordedKernel(Facts()))
    assert Managers(host).named_by(card) == ""
    data = tmp_path / "run/udev/data/n3"
    data.parent.mkdir(parents=True)
    data.write_text(f"I:1\nE:ID_NET_LINK_FILE={DEFAULT}\nE:ID_NET_NAME=lan1\n")
    assert Managers(host).named_by(card) == DEFAULT
    assert Managers(host).named_by(replace(card, kind="vlan")) == ""


def test_pins_are_ours_and_those_of_netplan(tmp_path: Path) -> None:
    for path, text in (
        (FILE, pin.render(Link(3, "lan1", TWO, TWO)).decode()),
        ("/run/systemd/network/10-netplan-lan2.link", "[Match]\nMACAddress=52:54:00:AA:00:03\n[Link]\nName=lan2\n"),
        ("/etc/systemd/network/10-dmz.link", "[Match]\nPermanentMACAddress=52:54:00:00:00:04\n[Link]\nName=dmz0\n"),
    ):
        where = tmp_path / path.lstrip("/")
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text)
    assert pin_boot.pins(Host(tmp_path, RecordedKernel(Facts()))) == {TWO: "lan1", "52:54:00:aa:00:03": "lan2"}


# --- at boot ---------------------------------------------------------------------------------------------------------

_NAMES = [f"eth{n}" for n in range(6)]
_MACS = [f"52:54:00:00:00:{n:02x}" for n in range(6)]


def cards(order: list[int], up: list[bool] | None = None) -> list[Link]:
    """The card of each number under the name of its place."""
    ups = up or [False] * len(order)
    return [Link(2 + n, _NAMES[n], _MACS[k], _MACS[k], admin_up=ups[n]) for n, k in enumerate(order)]


def renamed(links: list[Link], steps: list[tuple[int, str]]) -> dict[str, str]:
    """MAC by name after these steps, as the kernel does it: no name twice, none of a card that is up."""
    names = {link.index: link.name for link in links}
    for index, name in steps:
        assert name not in names.values(), f"{name}: File exists"
        assert not next(x for x in links if x.index == index).admin_up, "busy"
        names[index] = name
    return {names[x.index]: x.permanent_mac for x in links}


def test_two_that_have_changed_places_change_names() -> None:
    swapped = cards([1, 0])
    wanted = {_MACS[0]: "eth0", _MACS[1]: "eth1"}
    assert renamed(swapped, pin_boot.renames(swapped, wanted)) == {"eth0": _MACS[0], "eth1": _MACS[1]}


def test_a_new_card_gives_the_name_back_and_gets_the_free_one() -> None:
    found = cards([5, 0])
    assert renamed(found, pin_boot.renames(found, {_MACS[0]: "eth0"})) == {"eth0": _MACS[0], "eth1": _MACS[5]}


def test_nothing_is_done_where_every_name_is_right_or_a_card_is_up() -> None:
    assert pin_boot.renames(cards([0, 1]), {_MACS[0]: "eth0"}) == []
    assert pin_boot.renames(cards([1, 0], [True, False]), {_MACS[0]: "eth0"}) == []


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), unique=True), st.lists(st.booleans(), min_size=6))
def test_whatever_the_order_no_card_loses_its_name(order: list[int], pinned: list[int], up: list[bool]) -> None:
    found = cards(order, up[:6])
    wanted = {_MACS[k]: _NAMES[k] for k in pinned}
    after = renamed(found, pin_boot.renames(found, wanted))
    assert set(after) == set(_NAMES), "six cards, six names"
    if not any(up[:6]):
        assert all(after[name] == mac for mac, name in wanted.items())


@given(st.permutations(range(6)), st.dictionaries(st.sampled_from(_MACS), st.sampled_from([*_NAMES, "lan0", "lan1"])))
def test_pins_that_contradict_each_other_break_nothing(order: list[int], wanted: dict[str, str]) -> None:
    found = cards(order)
    assert len(renamed(found, pin_boot.renames(found, wanted))) == 6
