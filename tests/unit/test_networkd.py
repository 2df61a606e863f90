"""The .network files of the networkd backend against golden files, and what is read back of networkd."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tui.models.facts import Facts, FileFact, Link, Owner
from tui.models.link import LinkConfig
from tui.services.clock import FixedClock
from tui.services.facts import networkd
from tui.services.host import Host
from tui.services.network import netif
from tui.services.network.networkd import Networkd, render
from tui.services.network.recorded import RecordedKernel

GOLDEN = Path(__file__).parent / "data/networkd"
CARD = Link(2, "enp1s0", mac="52:54:00:00:00:09", permanent_mac="52:54:00:00:00:01")
VETH = Link(3, "lan0", mac="00:00:5e:00:53:10")
WISHES: dict[str, tuple[Link, dict[str, Any]]] = {
    "dhcp": (CARD, {}),
    "dhcp-own-servers": (CARD, {"nameservers": ["192.0.2.53"], "search_domains": ["site.example", "example"]}),
    "static-both": (
        CARD,
        {
            "ipv4": {"method": "static", "addresses": ["192.0.2.10/24", "198.51.100.7/32"], "gateway": "192.0.2.1"},
            "ipv6": {"method": "static", "addresses": ["2001:db8:0:1::10/64"], "gateway": "2001:db8:0:1::1"},
            "nameservers": ["192.0.2.53", "2001:db8::53"],
            "search_domains": ["site.example"],
            "mtu": 1400,
        },
    ),
    "gateway-outside": (
        VETH,
        {
            "ipv4": {"method": "static", "addresses": ["192.0.2.10/32"], "gateway": "198.51.100.1"},
            "ipv6": {"method": "static", "addresses": ["2001:db8:0:1::10/128"], "gateway": "fe80::1"},
        },
    ),
    "static4-auto6": (VETH, {"ipv4": {"method": "static", "addresses": ["192.0.2.10/31"]}}),
    "off": (VETH, {"ipv4": {"method": "off"}, "ipv6": {"method": "off"}}),
}


def _config(link: Link, wish: dict[str, Any]) -> LinkConfig:
    return LinkConfig.model_validate({"mac": link.identity, "name": link.name, **wish})


@pytest.mark.parametrize("name", WISHES)
def test_file_is_the_golden_one(name: str) -> None:
    link, wish = WISHES[name]
    assert render(_config(link, wish), link).decode() == (GOLDEN / f"{name}.network").read_text()


@pytest.mark.parametrize("name", WISHES)
def test_file_means_its_link_and_no_other(name: str) -> None:
    link, wish = WISHES[name]
    text = render(_config(link, wish), link).decode()
    assert netif.matches(text, link)
    assert not netif.matches(text, Link(9, "other", mac="52:54:00:00:00:77"))
    assert netif.matches(text, Link(4, "renamed", mac=link.mac, permanent_mac=link.permanent_mac)) == (link is CARD)


@pytest.mark.parametrize("name", WISHES)
def test_facts_read_the_methods_back(name: str, tmp_path: Path) -> None:
    link, wish = WISHES[name]
    config = _config(link, wish)
    image = Networkd().kept(config, link, Facts())
    (tmp_path / image.path.lstrip("/")).parent.mkdir(parents=True)
    (tmp_path / image.path.lstrip("/")).write_bytes(image.content or b"")
    owned = replace(link, owner=Owner("networkd", config=image.path))
    read = networkd.described(owned, Host(tmp_path, RecordedKernel(Facts(links=(link,))), "real", FixedClock()))
    assert (read.method4, read.method6, read.origin) == (config.ipv4.method, config.ipv6.method, "console")
    assert read.nameservers == tuple(map(str, config.nameservers))


def test_volatile_name_sorts_before_the_kept_one_and_both_before_netplan() -> None:
    backend, config = Networkd(), _config(CARD, {})
    kept, volatile = backend.kept(config, CARD, Facts()).path, backend.volatile(config, CARD, Facts()).path
    names = [path.rpartition("/")[2] for path in (volatile, kept, "/run/systemd/network/10-netplan-enp1s0.network")]
    assert names == sorted(names) == ["04-onsite-enp1s0.network", "05-onsite-enp1s0.network", names[2]]
    assert kept.startswith("/etc/systemd/network/")
    assert volatile.startswith("/run/systemd/network/")


def test_renamed_link_keeps_its_file() -> None:
    owner = Owner("networkd", config="/etc/systemd/network/05-onsite-eth0.network")
    link = Link(2, "enp1s0", permanent_mac=CARD.permanent_mac, owner=owner)
    assert Networkd().kept(_config(link, {}), link, Facts()).path == owner.config
    assert Networkd().volatile(_config(link, {}), link, Facts()).path == "/run/systemd/network/04-onsite-eth0.network"


def test_wanted_is_what_the_kernel_shows() -> None:
    link, wish = WISHES["gateway-outside"]
    wanted = Networkd().wanted(_config(link, wish), link, Facts())
    assert wanted.addresses == ("192.0.2.10/32", "2001:db8:0:1::10/128")
    assert [(r.gateway, r.on_link, r.family) for r in wanted.routes] == [
        ("198.51.100.1", True, 4),
        ("fe80::1", False, 6),
    ]
    assert (wanted.up, wanted.mtu) == (True, 1500)


def test_resolv_conf_is_written_only_where_nobody_else_does() -> None:
    config = _config(CARD, {"nameservers": ["192.0.2.53"], "search_domains": ["site.example"]})
    other = Link(5, "enp2s0", mac="52:54:00:00:00:05", nameservers=("198.51.100.53",))
    stub = FileFact("/etc/resolv.conf", target="../run/systemd/resolve/stub-resolv.conf")
    assert Networkd().extra([config], Facts(links=(CARD, other), files=(stub,))) == ()
    assert Networkd().extra([_config(CARD, {})], Facts(links=(CARD, other))) == ()
    (image,) = Networkd().extra([config], Facts(links=(CARD, other)))
    assert image.path == "/etc/resolv.conf"
    assert image.content is not None
    lines = image.content.decode().splitlines()[1:]
    assert lines == ["nameserver 192.0.2.53", "nameserver 198.51.100.53", "search site.example"]


def test_ours_that_wins_is_the_volatile_one(tmp_path: Path) -> None:
    host = Host(tmp_path, RecordedKernel(Facts(links=(CARD,))), "recorded", FixedClock())
    assert netif.our_file(host, CARD) == ""
    text = render(_config(CARD, {}), CARD)
    for path in ("etc/systemd/network/05-onsite-x.network", "run/systemd/network/04-onsite-x.network"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(text)
    (tmp_path / "run/systemd/network/03-onsite-vlan.network").write_bytes(render(_config(VETH, {}), VETH))
    assert netif.our_file(host, CARD) == "/run/systemd/network/04-onsite-x.network"
    (tmp_path / "run/systemd/network/04-onsite-x.network").unlink()
    assert netif.our_file(host, CARD) == "/etc/systemd/network/05-onsite-x.network"


async def test_practice_host_has_no_networkd(tmp_path: Path) -> None:
    """A reload there would be one of this very machine."""
    host = Host(tmp_path, RecordedKernel(Facts(links=(CARD,))), "user", FixedClock())
    with pytest.raises(OSError, match="practice host"):
        await Networkd().reload(host, [CARD.identity])
