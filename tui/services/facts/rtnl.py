"""The kernel's links, addresses and routes by rtnetlink(7), with `socket` and `struct` alone.

The first screen and `onsite status` pay for every import, and a dump needs no more than this. Reading needs no
privilege. Constants are those of linux/{rtnetlink,if_link,if_addr}.h.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Iterator

from tui.models.facts import Address, Link, OperState, Origin, Route
from tui.services.facts import layer
from tui.services.facts.ethtool import with_hardware
from tui.services.facts.netlink import attributes, dump, number, text

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_NEWADDR, RTM_GETADDR, RTM_NEWROUTE, RTM_GETROUTE = 16, 17, 18, 20, 22, 24, 26
LINKS = 0x1
_GROUPS = LINKS | 0x10 | 0x40 | 0x100 | 0x400
"""RTMGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE."""
_SOL_NETLINK, _NETLINK_GET_STRICT_CHK = 270, 12
_OPERSTATES: tuple[OperState, ...] = (
    "unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up",
)  # fmt: skip
_HARDWARE = {1: "ethernet", 32: "infiniband", 512: "ppp", 772: "loopback"}
"""ARPHRD_* of if_arp.h; a virtual link is named by its linkinfo kind instead."""
_LENGTHS: dict[int, int] = {socket.AF_INET: 4, socket.AF_INET6: 16}
_IFF_UP, _IFF_LOWER_UP = 0x1, 0x10000
_IFA_F_PERMANENT = 0x80
_MAIN = 254
_EXT_SKIP_STATS = struct.pack("=HHI", 8, 29, 1 << 3)
"""IFLA_EXT_MASK with RTEXT_FILTER_SKIP_STATS: counters are half of a link dump and nobody reads them here."""

_ifinfo = struct.Struct("=BxHiII")
_ifaddr = struct.Struct("=BBBBI")
_route = struct.Struct("=BBBBBBBBI")
_next_hop = struct.Struct("=HBBi")


def links() -> tuple[Link, ...]:
    """Every link of this network namespace with its addresses and main routes, sorted by index.

    Owner, lease and everything that files say is missing here.

    Raises:
        OSError: the kernel refused the dump.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as sock:
        with contextlib.suppress(OSError):  # before 4.20: the kernel sends every table, and we drop the others
            sock.setsockopt(_SOL_NETLINK, _NETLINK_GET_STRICT_CHK, 1)
        raw = dump(sock, RTM_GETLINK, _ifinfo.pack(0, 0, 0, 0, 0) + _EXT_SKIP_STATS)
        addresses = parse_addresses(dump(sock, RTM_GETADDR, _ifaddr.pack(0, 0, 0, 0, 0)))
        routes: dict[int, list[Route]] = {}
        for family in (socket.AF_INET, socket.AF_INET6):
            request = _route.pack(family, 0, 0, 0, _MAIN, 0, 0, 0, 0)
            try:
                parse_routes(dump(sock, RTM_GETROUTE, request), routes)
            except OSError as error:  # a half read must not pass for the whole: a revert would bring it "back"
                if error.errno not in (errno.EAFNOSUPPORT, errno.EOPNOTSUPP):  # a kernel without that family
                    raise
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asking:
        parsed = (parse_link(body, addresses, routes) for body in raw)
        found = [with_hardware(asking, link) for link in parsed if link is not None]
    return tuple(sorted(layer.named(found), key=lambda link: link.index))


def listen(groups: int = _GROUPS) -> socket.socket:
    """A non-blocking socket that becomes readable when links, addresses or routes change, or with `LINKS` links only.

    What it delivers is a hint to read again: ENOBUFS means that events were lost, and the socket goes on.

    Raises:
        OSError: as bind(2).
    """
    sock = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
    )
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind((0, groups))
    except OSError:
        sock.close()
        raise
    return sock


def parse_link(body: bytes, addresses: dict[int, list[Address]], routes: dict[int, list[Route]]) -> Link | None:
    """A link of an RTM_NEWLINK body; None where it is no such thing."""
    if len(body) < _ifinfo.size:
        return None
    _, hardware, index, flags, _ = _ifinfo.unpack_from(body)
    found = attributes(body, _ifinfo.size)
    name = text(found.get(3))
    if not name:
        return None
    info = attributes(found.get(18, b""), 0)
    kind, permanent = text(info.get(1)) or _HARDWARE.get(hardware, "other"), _mac(found.get(54))
    state = number(found.get(16))
    mine = addresses.get(index, ())
    return Link(
        index=index,
        name=name,
        mac=("" if permanent else layer.own_mac(info)) or _mac(found.get(1)),
        permanent_mac=permanent,
        kind=kind,
        admin_up=bool(flags & _IFF_UP),
        operstate=_OPERSTATES[state] if state < len(_OPERSTATES) else "unknown",
        carrier=bool(flags & _IFF_LOWER_UP),
        mtu=number(found.get(4), 1500),
        min_mtu=number(found.get(50), 68),
        max_mtu=number(found.get(51)) or 65535,
        addresses=tuple(mine),
        routes=tuple(routes.get(index, ())),
        master=str(number(found[10])) if 10 in found else "",
        layer=layer.layer(kind, info, number(found.get(5))),
        partner=layer.partner(kind, info),
    )


def parse_addresses(bodies: list[bytes]) -> dict[int, list[Address]]:
    """The addresses of RTM_NEWADDR bodies by the index of their link, in the kernel's order."""
    found: dict[int, list[Address]] = {}
    for body in bodies:
        if len(body) < _ifaddr.size:
            continue
        family, prefix, flags, scope, index = _ifaddr.unpack_from(body)
        values = attributes(body, _ifaddr.size)
        ip = _ip(family, values.get(2) or values.get(1))  # IFA_LOCAL, for IPv6 only IFA_ADDRESS
        if not ip:
            continue
        flags = number(values.get(8), flags)
        valid = number(values.get(6, b"")[4:8] or None, 0xFFFFFFFF)
        origin = _origin(ip, flags, scope, values.get(11))
        seconds = None if valid == 0xFFFFFFFF else valid
        found.setdefault(index, []).append(Address(f"{ip}/{prefix}", origin, flags, seconds))
    return found


def _origin(ip: str, flags: int, scope: int, protocol: bytes | None) -> Origin:
    """What the kernel alone tells; files and leases may know better.

    IFA_PROTO (5.18): 1 kernel_lo, 2 kernel_ra, 3 kernel_ll; 16 is how we mark a lease. Before it, an address with a
    lifetime came from a lease or from a router.
    """
    if protocol in (b"\1", b"\3") or scope == 254 or ip.startswith("fe80:"):
        return "kernel"
    if protocol == b"\2":
        return "ra"
    if protocol == b"\x10":
        return "dhcp"
    if not flags & _IFA_F_PERMANENT:
        return "ra" if ":" in ip else "dhcp"
    return "other"


def parse_routes(bodies: list[bytes], into: dict[int, list[Route]]) -> None:
    """Add the unicast routes of the main table to those of their links; one entry a next hop."""
    for body in bodies:
        if len(body) < _route.size:
            continue
        family, length, _, _, table, protocol, _, kind, flags = _route.unpack_from(body)
        values = attributes(body, _route.size)
        if kind != 1 or flags & 0x200 or number(values.get(15), table) != _MAIN:  # RTN_UNICAST, RTM_F_CLONED
            continue
        destination = f"{_ip(family, values.get(1)) or ('::' if family == 10 else '0.0.0.0')}/{length}"  # noqa: S104
        for index, hop_flags, hop in _hops(values, flags):
            route = Route(
                destination="default" if length == 0 else destination,
                gateway=_ip(family, hop.get(5)) or _via(hop.get(18)),
                metric=number(values.get(6)),
                protocol=protocol,
                on_link=bool(hop_flags & 0x4),
                family=6 if family == socket.AF_INET6 else 4,
                source=_ip(family, values.get(7)),
            )
            into.setdefault(index, []).append(route)


def _hops(values: dict[int, bytes], flags: int) -> Iterator[tuple[int, int, dict[int, bytes]]]:
    if 4 in values:
        yield number(values[4]), flags, values
    many, at = values.get(9, b""), 0
    while at + _next_hop.size <= len(many):
        length, hop_flags, _, index = _next_hop.unpack_from(many, at)
        if length < _next_hop.size or at + length > len(many):
            return
        yield index, hop_flags, attributes(many[at : at + length], _next_hop.size)
        at += (length + 3) & ~3


def _mac(value: bytes | None) -> str:
    return value.hex(":") if value and any(value) and len(value) <= 20 else ""


def _ip(family: int, value: bytes | None) -> str:
    if value is None or len(value) != _LENGTHS.get(family):
        return ""
    return socket.inet_ntop(family, value)


def _via(value: bytes | None) -> str:
    """RTA_VIA: an IPv4 route whose next hop is an IPv6 address (RFC 5549)."""
    if value is None or len(value) < 3:
        return ""
    return _ip(number(value[:2]), value[2:])
