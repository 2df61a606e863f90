"""One link while we ask and listen on it, by packet sockets (packet(7)); needs CAP_NET_RAW.

The sockets for answers take ARP and neighbour discovery only, so a busy link costs nothing. Every frame is looked at
only to learn whether they come with VLAN tags, and only until that is clear.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from tui.models.facts import Link
from tui.services.checks import frames
from tui.services.checks.frames import Ip

_ALL = 0x0003
"""ETH_P_ALL"""
_SOL_PACKET, _ADD_MEMBERSHIP, _AUXDATA = 263, 1, 8
GROUP, _PROMISCUOUS = 0, 1
"""PACKET_MR_*: a card hands over one multicast group more, or everything, frames of unknown VLANs included."""
_ATTACH_FILTER = 26
_FOR_OTHERS, _OUTGOING = 3, 4
_VLAN_VALID = 1 << 4
_ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
_ENOUGH = 200
"""Tagged frames that settle the question."""
_NEIGHBOUR_DISCOVERY = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 20),  # ldb [next header]
        (0x15, 0, 4, socket.IPPROTO_ICMPV6),  # jeq, else drop
        (0x30, 0, 0, 54),  # ldb [ICMPv6 type]
        (0x15, 1, 0, 135),  # solicitation: take
        (0x15, 0, 1, 136),  # advertisement: take, else drop
        (0x06, 0, 0, 0xFFFF),
        (0x06, 0, 0, 0),
    )
)
"""A classic BPF program (linux/filter.h)."""


class Wire:
    """Who has which address on one link, as far as it was heard.

    Attributes:
        holders: MACs that claimed an address; our own are left out.
        seekers: MACs that asked whether an address is free, which means that they want it too.
        vlans: VLANs that frames were tagged with, while `tags` was on.
        untagged: a frame without a tag was heard, while `tags` was on.
    """

    def __init__(self, link: Link, own: frozenset[str]) -> None:
        self.link = link
        self.holders: dict[Ip, set[str]] = {}
        self.seekers: dict[Ip, set[str]] = {}
        self.vlans: set[int] = set()
        self.untagged = False
        self._asked: set[Ip] = set()
        self._tagged = 0
        self._own = own | {link.mac}
        self._news = asyncio.Event()
        self._ports: dict[int, socket.socket] = {}

    def ask(self, address: Ip, sender: Ip | None = None) -> None:
        """Send one question; a link that is full or just went down loses it, as a wire does."""
        self._asked.add(address)
        port = self._ports[frames.ARP if address.version == 4 else frames.IPV6]
        with contextlib.suppress(OSError):
            port.send(frames.question(self.link.mac, address, sender))

    def asked(self, address: Ip) -> bool:
        """Whether it was asked for before."""
        return address in self._asked

    async def until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Listen until `condition` holds, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition():
                    self._news.clear()
                    await self._news.wait()

    @contextmanager
    def tags(self) -> Iterator[None]:
        """Look at every frame meanwhile, for its tag.

        Raises:
            OSError: as socket(2); the link is gone or CAP_NET_RAW is missing.
        """
        with open_port(self.link, _ALL) as port:
            port.setsockopt(_SOL_PACKET, _AUXDATA, 1)
            join(port, self.link, _PROMISCUOUS, b"")
            with reading(port, self._tag):
                yield

    def _tag(self, port: socket.socket) -> None:
        frame, beside, _, address = port.recvmsg(128, socket.CMSG_SPACE(20))
        if address[2] == _OUTGOING:
            return
        vlan = frames.vlan(frame, _tag_beside(beside))
        if vlan is None:
            return
        self.untagged = self.untagged or vlan == 0
        if vlan:
            self.vlans.add(vlan)
            self._tagged += 1
        self._news.set()
        if self.untagged or self._tagged >= _ENOUGH:
            asyncio.get_running_loop().remove_reader(port)

    def _hear(self, port: socket.socket) -> None:
        frame, address = port.recvfrom(2048)
        if address[2] in (_OUTGOING, _FOR_OTHERS):  # the latter are those with a tag, too
            return
        claim = frames.claim(frame)
        if claim is None or claim.mac in self._own:
            return
        heard = self.seekers if claim.seeking else self.holders
        heard.setdefault(claim.address, set()).add(claim.mac)
        self._news.set()


@contextmanager
def listening(link: Link, own: frozenset[str], addresses: Iterable[Ip]) -> Iterator[Wire]:
    """A wire that hears answers about `addresses` for as long as the block lasts.

    Raises:
        OSError: the link is gone, or CAP_NET_RAW is missing (PermissionError).
    """
    wire = Wire(link, own)
    groups = {_ALL_NODES} | {frames.solicited_node(a) for a in addresses if a.version == 6}
    with contextlib.ExitStack() as open_ports:
        for protocol in (frames.ARP, frames.IPV6):
            port = open_ports.enter_context(open_port(link, protocol))
            if protocol == frames.IPV6:
                for group in groups:
                    join(port, link, GROUP, frames.group_mac(group))
            wire._ports[protocol] = port
            open_ports.enter_context(reading(port, wire._hear))
        yield wire


@contextmanager
def open_port(link: Link, protocol: int) -> Iterator[socket.socket]:
    """A socket that gets the frames of one EtherType on one link.

    Raises:
        OSError: the link is gone, or CAP_NET_RAW is missing (PermissionError).
    """
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0) as port:
        if protocol == frames.IPV6:
            _only_neighbour_discovery(port)
        port.bind((link.name, protocol))
        yield port


@contextmanager
def reading(port: socket.socket, read: Callable[[socket.socket], None], *, pause_after: int = 0) -> Iterator[None]:
    """Call `read` whenever a frame is there, for as long as the block lasts.

    Args:
        pause_after: do not look for a second after so many frames, so that a flood costs next to nothing: the kernel
            drops what does not fit meanwhile. 0: never.
    """
    loop = asyncio.get_running_loop()
    left = pause_after
    pause: asyncio.TimerHandle | None = None

    def ready() -> None:
        nonlocal left, pause
        with contextlib.suppress(OSError):  # nothing there after all, or the link went down meanwhile
            read(port)
        left -= 1
        if left == 0:
            loop.remove_reader(port)
            pause = loop.call_later(1.0, look)

    def look() -> None:
        nonlocal left
        left = pause_after
        loop.add_reader(port, ready)

    look()
    try:
        yield
    finally:
        if pause is not None:
            pause.cancel()
        loop.remove_reader(port)


def join(port: socket.socket, link: Link, kind: int, address: bytes) -> None:
    """Have the card hand over one group more (`GROUP`), or everything, for as long as the socket is open."""
    port.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, struct.pack("iHH8s", link.index, kind, len(address), address))


def _only_neighbour_discovery(port: socket.socket) -> None:
    program = ctypes.create_string_buffer(_NEIGHBOUR_DISCOVERY)
    length = len(_NEIGHBOUR_DISCOVERY) // 8
    port.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", length, ctypes.addressof(program)))


def _tag_beside(messages: Iterable[tuple[int, int, bytes]]) -> int | None:
    """The tag control information that the kernel took out of the frame (struct tpacket_auxdata)."""
    for level, kind, data in messages:
        if (level, kind) == (_SOL_PACKET, _AUXDATA):
            status, _length, _kept, _mac, _net, control, _protocol = struct.unpack_from("=IIIHHHH", data)
            if status & _VLAN_VALID:
                return int(control)
    return None
