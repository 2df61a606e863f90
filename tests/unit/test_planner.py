"""What Review says: in words what changes, what is lost, and whether it cuts the session that asks."""

from __future__ import annotations

from typing import Any

from tui.models.change import FileImage
from tui.models.facts import Address, Facts, FileFact, Lease, Link, Owner, Route
from tui.models.host import HostConfig
from tui.services.change import planner
from tui.services.network.direct import Direct

MAC = "00:00:5e:00:53:01"
BACKENDS: dict[str, Any] = {"direct": Direct()}
LEASED = Link(
    2, "lan0", MAC, MAC, admin_up=True, operstate="up", carrier=True,
    addresses=(Address("192.0.2.137/24", "dhcp", 0, 600),),
    routes=(Route("default", "192.0.2.1", protocol=16),),
    nameservers=("192.0.2.53",), method4="dhcp", method6="auto",
    lease=Lease("192.0.2.137/24", "192.0.2.1", ("192.0.2.53",), server="192.0.2.1"),
)  # fmt: skip


def _config(**ipv4: Any) -> HostConfig:
    return HostConfig.model_validate({"links": [{"mac": MAC, "name": "lan0", "ipv4": {"method": "static", **ipv4}}]})


def _plan(config: HostConfig, link: Link = LEASED, **facts: Any) -> Any:
    return planner.plan(config, Facts(links=(link,), **facts), BACKENDS)


def test_going_static_says_what_the_lease_gave_and_takes_away() -> None:
    plan = _plan(_config(addresses=["192.0.2.10/24"]))
    assert plan.lost == (
        "lan0: the gateway 192.0.2.1 that DHCP gave goes away, and no other is set.",
        "lan0: the name servers 192.0.2.53 that DHCP gave go away.",
    )
    gateway = next(d for d in plan.differences if d.label == "IPv4 gateway")
    assert (gateway.before, gateway.after, gateway.origin) == ("192.0.2.1", "none", "DHCP")


def test_the_first_change_of_a_link_says_that_onsite_takes_it_over() -> None:
    bare = Link(2, "lan0", MAC, MAC, admin_up=True, carrier=True)
    words = [(d.label, d.before, d.after) for d in _plan(_config(addresses=["192.0.2.10/24"]), bare).differences]
    assert words[0] == ("Configured by", "nobody", "Onsite")
    assert all(d.label != "Configured by" for d in _plan(_config(addresses=["192.0.2.10/24"])).differences)


def test_a_session_that_comes_in_by_the_address_is_told() -> None:
    away = _config(addresses=["198.51.100.9/24"], gateway="198.51.100.1")
    assert "192.0.2.137" in _plan(away, session_address="192.0.2.137").cuts_session
    stays = _config(addresses=["192.0.2.137/24"], gateway="192.0.2.1")
    assert _plan(stays, session_address="192.0.2.137").cuts_session == ""
    assert _plan(away, session_address="203.0.113.5").cuts_session == ""


def test_what_the_files_say_already_is_no_change() -> None:
    config = _config(addresses=["192.0.2.10/24"], gateway="192.0.2.1")
    first = _plan(config)
    written = tuple(FileFact(s.image.path, s.image.sha256, target=s.image.target) for s in first.steps)
    assert first.steps
    assert _plan(config, files=written).empty


def test_a_file_that_is_there_is_expected_to_be_the_same_at_apply() -> None:
    plan = _plan(_config(addresses=["192.0.2.10/24"]))
    path = plan.steps[0].image.path
    old = FileImage(path, b"by hand")
    again = _plan(_config(addresses=["192.0.2.10/24"]), files=(FileFact(path, old.sha256, "by hand"),))
    assert (plan.steps[0].before_hash, again.steps[0].before_hash) == ("", old.sha256)


def test_a_link_of_another_manager_is_refused_with_its_reason() -> None:
    foreign = Link(2, "lan0", MAC, MAC, owner=Owner("NetworkManager", False, "NetworkManager configures it."))
    plan = _plan(_config(addresses=["192.0.2.10/24"]), foreign)
    assert plan.empty
    assert [i.code for i in plan.errors] == ["C111"]
