"""What a DHCP server says, made into a lease; what it had better not say, left out."""

from __future__ import annotations

from hypothesis import given as generated
from hypothesis import strategies as st

from tui.services.network.dhcp_options import given

PLAIN = {
    "subnet_mask": "255.255.255.0", "router": ["192.0.2.1", "192.0.2.2"], "name_server": ["192.0.2.53"],
    "domain_name": "Site.Example", "lease_time": 3600, "server_id": "192.0.2.1",
}  # fmt: skip


def test_the_usual_answer() -> None:
    found = given("192.0.2.100", PLAIN)
    assert found.lease.address == "192.0.2.100/24"
    assert found.lease.nameservers == ("192.0.2.53",)
    assert found.lease.search_domains == ("site.example",)
    assert [(r.destination, r.gateway, r.protocol, r.source) for r in found.routes] == [
        ("default", "192.0.2.1", 16, "192.0.2.100")
    ]
    assert (found.seconds, found.lease.seconds, found.lease.server) == (3600, 3600, "192.0.2.1")


def test_classless_routes_count_instead_of_the_router() -> None:
    """The example of RFC 3442, with a default route and one that is on the link."""
    option = [0, 192, 0, 2, 9, 24, 198, 51, 100, 192, 0, 2, 8, 32, 203, 0, 113, 5, 0, 0, 0, 0]
    found = given("192.0.2.100", {**PLAIN, "classless_static_route": option})
    assert [(r.destination, r.gateway) for r in found.routes] == [
        ("default", "192.0.2.9"), ("198.51.100.0/24", "192.0.2.8"), ("203.0.113.5/32", ""),
    ]  # fmt: skip
    assert found.lease.gateway == "192.0.2.9"


def test_search_list_with_pointers() -> None:
    """The example of RFC 3397 §2: eng.apple.com and marketing.apple.com."""
    option = [*b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04"]
    found = given("192.0.2.100", {**PLAIN, "domain_search": option})
    assert found.lease.search_domains == ("eng.apple.com", "marketing.apple.com")


def test_no_mask_means_the_class() -> None:
    assert given("10.1.2.3", {}).lease.address == "10.1.2.3/8"
    assert given("192.0.2.3", {}).lease.address == "192.0.2.3/24"


def test_forever() -> None:
    """pyroute2 reads the lease time as a signed number."""
    assert given("192.0.2.3", {"lease_time": -1}).seconds is None
    assert given("192.0.2.3", {"lease_time": -2}).seconds == 0xFFFFFFFE


def test_a_gateway_outside_is_on_the_link() -> None:
    (route,) = given("192.0.2.3", {"subnet_mask": "255.255.255.255", "router": ["192.0.2.1"]}).routes
    assert route.on_link


def test_nothing_but_names_gets_into_the_resolver() -> None:
    found = given("192.0.2.3", {"domain_name": "site.example\nnameserver -x ../x ok.example"})
    assert found.lease.search_domains == ("site.example", "nameserver", "ok.example")


@generated(st.binary(max_size=64))
def test_no_bytes_upset_it(data: bytes) -> None:
    found = given("192.0.2.3", {"classless_static_route": [*data], "domain_search": [*data], "router": ["192.0.2.1"]})
    assert all("\n" not in name and " " not in name for name in found.lease.search_domains)
