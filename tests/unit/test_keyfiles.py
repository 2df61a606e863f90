"""Profiles for NetworkManager against golden files, and what is read back of NetworkManager."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.test_networkd import CARD, VETH, WISHES, _config
from tui.models.facts import Address, Facts, Link, Owner
from tui.services.clock import FixedClock
from tui.services.facts import networkmanager
from tui.services.host import Host
from tui.services.network import keyfiles
from tui.services.network.networkmanager import NetworkManager
from tui.services.network.recorded import RecordedKernel

GOLDEN = Path(__file__).parent / "data/keyfiles"


def _host(root: Path, link: Link, files: dict[str, str]) -> Host:
    for name, text in files.items():
        (root / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (root / name.lstrip("/")).write_text(text)
    return Host(root, RecordedKernel(Facts(links=(link,))), "real", FixedClock())


@pytest.mark.parametrize("name", WISHES)
def test_file_is_the_golden_one(name: str) -> None:
    link, wish = WISHES[name]
    assert keyfiles.render(_config(link, wish), link).decode() == (GOLDEN / f"{name}.nmconnection").read_text()


@pytest.mark.parametrize("name", WISHES)
def test_facts_read_back_what_the_file_says(name: str, tmp_path: Path) -> None:
    link, wish = WISHES[name]
    config, backend = _config(link, wish), NetworkManager()
    image = backend.kept(config, link, Facts())
    state = f"[device]\nmanaged=true\nconnection-uuid={keyfiles.uuid_of(link.identity)}\n"
    there = {image.path: (image.content or b"").decode(), f"/run/NetworkManager/devices/{link.index}": state}
    shown = replace(link, addresses=tuple(Address(a) for a in backend.wanted(config, link, Facts()).addresses))
    host = _host(tmp_path, shown, there)
    read = networkmanager.described(replace(shown, owner=Owner("NetworkManager", config=image.path)), host)
    assert (read.method4, read.method6, read.origin) == (config.ipv4.method, config.ipv6.method, "console")
    assert {a.origin for a in read.addresses} <= {"console"}
    assert read.nameservers == tuple(map(str, config.nameservers))
    assert read.search_domains == config.search_domains
    assert keyfiles.our_file(host, link) == image.path
    assert keyfiles.our_file(host, replace(link, mac="52:54:00:00:00:77", permanent_mac="")) == ""


def test_both_layers_are_one_profile_that_nobody_else_reads() -> None:
    kept, volatile = (
        layer(_config(CARD, {}), CARD, Facts()) for layer in (NetworkManager().kept, NetworkManager().volatile)
    )
    assert kept.content == volatile.content
    assert (kept.mode, volatile.mode) == (0o600, 0o600)
    assert kept.path == "/etc/NetworkManager/system-connections/onsite-enp1s0.nmconnection"
    assert volatile.path == "/run/NetworkManager/system-connections/onsite-enp1s0.nmconnection"


def test_lease_as_networkmanager_1_42_leaves_it(tmp_path: Path) -> None:
    state = """[device]
managed=true
connection-uuid=36c744f4-db60-3eb1-9aad-279280f70ea4

[dhcp4]
dhcp4.broadcast_address=192.0.2.255
dhcp4.dhcp_lease_time=3600
dhcp4.dhcp_server_identifier=192.0.2.1
dhcp4.domain_name=site.example
dhcp4.domain_name_servers=192.0.2.1 192.0.2.2
dhcp4.ip_address=192.0.2.100
dhcp4.routers=192.0.2.1
dhcp4.subnet_mask=255.255.255.0
"""
    profile = "[connection]\nid=Wired connection 1\nuuid=36c744f4-db60-3eb1-9aad-279280f70ea4\n\n[ipv4]\nmethod=auto\n"
    link = replace(VETH, addresses=(Address("192.0.2.100/24", flags=0),))
    path = "/run/NetworkManager/system-connections/Wired connection 1.nmconnection"
    read = networkmanager.described(
        link, _host(tmp_path, link, {f"/run/NetworkManager/devices/{link.index}": state, path: profile})
    )
    assert read.lease is not None
    assert (read.lease.address, read.lease.gateway, read.lease.server) == ("192.0.2.100/24", "192.0.2.1", "192.0.2.1")
    assert read.nameservers == ("192.0.2.1", "192.0.2.2")
    assert read.search_domains == ("site.example",)
    assert (read.method4, read.method6, read.addresses[0].origin) == ("dhcp", "", "dhcp")


def test_profile_that_netplan_made_has_no_uuid_and_is_found_by_its_interface(tmp_path: Path) -> None:
    head = "[connection]\nid=netplan-lan0\ntype=ethernet\ninterface-name=lan0\n"
    profile = f"{head}\n[ipv4]\nmethod=manual\naddress1=192.0.2.7/24\n"
    path = "/run/NetworkManager/system-connections/netplan-lan0.nmconnection"
    other = path.replace("lan0", "lan1")
    state = "[device]\nmanaged=true\nconnection-uuid=c0b7a3f4-0000-4000-8000-000000000001\n"
    link = replace(VETH, addresses=(Address("192.0.2.7/24"), Address("192.0.2.99/32")))
    files = {f"/run/NetworkManager/devices/{link.index}": state, path: profile, other: profile.replace("lan0", "lan1")}
    host = _host(tmp_path, link, files)
    assert keyfiles.active(host, link)[0] == path
    read = networkmanager.described(link, host)
    assert (read.method4, [a.origin for a in read.addresses]) == ("static", ["other", "program"])
