"""The peers' protocols as bytes: right answers, silence where a server keeps silent, and no packet that ends them."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.practice import dhcpd, dnsd, frames, neighbour, trunk
from agent.practice.cables import NEIGHBOUR6, TRUNK, VLAN_GATEWAY4

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
SERVER = IPv4Address("192.0.2.1").packed


def message(kind: int, client: int = 1, ciaddr: str = "", **options: bytes) -> dhcpd.Message:
    """From client number `client`; options as o50=..."""
    header = struct.pack(
        "!BBBBIHH4s4s4s4s16s192s",
        1,
        1,
        6,
        0,
        7,
        0,
        0,
        IPv4Address(ciaddr or 0).packed,
        b"",
        b"",
        b"",
        bytes([client]),
        b"",
    )
    given_options = {53: bytes([kind]), **{int(name[1:]): value for name, value in options.items()}}
    body = b"".join(bytes([code, len(value)]) + value for code, value in given_options.items())
    parsed = dhcpd.parse(header + bytes.fromhex("63825363") + body + b"\xff")
    assert parsed is not None
    return parsed


def test_a_client_gets_the_same_address_again_and_another_one_gets_another() -> None:
    leases = dhcpd.Leases()
    assert leases.answer(message(DISCOVER, 1)) == (OFFER, "192.0.2.100")
    assert leases.answer(message(DISCOVER, 2)) == (OFFER, "192.0.2.101")
    wanted = IPv4Address("192.0.2.100").packed
    assert leases.answer(message(REQUEST, 1, o50=wanted, o54=SERVER)) == (ACK, "192.0.2.100")
    assert leases.answer(message(REQUEST, 1, ciaddr="192.0.2.100")) == (ACK, "192.0.2.100")
    assert leases.answer(message(DISCOVER, 1)) == (OFFER, "192.0.2.100")


def test_a_wish_that_is_not_its_lease_is_denied() -> None:
    leases = dhcpd.Leases()
    leases.answer(message(DISCOVER, 1))
    assert leases.answer(message(REQUEST, 1, o50=IPv4Address("192.0.2.77").packed, o54=SERVER)) == (NAK, "")
    assert leases.answer(message(REQUEST, 1, o50=b"\xc0", o54=SERVER)) == (NAK, "")


def test_a_client_of_another_server_is_left_alone() -> None:
    leases = dhcpd.Leases()
    leases.answer(message(DISCOVER, 1))
    wanted = {"o50": IPv4Address("192.0.2.100").packed, "o54": IPv4Address("192.0.2.250").packed}
    assert leases.answer(message(REQUEST, 1, **wanted)) is None
    assert leases.answer(message(DISCOVER, 2)) == (OFFER, "192.0.2.100")


def test_a_declined_address_is_not_offered_again_and_a_released_one_is() -> None:
    leases = dhcpd.Leases()
    leases.answer(message(DISCOVER, 1))
    leases.answer(message(DECLINE, 1))
    assert leases.answer(message(DISCOVER, 1)) == (OFFER, "192.0.2.101")
    leases.answer(message(RELEASE, 1))
    assert leases.answer(message(DISCOVER, 2)) == (OFFER, "192.0.2.101")


def test_an_empty_pool_keeps_silent() -> None:
    leases = dhcpd.Leases()
    offered = [leases.answer(message(DISCOVER, n)) for n in range(len(dhcpd.POOL))]
    assert len(set(offered)) == len(dhcpd.POOL)
    assert leases.answer(message(DISCOVER, 200)) is None


@pytest.mark.parametrize(("kind", "has_lease"), [(ACK, True), (NAK, False)])
def test_a_reply_carries_lease_and_options_only_where_something_was_given(kind: int, has_lease: bool) -> None:
    asked = message(REQUEST)
    reply = dhcpd.parse(dhcpd.reply(asked, kind, "192.0.2.100" if has_lease else ""))
    assert reply is not None
    assert (reply.operation, reply.transaction, reply.kind) == (2, 7, kind)
    assert (51 in reply.options, 3 in reply.options) == (has_lease, has_lease)


ETHERNET = st.one_of(
    st.binary(max_size=200),
    st.tuples(st.sampled_from([0x0806, 0x86DD, 0x88CC]), st.binary(max_size=120)).map(
        lambda it: frames.ethernet(frames.BROADCAST, bytes(6), *it)
    ),
)


@given(ETHERNET, st.sampled_from([None, 20]))
def test_no_frame_ends_the_neighbour_or_the_trunk(frame: bytes, vlan: int | None) -> None:
    for answer in (neighbour.answer(frame, vlan), trunk.answer(frame, vlan)):
        assert answer is None or len(answer) >= 60


HEAD = dhcpd.reply(message(REQUEST), ACK, "192.0.2.100")[:240]


@given(st.one_of(st.binary(max_size=400), st.binary(max_size=200).map(lambda tail: HEAD + tail)))
def test_no_datagram_ends_the_dhcp_server(data: bytes) -> None:
    parsed = dhcpd.parse(data)
    if parsed is not None and (found := dhcpd.Leases().answer(parsed)):
        assert len(dhcpd.reply(parsed, *found)) >= 300


QUERY = struct.pack("!6H", 1, 0x100, 1, 0, 0, 0)


@given(st.one_of(st.binary(max_size=100), st.binary(max_size=80).map(lambda tail: QUERY + tail)))
def test_no_datagram_ends_the_name_server(data: bytes) -> None:
    answer = dnsd.answer(data)
    assert answer is None or (answer[:2] == data[:2] and answer[2] & 0x80)


def solicitation(source: str) -> bytes:
    target = IPv6Address(NEIGHBOUR6).packed
    body = struct.pack("!BBHI", 135, 0, 0, 0) + target
    ends = IPv6Address(source).packed + IPv6Address("ff02::1:ff00:77").packed
    packet = struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + ends + body
    return frames.ethernet(b"\x33\x33\xff\x00\x00\x77", b"\x00\x00\x5e\x00\x53\x10", frames.IPV6, packet)


@pytest.mark.parametrize(
    ("source", "to_mac", "to", "solicited"),
    [
        ("::", "333300000001", "ff02::1", False),  # duplicate address detection: RFC 4861 §7.2.4
        ("2001:db8:0:1::10", "00005e005310", "2001:db8:0:1::10", True),
    ],
)
def test_an_advertisement_goes_where_the_asker_can_hear_it(source: str, to_mac: str, to: str, solicited: bool) -> None:
    answer = neighbour.answer(solicitation(source), None)
    assert answer is not None
    assert answer[:6].hex() == to_mac
    packet = answer[14:]
    assert packet[24:40] == IPv6Address(to).packed
    assert bool(packet[44] & 0x40) == solicited
    body = packet[40 : 40 + int.from_bytes(packet[4:6])]
    words = packet[8:40] + struct.pack("!II", len(body), 58) + body
    total = sum(struct.unpack(f"!{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF  # RFC 1071: a right checksum makes all ones


def test_the_trunk_answers_in_its_vlan_only() -> None:
    own = frames.mac(TRUNK.mac)
    asking = frames.ethernet(frames.BROADCAST, own, frames.ARP, frames.arp_request(own, "198.51.100.9", VLAN_GATEWAY4))
    assert trunk.answer(asking, None) is None
    answer = trunk.answer(asking, 20)
    assert answer is not None
    assert answer[12:18] == struct.pack("!HHH", 0x8100, 20, 0x0806)
