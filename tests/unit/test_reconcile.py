"""The operations between what a link is and what it shall be; that the kernel takes them is tried in tests/netns."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tui.models.facts import Address, Facts, Link, LinkState, Route
from tui.services.network.reconcile import Operation, reconcile
from tui.services.network.recorded import RecordedKernel

GATEWAY = Route("default", "192.0.2.1")
LINK = Link(
    2, "lan0", "00:00:5e:00:53:10", admin_up=True, carrier=True,
    addresses=(Address("192.0.2.10/24"), Address("fe80::1/64", "kernel")),
    routes=(GATEWAY, Route("192.0.2.0/24", protocol=2), Route("fe80::/64", protocol=2, family=6)),
)  # fmt: skip
STATE = LINK.state


def kinds(operations: list[Operation]) -> list[str]:
    return [f"{o.kind} {o.address or (o.route.gateway if o.route else o.value)}" for o in operations]


def test_equal_needs_nothing() -> None:
    assert reconcile(LINK, STATE) == []


def test_new_address_comes_before_the_old_one_goes_and_returns_if_it_went_along() -> None:
    wanted = replace(STATE, addresses=("192.0.2.20/24",))
    assert kinds(reconcile(LINK, wanted)) == [
        "add address 192.0.2.20/24",
        "delete address 192.0.2.10/24",
        "add address 192.0.2.20/24",
        "add route 192.0.2.1",
    ]


def test_address_of_another_network_is_not_added_twice() -> None:
    wanted = replace(STATE, addresses=("198.51.100.20/24",), routes=())
    assert kinds(reconcile(LINK, wanted)) == [
        "add address 198.51.100.20/24", "delete route 192.0.2.1", "delete address 192.0.2.10/24",
    ]  # fmt: skip


def test_leased_things_stay_with_dhcp_and_go_without() -> None:
    leased = replace(
        LINK,
        addresses=(Address("192.0.2.100/24", "dhcp", 0, 60),),
        routes=(Route("default", "192.0.2.1", 1024, protocol=16),),
    )
    nothing = LinkState(up=True, mtu=1500)
    assert reconcile(leased, nothing, keep={"dhcp"}) == []
    assert kinds(reconcile(leased, nothing)) == ["delete route 192.0.2.1", "delete address 192.0.2.100/24"]


def test_leased_address_made_static_is_never_away() -> None:
    leased = replace(LINK, addresses=(Address("192.0.2.100/24", "dhcp", 0, 60),), routes=())
    wanted = LinkState(True, 1500, ("192.0.2.100/24",), (GATEWAY,))
    assert kinds(reconcile(leased, wanted)) == ["add address 192.0.2.100/24", "add route 192.0.2.1"]


def test_advertised_route_is_made_anew_when_it_shall_last() -> None:
    announced = Route("default", "fe80::9", 1024, protocol=9, family=6)
    link = replace(LINK, addresses=(), routes=(announced,))
    wanted = LinkState(True, 1500, (), (replace(announced, protocol=4),))
    assert kinds(reconcile(link, wanted)) == ["delete route fe80::9", "add route fe80::9"]


def test_ipv6_addresses_that_going_down_takes_along_are_set_again() -> None:
    link = replace(LINK, addresses=(Address("2001:db8::1/64"),), routes=())
    wanted = LinkState(False, 1500, ("2001:db8::1/64",))
    assert kinds(reconcile(link, wanted)) == ["up 0", "add address 2001:db8::1/64"]


ADDRESSES = st.sampled_from(
    ["192.0.2.10/24", "192.0.2.20/24", "192.0.2.30/24", "198.51.100.7/25", "2001:db8::1/64", "2001:db8:1::1/64"]
)
ROUTES = st.sampled_from([GATEWAY, Route("default", "192.0.2.2"), Route("default", "fe80::9", 1024, family=6)])
STATES = st.builds(
    LinkState,
    up=st.just(value=True),
    mtu=st.sampled_from([1500, 1400]),
    addresses=st.sets(ADDRESSES).map(lambda found: tuple(sorted(found))),
    routes=st.sets(ROUTES).map(
        lambda found: tuple(sorted(found, key=lambda r: (r.family, r.destination, r.gateway, r.metric)))
    ),
)


@given(first=STATES, second=STATES)
async def test_any_state_is_reached_from_any_other_and_then_rests(first: LinkState, second: LinkState) -> None:
    kernel = RecordedKernel(Facts(links=(LINK,)))
    for wanted in (first, second, first):
        await kernel.change(reconcile(kernel.links()[0], wanted))
        assert kernel.links()[0].state == wanted
        assert reconcile(kernel.links()[0], wanted) == []
