"""What the `direct` backend writes, and which file counts; no kernel is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tui.models.facts import Facts, FileFact, Lease, Link
from tui.models.link import LinkConfig
from tui.services.host import Host
from tui.services.network import leases, linkfiles, resolv
from tui.services.network.direct import Direct
from tui.services.network.recorded import RecordedKernel

MAC = "00:00:5e:00:53:10"
LINK = Link(2, "lan0", "02:00:00:00:00:01", MAC, mtu=1500)
OTHER = Link(3, "lan1", "00:00:5e:00:53:11", mtu=1500)
STATIC: dict[str, Any] = {
    "ipv4": {"method": "static", "addresses": ["192.0.2.10/24"], "gateway": "192.0.2.1"},
    "ipv6": {"method": "static", "addresses": ["2001:db8::10/64"], "gateway": "fe80::1"},
    "nameservers": ["192.0.2.53", "2001:db8::53"],
    "search_domains": ["site.example"],
}


def config(mac: str = MAC, name: str = "lan0", **wish: Any) -> LinkConfig:
    return LinkConfig.model_validate({"mac": mac, "name": name, **wish})


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path, RecordedKernel(Facts(links=(LINK, OTHER))), "recorded")


def put(host: Host, layer: str, wish: LinkConfig) -> None:
    image = getattr(Direct(), layer)(wish, LINK if wish.mac == MAC else OTHER, Facts())
    host.path(image.path).parent.mkdir(parents=True, exist_ok=True)
    host.path(image.path).write_bytes(image.content)


def test_file_is_named_by_the_permanent_mac() -> None:
    assert Direct().kept(config(), LINK, Facts()).path == "/etc/onsite/links/00-00-5e-00-53-10.yaml"
    assert Direct().volatile(config(), LINK, Facts()).path == "/run/onsite/links/00-00-5e-00-53-10.yaml"


def test_volatile_counts_before_kept_and_both_are_read_back_equal(host: Host) -> None:
    assert linkfiles.effective(host, MAC) is None
    put(host, "kept", config())
    assert linkfiles.effective(host, MAC) == config().pruned()
    put(host, "volatile", config(**STATIC))
    assert linkfiles.effective(host, MAC) == config(**STATIC).pruned()


@pytest.mark.parametrize("text", ["mac: [", "- 1\n", "\0", "", "\xff", "ipv4: 3", "nameservers: 192.0.2.1"])
def test_a_file_that_is_none_is_refused_and_the_others_count(host: Host, text: str) -> None:
    put(host, "kept", config(OTHER.mac, "lan1"))
    host.path("/etc/onsite/links/00-00-5e-00-53-10.yaml").write_text(text)
    host.path("/etc/onsite/links/.00-00-5e-00-53-10.yaml.1.onsite.tmp").write_text(text)
    with pytest.raises(OSError, match="not the configuration of a link"):
        linkfiles.effective(host, MAC)
    assert list(linkfiles.all_data(host)) == [OTHER.mac]


@pytest.mark.parametrize("text", ["mac: 00:00:5e:00:53:10\nipv5: {}\n", "mac: 7\n", "{}"])
def test_a_wish_that_the_model_refuses_is_refused(host: Host, text: str) -> None:
    host.path("/etc/onsite/links").mkdir(parents=True)
    host.path("/etc/onsite/links/00-00-5e-00-53-10.yaml").write_text(text)
    with pytest.raises(OSError, match="not the configuration of a link"):
        linkfiles.effective(host, MAC)


def test_link_is_found_by_permanent_mac_before_current_before_name() -> None:
    assert linkfiles.find((OTHER, LINK), MAC) == LINK
    assert linkfiles.find((OTHER, LINK), LINK.mac) == LINK
    nameless = Link(4, "ppp0")
    assert linkfiles.find((OTHER, nameless), "00:00:5e:00:53:99", "ppp0") == nameless
    assert linkfiles.find((OTHER, LINK), "00:00:5e:00:53:99", "lan0") is None, "a name moves between cards"


def test_wanted() -> None:
    wanted = Direct().wanted(config(**STATIC), LINK, Facts())
    assert wanted.addresses == ("192.0.2.10/24", "2001:db8::10/64")
    assert [(r.gateway, r.metric, r.on_link, r.family) for r in wanted.routes] == [
        ("192.0.2.1", 0, False, 4), ("fe80::1", 1024, False, 6),
    ]  # fmt: skip
    assert (wanted.mtu, wanted.up, wanted.dynamic) == (1500, True, ())
    assert Direct().wanted(config(**STATIC, mtu=1400), LINK, Facts()).mtu == 1400
    assert Direct().wanted(config(), LINK, Facts()).addresses == ()


def test_gateway_outside_every_prefix_is_on_the_link() -> None:
    wish = config(ipv4={"method": "static", "addresses": ["192.0.2.10/32"], "gateway": "198.51.100.1"})
    assert Direct().wanted(wish, LINK, Facts()).routes[0].on_link


async def test_resolver_is_derived_from_files_and_leases(host: Host) -> None:
    put(host, "kept", config(**STATIC))
    put(host, "kept", config(OTHER.mac, "lan1"))
    given = ("192.0.2.53", "192.0.2.54", "192.0.2.55")
    leases.write(host, "lan1", Lease("192.0.2.9/24", nameservers=given, search_domains=("lease.example",)), 0.0)
    await Direct().reload(host, [])
    text = host.path("/run/onsite/resolv.conf").read_text()
    servers = [line.split()[1] for line in text.splitlines() if line.startswith("nameserver")]
    assert servers == ["192.0.2.53", "2001:db8::53", "192.0.2.54"], "three, each once, in the order of the links"
    assert "search site.example lease.example\n" in text
    inode = host.path("/run/onsite/resolv.conf").stat().st_ino
    await Direct().reload(host, [])
    assert host.path("/run/onsite/resolv.conf").stat().st_ino == inode, "written again without a change"


def test_resolv_conf_becomes_a_link_unless_resolved_owns_it() -> None:
    (image,) = Direct().extra([config()], Facts(files=(FileFact("/etc/resolv.conf", text=""),)))
    assert (image.path, image.target) == ("/etc/resolv.conf", "../run/onsite/resolv.conf")
    owned = FileFact("/etc/resolv.conf", target="../run/systemd/resolve/stub-resolv.conf")
    assert resolv.link_to_it(Facts(files=(owned,))) == ()
    assert Direct().extra([], Facts()) == ()


async def test_reload_and_restore_on_a_replayed_host(host: Host) -> None:
    backend, before = Direct(), LINK.state
    put(host, "volatile", config(**STATIC))
    await backend.reload(host, [MAC])
    assert host.kernel.links()[0].state == backend.wanted(config(**STATIC), LINK, Facts())
    host.path("/run/onsite/links/00-00-5e-00-53-10.yaml").unlink()
    await backend.restore(host, MAC, before)
    assert host.kernel.links()[0].state == before
    await backend.restore(host, "00:00:5e:00:53:99", before)
