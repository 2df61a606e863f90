"""The rtnetlink reader on recorded dumps: what the kernel said, beside what iproute2 made of it at the same moment."""

from __future__ import annotations

import base64
import errno
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import iproute
from tui.models.facts import Address, Link, Route
from tui.services.facts import netlink, rtnl

RECORDED = json.loads((Path(__file__).parent / "data" / "rtnl-6.18.json").read_text())


def bodies(name: str) -> list[bytes]:
    return [base64.b64decode(body) for body in RECORDED[name]]


def parsed() -> tuple[Link, ...]:
    addresses = rtnl.parse_addresses(bodies("addresses"))
    routes: dict[int, list[Route]] = {}
    for name in ("routes4", "routes6"):
        rtnl.parse_routes(bodies(name), routes)
    links = (rtnl.parse_link(body, addresses, routes) for body in bodies("links"))
    return tuple(link for link in links if link is not None)


def addresses_of(name: str) -> dict[str, Address]:
    return {a.address: a for link in parsed() if link.name == name for a in link.addresses}


def test_a_recorded_dump_is_what_iproute2_says() -> None:
    said = RECORDED["ip"]
    assert iproute.read(parsed()) == iproute.said(said["link"], *said["route4"], *said["route6"])


def test_origins_that_the_kernel_alone_tells() -> None:
    origins = {address: a.origin for address, a in addresses_of("lan0").items()}
    assert origins == {
        "192.0.2.10/24": "other",
        "192.0.2.11/24": "dhcp",  # it has a lifetime
        "198.51.100.1/32": "other",
        "2001:db8:1::10/64": "other",
        "2001:db8:1::11/64": "ra",
        "fe80::200:5eff:fe00:5301/64": "kernel",
    }


def test_lifetimes() -> None:
    found = addresses_of("lan0")
    assert found["192.0.2.10/24"].valid_seconds is None
    assert 3590 <= (found["192.0.2.11/24"].valid_seconds or 0) <= 3600


def test_a_lease_is_known_by_our_mark() -> None:
    body = rtnl._ifaddr.pack(2, 24, 0x80, 0, 7) + attribute(2, bytes([192, 0, 2, 9])) + attribute(11, b"\x10")
    assert rtnl.parse_addresses([body]) == {7: [Address("192.0.2.9/24", "dhcp")]}


@pytest.mark.parametrize("name", ["links", "addresses", "routes4", "routes6"])
def test_a_message_cut_anywhere_raises_nothing_and_invents_nothing(name: str) -> None:
    whole = iproute.read(parsed())
    for body in bodies(name):
        for length in range(len(body)):
            cut = body[:length]
            link = rtnl.parse_link(cut, {}, {}) if name == "links" else None
            assert link is None or link.name in whole
            if name == "addresses":
                rtnl.parse_addresses([cut])
            elif name != "links":
                rtnl.parse_routes([cut], {})


@given(st.binary(max_size=200))
def test_noise_raises_nothing(noise: bytes) -> None:
    list(netlink.messages(noise))
    netlink.attributes(noise, 0)
    rtnl.parse_link(noise, {}, {})
    rtnl.parse_addresses([noise])
    rtnl.parse_routes([noise], {})


def attribute(kind: int, value: bytes) -> bytes:
    return (netlink._attribute.pack(4 + len(value), kind) + value).ljust((4 + len(value) + 3) & ~3, b"\0")


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    head = netlink._header.pack(netlink._header.size + len(body), kind, flags, sequence, 0)
    return (head + body).ljust((len(head) + len(body) + 3) & ~3, b"\0")


@contextmanager
def kernel(answer: Callable[[int, int], list[bytes]]) -> Iterator[socket.socket]:
    """A kernel of ours: `answer(attempt, sequence)` gives the datagrams of one dump."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def serve() -> None:
        attempt = 0
        while request := theirs.recv(4096):
            attempt += 1
            for datagram in answer(attempt, next(netlink.messages(request))[2]):
                theirs.send(datagram)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        ours.settimeout(10)
        yield ours
    finally:
        ours.send(b"")
        thread.join(10)
        ours.close()
        theirs.close()


def test_a_dump_that_changed_on_the_way_is_asked_for_again() -> None:
    asked = []

    def answer(attempt: int, sequence: int) -> list[bytes]:
        asked.append(attempt)
        interrupted = netlink.NLM_F_DUMP_INTR if attempt < 3 else 0
        body = f"attempt {attempt}".encode()
        done = message(netlink.NLMSG_DONE, interrupted, sequence, bytes(4))
        return [message(rtnl.RTM_NEWLINK, 2, sequence, body), message(rtnl.RTM_NEWLINK, 2, sequence, body) + done]

    with kernel(answer) as sock:
        assert netlink.dump(sock, rtnl.RTM_GETLINK, b"") == [b"attempt 3", b"attempt 3"]
    assert asked == [1, 2, 3]


def test_a_dump_that_never_holds_still_gives_the_last_answer() -> None:
    def answer(attempt: int, sequence: int) -> list[bytes]:
        body = message(rtnl.RTM_NEWLINK, netlink.NLM_F_DUMP_INTR, sequence, b"x" * attempt)
        return [body, message(netlink.NLMSG_DONE, 0, sequence, bytes(4))]

    with kernel(answer) as sock:
        assert netlink.dump(sock, rtnl.RTM_GETLINK, b"", attempts=4) == [b"xxxx"]


def test_a_message_larger_than_the_buffer_is_read_whole() -> None:
    big = bytes(range(256)) * 400  # 102,400 bytes; the first buffer has 65,536

    def answer(attempt: int, sequence: int) -> list[bytes]:
        return [message(rtnl.RTM_NEWLINK, 2, sequence, big) + message(netlink.NLMSG_DONE, 0, sequence, bytes(4))]

    with kernel(answer) as sock:
        assert netlink.dump(sock, rtnl.RTM_GETLINK, b"") == [big]


def test_a_late_answer_to_an_earlier_request_is_not_ours() -> None:
    def answer(attempt: int, sequence: int) -> list[bytes]:
        stale = message(netlink.NLMSG_DONE, 0, sequence + 77, bytes(4))
        mine = message(rtnl.RTM_NEWLINK, 2, sequence, b"mine")
        return [stale + mine, message(netlink.NLMSG_DONE, 0, sequence, bytes(4))]

    with kernel(answer) as sock:
        assert netlink.dump(sock, rtnl.RTM_GETLINK, b"") == [b"mine"]


def test_an_error_of_the_kernel_is_its_errno() -> None:
    def answer(attempt: int, sequence: int) -> list[bytes]:
        return [message(netlink.NLMSG_ERROR, 0, sequence, (-errno.EPERM).to_bytes(4, "little", signed=True))]

    with kernel(answer) as sock, pytest.raises(PermissionError):
        netlink.dump(sock, rtnl.RTM_GETLINK, b"")


def test_this_machine_has_its_loopback() -> None:
    links = rtnl.links()
    assert [link.index for link in links] == sorted(link.index for link in links)
    assert any(link.kind == "loopback" for link in links)


def test_listening_needs_no_privilege() -> None:
    with rtnl.listen() as sock:
        assert sock.getblocking() is False
        assert sock.getsockname()[1] != 0
