"""What comes over a cable from a neighbour: frames of real programs, of the standards' fields, and hostile ones."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.practice import frames
from tui.models.facts import Layer, Link
from tui.models.port import Bond, Bundle, Carrier, Neighbour, Plug, bonds, ports, printable
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.services.port import carrier, cdp, lacp, lldp, remembered
from tui.services.port.hints import PATIENCE, hints
from tui.services.port.protocol import CDP_GROUP, Malformed

LLDPD = bytes.fromhex(
    "0180c200000e0e80c4c152b088cc0207040e80c4c152b00409074769312f302f3134060200040a107377697463682d612e6578616d706c65"
    "0c5544656269616e20474e552f4c696e75782031322028626f6f6b776f726d29204c696e757820362e31382e34342d66632d763636392023"
    "3120534d5020505245454d50545f44594e414d4943204030207838365f36340e04009c0080100c0501c000020202000000020010181102fe"
    "800000000000000c80c4fffec152b0020000000200080e75706c696e6b2d73686f702d3137fe0900120f030100000000fe0900120f010080"
    "000036fe060080c2010014fe0c0080c20300140574696c6c730000"
)
"""Sent by lldpd 1.0.16, with VLAN 20 as the port's and by name."""
LLDPD_CDP = bytes.fromhex(
    "01000ccccccc62f35d9b8d0a00adaaaa0300000c2000010411a6000100147377697463682d612e6578616d706c6500020011000000010101"
    "cc0004c00002020003001275706c696e6b2d73686f702d313700040008000000010005005944656269616e20474e552f4c696e7578203132"
    "2028626f6f6b776f726d29204c696e757820362e31382e34342d66632d7636363920233120534d5020505245454d50545f44594e414d4943"
    "204030207838365f3634000600094c696e7578"
)
"""Sent by lldpd 1.0.16 as CDP version 1."""
MAC = "00:00:5e:00:53:01"


def item(kind: int, value: bytes) -> bytes:
    return struct.pack("!H", kind << 9 | len(value)) + value


def lldp_frame(*items: bytes) -> bytes:
    return frames.ethernet(frames.LLDP_GROUP, frames.mac(MAC), frames.LLDP, b"".join(items))


HEAD = (item(1, b"\x07box"), item(2, b"\x05eth0"), item(3, b"\0\x78"))
END = item(0, b"")

# --- LLDP ---


def test_what_a_real_lldpd_says() -> None:
    found = lldp.parse(LLDPD.replace(b"v669", b"v669"), 100.0) if b"vf669" in LLDPD else lldp.parse(LLDPD, 100.0)
    assert found == Neighbour(
        "LLDP", "0e:80:c4:c1:52:b0", "Gi1/0/14", 104.0, "uplink-shop-17", "switch-a.example", 20, ((20, "tills"),),
        ("192.0.2.2", "fe80::c80:c4ff:fec1:52b0"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("chassis", "port", "words"),
    [
        (b"\x04" + bytes(5) + b"\x01", b"\x03" + bytes(5) + b"\x02", ("00:00:00:00:00:01", "00:00:00:00:00:02")),
        (b"\x05\x01\xc0\x00\x02\x01", b"\x04\x02" + bytes(15) + b"\x01", ("192.0.2.1", "::1")),
        (b"\x07closet 3", b"\x01uplink", ("closet 3", "uplink")),
        (b"\x04\x00\x01", b"\x03\x00", ("0001", "00")),
        (b"\x05\x01\xc0\x00", b"\x07\xff\xfe", ("01c000", "fffe")),
        (b"\x07" + "Büro".encode(), b"\x07a\x1bb", ("B?ro", "611b62")),
        (b"\x63\x00\x01", b"\x00A", ("0001", "A")),
    ],
)
def test_names_by_their_subtype(chassis: bytes, port: bytes, words: tuple[str, str]) -> None:
    found = lldp.parse(lldp_frame(item(1, chassis), item(2, port), HEAD[2]), 0.0)
    assert (found.chassis, found.port) == words


@pytest.mark.parametrize(
    "items",
    [
        (),
        HEAD[:2],
        (HEAD[1], HEAD[0], HEAD[2]),
        (HEAD[0], HEAD[2], HEAD[1]),
        (*HEAD, HEAD[0]),
        (*HEAD, HEAD[2]),
        (item(1, b"\x07"), *HEAD[1:]),
        (HEAD[0], item(2, b"\x05" + b"x" * 256), HEAD[2]),
        (*HEAD[:2], item(3, b"\x01")),
        (*HEAD, b"\x0a\xffname"),
        (*HEAD, b"\x00\x01x"),
    ],
    ids=[
        "nothing", "no lifetime", "port first", "lifetime second", "chassis twice", "lifetime twice", "chassis empty",
        "port too long", "lifetime of a byte", "longer than the frame", "an end with something in it",
    ],
)  # fmt: skip
def test_invalid_frames_say_nothing(items: tuple[bytes, ...]) -> None:
    with pytest.raises(Malformed):
        lldp.parse(lldp_frame(*items), 0.0)


def test_a_lifetime_of_nothing_is_a_farewell() -> None:
    assert lldp.parse(lldp_frame(*HEAD[:2], item(3, b"\0\0"), END), 50.0).until == 50.0


@pytest.mark.parametrize(
    ("value", "vlan"),
    [(b"\x00\x14", 20), (b"\x00\x00", 0), (b"\x0f\xff", None), (b"\x14", None), (b"\x00\x14\x00", None)],
)
def test_the_vlan_without_a_tag(value: bytes, vlan: int | None) -> None:
    assert lldp.parse(lldp_frame(*HEAD, item(127, b"\x00\x80\xc2\x01" + value), END), 0.0).vlan == vlan


def test_another_protocol_or_group_is_none() -> None:
    for frame in (LLDPD[:6] + b"\0" * 6 + b"\x08\x00" + LLDPD[14:], b"\xff" * 6 + LLDPD[6:], LLDPD[:13], b""):
        with pytest.raises(Malformed):
            lldp.parse(frame, 0.0)


def test_what_many_vlans_and_addresses_may_take() -> None:
    many = [item(127, b"\x00\x80\xc2\x03" + struct.pack("!HB", n, 2) + b"vl") for n in range(1, 120)]
    many += [item(8, b"\x05\x01" + bytes([10, 0, 0, n]) + b"\x02\0\0\0\1\0") for n in range(60)]
    found = lldp.parse(lldp_frame(*HEAD, *many, END), 0.0)
    assert (len(found.vlans), len(found.addresses)) == (lldp.MOST, lldp.MOST)


# --- CDP ---


def test_what_a_real_lldpd_says_in_cdp() -> None:
    found = cdp.parse(LLDPD_CDP, 100.0)
    assert found == Neighbour(
        "CDP", "switch-a.example", "uplink-shop-17", 104.0, system="switch-a.example", addresses=("192.0.2.2",)
    )


def cdp_frame(*items: bytes, head: bytes = b"\x02\xb4\x00\x00") -> bytes:
    body = bytes.fromhex("aaaa0300000c2000") + head + b"".join(items)
    return (CDP_GROUP + frames.mac(MAC) + struct.pack("!H", len(body)) + body).ljust(60, b"\0")


def cdp_item(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value) + 4) + value


def test_the_native_vlan_and_the_management_address_of_cdp() -> None:
    address = b"\0\0\0\x01\x01\x01\xcc\x00\x04\xc0\x00\x02\x63"
    found = cdp.parse(
        cdp_frame(cdp_item(1, b"sw"), cdp_item(3, b"Fa0/1"), cdp_item(10, b"\0\x14"), cdp_item(0x16, address)), 1.0
    )
    assert (found.vlan, found.addresses, found.until) == (20, ("192.0.2.99",), 181.0)


@pytest.mark.parametrize(
    "frame",
    [
        cdp_frame(cdp_item(1, b"sw")),
        cdp_frame(cdp_item(3, b"Fa0/1")),
        cdp_frame(cdp_item(1, b"sw"), b"\0\x03\0\x02"),
        cdp_frame(cdp_item(1, b"sw"), b"\0\x03\0\xffFa0/1"),
        LLDPD_CDP[:12] + b"\x05\xdc" + LLDPD_CDP[14:],
        LLDPD_CDP[:26],
    ],
    ids=["no port", "no device", "too short an item", "too long an item", "longer than the frame", "cut"],
)
def test_invalid_cdp_says_nothing(frame: bytes) -> None:
    with pytest.raises(Malformed):
        cdp.parse(frame, 0.0)


# --- LACP ---


def test_an_lacp_frame() -> None:
    found = lacp.parse(frames.lacp(frames.mac(MAC), 17, 3), 10.0)
    assert found == Bundle(MAC, 17, 3, "00:00:00:00:00:00", 10.0 + lacp.SECONDS)


@pytest.mark.parametrize("change", [(14, 2), (16, 2), (17, 21), (36, 1), (37, 0), (0, 0xFF)])
def test_what_is_no_lacp(change: tuple[int, int]) -> None:
    frame = bytearray(frames.lacp(frames.mac(MAC), 17, 3))
    frame[change[0]] = change[1]
    with pytest.raises(Malformed):
        lacp.parse(bytes(frame), 0.0)
    with pytest.raises(Malformed):
        lacp.parse(frames.lacp(frames.mac(MAC), 17, 3)[:50], 0.0)


# --- hostile frames ---

PARSERS = {
    "lldp": (lldp.parse, LLDPD, b"\x01\x80\xc2\x00\x00\x0e" + bytes(6) + b"\x88\xcc"),
    "cdp": (cdp.parse, LLDPD_CDP, CDP_GROUP + bytes(6) + b"\0\x80" + bytes.fromhex("aaaa0300000c2000")),
    "lacp": (lacp.parse, frames.lacp(frames.mac(MAC), 1, 1), b"\x01\x80\xc2\x00\x00\x02" + bytes(6) + b"\x88\x09\x01"),
}


def harmless(found: object) -> None:
    """Whatever was sent: every text short and printable, every number in its range."""
    if isinstance(found, Neighbour):
        texts = [
            found.chassis,
            found.port,
            found.about_port,
            found.system,
            *found.addresses,
            *dict(found.vlans).values(),
        ]
        assert all(len(x) <= 64 and x.isascii() and (x.isprintable() or not x) for x in texts)
        assert found.vlan is None or 0 <= found.vlan < 4095
        assert len(found.vlans) <= lldp.MOST
        assert len(found.addresses) <= lldp.MOST
        assert 0 <= found.until <= 65535
    else:
        assert isinstance(found, Bundle)
        assert len(found.system) == 17


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_bytes_are_a_neighbour_or_malformed(name: str, data: st.DataObject) -> None:
    parse, real, head = PARSERS[name]
    frame = bytearray(data.draw(st.sampled_from([real, head + data.draw(st.binary(max_size=1600))])))
    for at, value in data.draw(st.lists(st.tuples(st.integers(12, len(frame) - 1), st.integers(0, 255)), max_size=8)):
        frame[at] = value
    try:
        found = parse(bytes(frame[: data.draw(st.integers(0, len(frame)))] or frame), 0.0)
    except Malformed:
        return
    harmless(found)


ITEMS = st.lists(
    st.tuples(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 126, 127]), st.binary(max_size=511)), max_size=12
)


@settings(max_examples=150, deadline=None)
@given(items=ITEMS, text=st.text(max_size=80))
@example(items=[(127, b"\x00\x80\xc2\x03\x00\x14\xff")], text="\x1b]0;x\x07\u202e")
def test_well_formed_lldp_with_anything_in_it(items: list[tuple[int, bytes]], text: str) -> None:
    name = item(5, text.encode()[:511])
    try:
        found = lldp.parse(lldp_frame(*HEAD, name, *(item(k, v) for k, v in items), END), 0.0)
    except Malformed:
        return
    harmless(found)
    assert found.system == printable(text.encode()[:511])


# --- cables ---

DOWN, UP, PLUGGED = (Carrier(2, "lan0", *x) for x in ((False, False), (True, False), (True, True)))


@pytest.mark.parametrize(
    ("before", "after", "move"),
    [
        (UP, PLUGGED, "plugged in"), (PLUGGED, UP, "unplugged"), (None, UP, "appeared"), (UP, None, "gone"),
        (DOWN, PLUGGED, "switched on"), (PLUGGED, DOWN, "switched off"), (UP, replace(UP, name="eth0"), None),
        (None, None, None),
    ],
)  # fmt: skip
def test_moves(before: Carrier | None, after: Carrier | None, move: str | None) -> None:
    assert carrier.moved(before, after) == move


def test_a_carrier_that_comes_with_switching_on_is_no_hands_work() -> None:
    on, late, later = (
        Plug(2, "lan0", "switched on", 10.0),
        Plug(2, "lan0", "plugged in", 12.0),
        Plug(2, "lan0", "plugged in", 30.0),
    )
    assert not carrier.by_hand(late, {2: on})
    assert carrier.by_hand(later, {2: on})
    assert carrier.by_hand(late, {})
    assert not carrier.by_hand(on, {})


def test_which_links_have_a_cable_that_one_can_hold() -> None:
    card, pod, bridge = Link(2, "eno1"), Link(3, "veth12", kind="veth"), Link(4, "br0", kind="bridge")
    assert ports((card, pod, bridge)) == (card,)
    assert ports((pod, bridge)) == (pod,)
    assert len(ports(tuple(Link(n, f"eno{n}") for n in range(2, 900)))) == 64


# --- bundles that do not meet ---

LAN0, LAN1 = Carrier(2, "lan0", True, True), Carrier(3, "lan1", True, True)
SWITCH = Bundle(MAC, 17, 1, "00:00:00:00:00:00")
TWO = {2: LAN0, 3: LAN1}


def test_a_single_link_that_a_switch_takes_for_a_bundle() -> None:
    found = hints(TWO, {2: SWITCH, 3: replace(SWITCH, port=2)}, (), 0.0)
    assert {i: x.code for i, x in found.items()} == {2: "N311", 3: "N311"}
    assert "lan0 and lan1" in found[2].text


def test_a_bond_of_another_mode() -> None:
    found = hints(TWO, {2: SWITCH}, (Bond(9, "bond0", "active-backup", (2, 3)),), 0.0)
    assert [x.code for x in found.values()] == ["N311"]
    assert "bond0" in found[2].text


@pytest.mark.parametrize(
    ("bond", "bundles", "listened"),
    [
        (Bond(9, "bond0", "802.3ad", (2, 3), MAC), {}, 60.0),
        (Bond(9, "bond0", "802.3ad", (2, 3)), {2: SWITCH}, 60.0),
        (Bond(9, "bond0", "802.3ad", (2, 3)), {}, PATIENCE - 1),
        (Bond(9, "bond0", "active-backup", (2, 3)), {}, 60.0),
        (Bond(9, "bond0", "802.3ad", ()), {}, 60.0),
    ],
    ids=["has a partner", "is about to have one", "too early to say", "another mode", "without ports"],
)
def test_bonds_of_which_nothing_is_wrong(bond: Bond, bundles: dict[int, Bundle], listened: float) -> None:
    assert hints(TWO, bundles, (bond,), listened) == {}


def test_a_bond_that_nobody_answers() -> None:
    found = hints({2: LAN0, 3: replace(LAN1, carrier=False)}, {}, (Bond(9, "bond0", "802.3ad", (2, 3)),), 60.0)
    assert {i: x.code for i, x in found.items()} == {9: "N312", 2: "N312"}
    assert "at lan0" in found[9].text


def test_the_bonds_among_the_links() -> None:
    ad, plain = Layer("bond", mode="802.3ad"), Layer("bond", mode="active-backup")
    links = (
        Link(2, "lan0", master="bond0"), Link(3, "lan1", master="bond1"), Link(4, "lan2"),
        Link(9, "bond0", kind="bond", layer=ad, partner=MAC), Link(10, "bond1", kind="bond", layer=plain),
        Link(11, "br0", kind="bridge", layer=Layer("bridge")),
    )  # fmt: skip
    assert bonds(links) == (Bond(9, "bond0", "802.3ad", (2,), MAC), Bond(10, "bond1", "active-backup", (3,)))


# --- what was heard before ---

LINK = Link(2, "lan0", MAC, MAC, carrier=True)
KNOWN = Neighbour("LLDP", "box", "Gi1/0/14", 1100.0, vlan=20, vlans=((20, "tills"),), addresses=("192.0.2.2",))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path, NetlinkKernel(), clock=FixedClock(0.0, 1000.0))


def test_what_one_console_heard_the_next_one_knows_until_it_is_out_of_date(host: Host) -> None:
    remembered.store(host, {LINK.identity: (KNOWN,)})
    assert remembered.load(host, (LINK,)) == {2: [KNOWN]}
    host.clock.move(200.0)  # type: ignore[attr-defined] # a FixedClock
    assert remembered.load(host, (LINK,)) == {2: []}


def test_without_a_cable_nobody_is_there(host: Host) -> None:
    remembered.store(host, {LINK.identity: (KNOWN,)})
    assert remembered.load(host, (replace(LINK, carrier=False),)) == {}


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", "null", '{"a": 1}', '{"%s": [{"until": "x"}]}', '{"%s": [{}]}', '{"%s": [[]]}', "[" * 5000,
        '{"%s": [{"until": 2000, "vlans": [1]}]}', "x" * (1 << 18) + "x",
    ],
)  # fmt: skip
def test_a_file_that_is_something_else_says_nothing(host: Host, text: str) -> None:
    path = host.path(remembered.PATH)
    path.parent.mkdir(parents=True)
    path.write_text(text.replace("%s", MAC))
    assert remembered.load(host, (LINK,)) == {2: []}


def test_no_sign_of_a_terminal_comes_out_of_the_file(host: Host) -> None:
    path = host.path(remembered.PATH)
    path.parent.mkdir(parents=True)
    evil = {"protocol": "x", "chassis": "\x1b[2J", "port": "é" * 500, "until": 2000, "addresses": ["\n"]}
    path.write_text(json.dumps({MAC: [evil]}))
    (found,) = remembered.load(host, (LINK,))[2]
    harmless(replace(found, until=0.0))


def test_frames_that_networkd_keeps(host: Host) -> None:
    """The format of link_lldp_save of systemd 252: the length in eight bytes, little end first, then the frame."""
    path = host.path("/run/systemd/netif/lldp/2")
    path.parent.mkdir(parents=True)
    longer = lldp_frame(*HEAD, END)
    path.write_bytes(b"".join(struct.pack("<Q", len(x)) + x for x in (longer, b"junk", longer[:20])) + b"\xff" * 11)
    assert [(x.chassis, x.port) for x in remembered.load(host, (LINK,))[2]] == [("box", "eth0")]
    os.utime(path, (0, 0))
    assert remembered.load(host, (LINK,)) == {2: []}
