"""Address sanity: each rule catches its fault, names the field, and a healthy host hears nothing."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.models import codes
from tui.models.change import Issue
from tui.models.facts import Address, Facts, Link, Owner, Route
from tui.models.host import HostConfig
from tui.models.link import IPv4, LinkConfig
from tui.services.checks.address import check

LAN0, LAN1 = "00:00:5e:00:53:10", "00:00:5e:00:53:11"
LEASED = Link(
    2, "lan0", LAN0, LAN0, admin_up=True, carrier=True, max_mtu=9000,
    addresses=(Address("192.0.2.50/24", "dhcp"), Address("fe80::10/64", "kernel")),
    routes=(Route("default", "192.0.2.1", metric=100, protocol=16),),
    nameservers=("192.0.2.53",), method4="dhcp",
)  # fmt: skip
FREE = Link(3, "lan1", LAN1, LAN1, admin_up=True, carrier=True)
LOOPBACK = Link(1, "lo", kind="loopback", addresses=(Address("127.0.0.1/8"), Address("::1/128")))
FACTS = Facts(links=(LOOPBACK, LEASED, FREE))
DNS = ["192.0.2.53", "192.0.2.54"]
GOOD4 = {"method": "static", "addresses": ["192.0.2.10/24"], "gateway": "192.0.2.1"}
GOOD6 = {"method": "static", "addresses": ["2001:db8:0:1::10/64"], "gateway": "2001:db8:0:1::1"}


def link(mac: str = LAN0, ipv4: Any = None, ipv6: Any = None, **more: Any) -> dict[str, Any]:
    return {"mac": mac, "ipv4": ipv4 or {}, "ipv6": ipv6 or {}, "nameservers": DNS, **more}


def static(*addresses: str, gateway: str | None = None) -> dict[str, Any]:
    return {"method": "static", "addresses": list(addresses), "gateway": gateway}


def issues(*links: dict[str, Any], facts: Facts = FACTS) -> tuple[Issue, ...]:
    return check(HostConfig.model_validate({"links": list(links)}), facts)


def with_links(*links: Link, **more: Any) -> Facts:
    return replace(FACTS, links=(LOOPBACK, *links), **more)


HEALTHY = {
    "nothing changes": (),
    "dhcp": (link(ipv4={"method": "dhcp"}),),
    "off": (link(ipv4={"method": "off"}, ipv6={"method": "off"}),),
    "static, both": (link(ipv4=GOOD4, ipv6=GOOD6),),
    "gateway by its link-local address": (link(ipv6=GOOD6 | {"gateway": "fe80::1"}),),
    "two hosts on a line, RFC 3021": (link(ipv4=static("192.0.2.10/31", gateway="192.0.2.11")),),
    "the even one too": (link(ipv4=static("192.0.2.10/31")),),
    "two hosts on a line, RFC 6164": (link(ipv6=static("2001:db8::/127", gateway="2001:db8::1")),),
    "one address more, alone": (link(ipv4=static("192.0.2.10/24", "203.0.113.9/32", gateway="192.0.2.1")),),
    "gateway in the second network": (link(ipv4=static("192.0.2.10/24", "10.9.9.9/24", gateway="10.9.9.1")),),
    "two links, one way out": (link(ipv4=GOOD4), link(LAN1, static("198.51.100.7/24"), nameservers=[])),
    "static beside DHCP": (link(LAN1, static("198.51.100.7/24"), nameservers=[]),),
    "the address moves to the other port": (link(ipv4={"method": "off"}), link(LAN1, GOOD4)),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy(name: str) -> None:
    assert [i for i in issues(*HEALTHY[name]) if i.severity != "note"] == []


SICK: dict[str, tuple[str, str, tuple[dict[str, Any], ...]]] = {
    "network address": ("N201", "ipv4.addresses", (link(ipv4=static("192.0.2.0/24")),)),
    "routers' anycast": ("N201", "ipv6.addresses", (link(ipv6=static("2001:db8::/64")),)),
    "broadcast": ("N202", "ipv4.addresses", (link(ipv4=static("192.0.2.255/24")),)),
    "gateway elsewhere": ("N207", "ipv4.gateway", (link(ipv4=GOOD4 | {"gateway": "192.0.3.1"}),)),
    "gateway elsewhere, 6": ("N207", "ipv6.gateway", (link(ipv6=GOOD6 | {"gateway": "2001:db8:0:2::1"}),)),
    "no room for a gateway": ("N207", "ipv4.gateway", (link(ipv4=static("192.0.2.10/32", gateway="192.0.2.1")),)),
    "no room, 6": ("N207", "ipv6.gateway", (link(ipv6=static("2001:db8::9/128", gateway="2001:db8::1")),)),
    "own gateway": ("N208", "ipv4.gateway", (link(ipv4=GOOD4 | {"gateway": "192.0.2.10"}),)),
    "own, other link": ("N208", "ipv4.gateway", (link(LAN1, static("192.0.2.9/24", gateway="192.0.2.50")),)),
    "gateway is the network": ("N209", "ipv4.gateway", (link(ipv4=GOOD4 | {"gateway": "192.0.2.0"}),)),
    "gateway is the broadcast": ("N209", "ipv4.gateway", (link(ipv4=GOOD4 | {"gateway": "192.0.2.255"}),)),
    "one address, two links": ("N210", "ipv4.addresses", (link(LAN1, static("192.0.2.50/24")),)),
    "one address, two drafts": ("N210", "ipv6.addresses", (link(ipv6=GOOD6), link(LAN1, ipv6=GOOD6))),
    "one network, two links": ("N211", "ipv4.addresses", (link(LAN1, static("192.0.2.130/25")),)),
    "two gateways": (
        "N212", "ipv4.gateway", (link(ipv4=GOOD4), link(LAN1, static("198.51.100.7/24", gateway="198.51.100.1"))),
    ),
    "range of pods": ("N214", "ipv4.addresses", (link(ipv4=static("10.42.0.10/24")),)),
    "name server in a range": ("N214", "nameservers", (link(nameservers=["10.96.0.10"]),)),
    "more than the card can": ("N215", "mtu", (link(mtu=9001),)),
    "too small for IPv6": ("N216", "mtu", (link(mtu=1279),)),
    "too small for IPv4": ("N230", "mtu", (link(mtu=500, ipv6={"method": "off"}),)),
    "jumbo": ("N228", "mtu", (link(mtu=9000),)),
    "no name server": ("N217", "nameservers", (link(ipv4=GOOD4, nameservers=[]),)),
    "four name servers": ("N218", "nameservers", (link(nameservers=[*DNS, "192.0.2.55", "192.0.2.56"]),)),
    "one name server": ("N229", "nameservers", (link(nameservers=["192.0.2.53"]),)),
    "own name server": ("N226", "nameservers", (link(ipv4=GOOD4, nameservers=["192.0.2.10"]),)),
    "stub resolver": ("N226", "nameservers", (link(nameservers=["127.0.0.53"]),)),
    "only 169.254": ("N219", "ipv4.addresses", (link(ipv4=static("169.254.1.2/16")),)),
    "only fe80": ("N219", "ipv6.addresses", (link(ipv6=static("fe80::5/64")),)),
    ".local": ("N220", "search_domains", (link(search_domains=["site.local"]),)),
    "many domains": ("N227", "search_domains", (link(search_domains=[f"d{n}.example" for n in range(7)]),)),
    "static without address": ("N223", "ipv4.addresses", (link(ipv4={"method": "static"}),)),
    "a very big network": ("N224", "ipv4.addresses", (link(ipv4=static("10.1.2.3/7")),)),
    "a network of two": ("N225", "ipv4.addresses", (link(ipv4=static("203.0.113.1/30", gateway="203.0.113.2")),)),
}  # fmt: skip


@pytest.mark.parametrize("name", SICK)
def test_sick(name: str) -> None:
    code, field, links = SICK[name]
    found = [i for i in issues(*links) if i.code == code]
    assert len(found) == 1, found
    assert found[0].field == f"links.{links[-1]['mac']}.{field}"
    assert found[0].code in codes.TITLES
    assert found[0].remedy.endswith(".")


BLOCKS = {"N201", "N202", "N207", "N208", "N209", "N210", "N211", "N212", "N215", "N216", "N223"}
NOTES = {"N225", "N227", "N228", "N229"}


@pytest.mark.parametrize("name", SICK)
def test_severity(name: str) -> None:
    code, _, links = SICK[name]
    expected = "error" if code in BLOCKS else "note" if code in NOTES else "warning"
    assert {i.severity for i in issues(*links) if i.code == code} == {expected}


def test_link_is_gone() -> None:
    (issue,) = issues(link("00:00:5e:00:53:99", name="lan9"))
    assert (issue.code, issue.severity) == ("C110", "error")
    assert "lan9" in issue.text


def test_link_of_another_manager() -> None:
    owner = Owner(
        "NetworkManager", writable=False, reason="lan0 is configured by NetworkManager.", config="/x.nmconnection"
    )
    (issue,) = issues(link(ipv4=GOOD4), facts=with_links(replace(LEASED, owner=owner)))
    assert (issue.code, issue.severity, issue.text) == ("C111", "error", owner.reason)
    assert "/x.nmconnection" in issue.remedy


@pytest.mark.parametrize(
    ("admin_up", "carrier", "expected"), [(True, True, []), (True, False, ["N221"]), (False, False, [])]
)
def test_no_cable(admin_up: bool, carrier: bool, expected: list[str]) -> None:
    facts = with_links(replace(LEASED, admin_up=admin_up, carrier=carrier))
    assert [i.code for i in issues(link(ipv4=GOOD4), facts=facts)] == expected


def test_link_twice() -> None:
    assert "N231" in {i.code for i in issues(link(ipv4=GOOD4), link(ipv4=GOOD4))}


@pytest.mark.parametrize(
    ("metric", "protocol", "expected"),
    [(0, 4, "error"), (0, 16, "warning"), (100, 16, None), (100, 4, None)],
    ids=["static, equal", "leased, equal", "leased, behind", "static, behind"],
)
def test_second_way_out_beside_a_link_that_stays(metric: int, protocol: int, expected: str | None) -> None:
    stays = replace(LEASED, routes=(Route("default", "192.0.2.1", metric=metric, protocol=protocol),))
    found = issues(link(LAN1, static("198.51.100.7/24", gateway="198.51.100.1")), facts=with_links(stays, FREE))
    assert next((i.severity for i in found if i.code == "N212"), None) == expected


def test_range_of_the_cluster_here() -> None:
    facts = with_links(LEASED, FREE, cluster_ranges=("172.20.0.0/16", "not a range"))
    found = issues(link(ipv4=static("172.20.1.5/24")), facts=facts)
    assert [(i.code, i.severity) for i in found] == [("N213", "error")]
    assert issues(link(ipv4=static("10.42.1.5/24", gateway="10.42.1.1")), facts=facts) == ()


class TestNodeAddress:
    facts = with_links(LEASED, FREE, cluster_uses_address=True, cluster_ranges=("10.42.0.0/16",))

    @pytest.mark.parametrize(
        "ipv4",
        [GOOD4, {"method": "off"}],
        ids=["another", "none"],
    )
    def test_locked(self, ipv4: dict[str, Any]) -> None:
        found = issues(link(ipv4=ipv4), facts=self.facts)
        assert [(i.code, i.severity, i.field) for i in found] == [("N222", "error", f"links.{LAN0}.ipv4.addresses")]
        assert "192.0.2.50" in found[0].text

    @pytest.mark.parametrize(
        "changed",
        [
            link(ipv4={"method": "dhcp"}, nameservers=["198.51.100.53", "198.51.100.54"]),
            link(ipv4=static("192.0.2.50/24", gateway="192.0.2.1")),
            link(LAN1, static("198.51.100.7/24")),
        ],
        ids=["name servers", "the same address, static", "another link"],
    )
    def test_the_rest_is_free(self, changed: dict[str, Any]) -> None:
        assert issues(changed, facts=self.facts) == ()


def test_address_that_moves_between_nodes_is_not_locked() -> None:
    moving = replace(LEASED, addresses=(*LEASED.addresses, Address("192.0.2.200/32")))
    facts = replace(TestNodeAddress.facts, links=(LOOPBACK, moving, FREE))
    assert issues(link(ipv4={"method": "dhcp"}), facts=facts) == ()


def test_values_that_never_were_text() -> None:
    wish = LinkConfig(mac=LAN0, ipv4=IPv4(method="static", addresses=(IPv4Interface("127.0.0.9/8"),)))
    bad_gateway = wish.ipv4.model_copy(
        update={"addresses": (IPv4Interface("192.0.2.9/24"),), "gateway": IPv4Address("224.0.0.1")}
    )
    assert "N204" in {i.code for i in check(HostConfig(links=(wish,)), FACTS)}
    wish = wish.model_copy(update={"ipv4": bad_gateway})
    assert "N203" in {i.code for i in check(HostConfig(links=(wish,)), FACTS)}


# Healthy by construction: each link gets a network of its own out of ranges that nothing else claims.
BLOCKS4 = [*(f"172.16.{n}.0" for n in range(0, 64, 8)), *(f"192.168.{n}.0" for n in range(0, 256, 32))]


@st.composite
def healthy_host(draw: st.DrawFn) -> tuple[HostConfig, Facts]:
    count = draw(st.integers(1, 5))
    bases = draw(st.permutations(BLOCKS4))
    exit4, exit6 = draw(st.integers(0, count - 1)), draw(st.integers(0, count - 1))
    servers = draw(
        st.lists(st.sampled_from(["203.0.113.5", "203.0.113.6", "2001:db8:ffff::5"]), min_size=1, unique=True)
    )
    drafts, links = [], []
    for n in range(count):
        mac = f"00:00:5e:00:53:{n:02x}"
        prefix = draw(st.sampled_from([22, 23, 24, 25, 26, 27, 28, 29, 31]))
        net = IPv4Interface(f"{bases[n]}/{prefix}").network
        pair = [net[0], net[1]] if prefix == 31 else draw(st.permutations(range(1, net.num_addresses - 1)))[:2]
        own, router = (IPv4Address(int(net[0]) + x) if isinstance(x, int) else x for x in pair)
        low, high = draw(st.lists(st.integers(1, 2**64 - 1), min_size=2, max_size=2, unique=True))
        six = IPv6Interface((int(IPv6Interface("2001:db8::/64").ip) + (n << 64) + low, 64))
        router6 = draw(st.sampled_from(["fe80::1", str(six.network[high])]))
        mtu = draw(st.none() | st.integers(1280, 1500))
        ipv4 = static(f"{own}/{prefix}", gateway=str(router) if n == exit4 else None)
        ipv6 = static(str(six), gateway=router6 if n == exit6 else None)
        drafts.append(
            link(
                mac,
                draw(st.sampled_from([ipv4, {"method": "off"}])),
                draw(st.sampled_from([ipv6, {"method": "auto"}, {"method": "off"}])),
                nameservers=servers if n == 0 else [],
                mtu=mtu,
            )
        )
        links.append(Link(n + 2, f"lan{n}", mac, mac, admin_up=draw(st.booleans()), carrier=True, max_mtu=9216))
    return HostConfig.model_validate({"links": drafts}), with_links(*links)


@given(healthy_host())
def test_no_false_alarm(host: tuple[HostConfig, Facts]) -> None:
    assert [i for i in check(*host) if i.severity != "note"] == []
