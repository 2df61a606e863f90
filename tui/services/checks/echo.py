"""Packets of a given size that may not be cut on the way (RFC 792 and RFC 4443 echo, RFC 1191 and RFC 8201).

IP_PMTUDISC_PROBE (ip(7)): what the kernel believes of the path does not count, the packet leaves as it is. Needs
CAP_NET_RAW.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import struct
from dataclasses import dataclass

from tui.services.checks.bound import bound, where
from tui.services.checks.frames import Ip
from tui.services.checks.way import Way

TRIES, PATIENCE = 3, 0.6
"""Packets of one size, and the seconds that each is waited for."""
_PROBE = 3
_IPV6_MTU_DISCOVER, _IPV6_DONTFRAG = 23, 62
_MTU_DISCOVER = 10
SMALL = 128
"""Bytes of a packet that no firewall minds, if it lets echoes pass at all."""


@dataclass(frozen=True, slots=True)
class Path:
    """What passes towards a machine.

    Attributes:
        answers: small packets are answered; else nothing is known.
        size: bytes of the largest packet that passed.
        told: where it is less than the link's MTU, a router said so, as it should; else they vanish.
    """

    answers: bool
    size: int = 0
    told: bool = False


async def path(way: Way, to: Ip) -> Path:
    """Which size passes to `to`, up to the MTU of the link.

    Raises:
        OSError: CAP_NET_RAW is missing, or there is no address to leave with.
    """
    protocol = socket.IPPROTO_ICMP if to.version == 4 else socket.IPPROTO_ICMPV6
    with bound(way, to, socket.SOCK_RAW, protocol) as raw:
        if to.version == 4:
            raw.setsockopt(socket.IPPROTO_IP, _MTU_DISCOVER, _PROBE)
        else:
            raw.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PROBE)
            raw.setsockopt(socket.IPPROTO_IPV6, _IPV6_DONTFRAG, 1)
        echo = _Echo(raw, way, to)
        if not await echo.answered(SMALL):
            return Path(answers=False)
        if await echo.answered(way.link.mtu):
            return Path(True, way.link.mtu)
        if echo.told:
            return Path(True, echo.told, told=True)
        if not await echo.answered(SMALL):  # it has fallen silent altogether: nothing is known
            return Path(answers=False)
        return Path(True, await _largest(echo, SMALL, way.link.mtu))


async def _largest(echo: _Echo, passes: int, vanishes: int) -> int:
    """Halve the gap a few times: a person reads this number, nothing is set by it."""
    while vanishes - passes > 32:
        middle = (passes + vanishes) // 2
        if await echo.answered(middle, 1):
            passes = middle
        else:
            vanishes = middle
    return passes


class _Echo:
    def __init__(self, raw: socket.socket, way: Way, to: Ip) -> None:
        self._raw, self._to, self._where = raw, to, where(way, to, 0)
        self._identity, self._number = secrets.randbits(16), 0
        self._request, self._reply, self._header = (8, 0, 20) if to.version == 4 else (128, 129, 40)
        self.told = 0

    async def answered(self, size: int, tries: int = TRIES) -> bool:
        """Whether one of `tries` packets of `size` bytes, IP header included, came back."""
        for _ in range(tries):
            self._number += 1
            packet = self._packet(size)
            try:
                self._raw.sendto(packet, self._where)
            except OSError:  # EMSGSIZE: larger than the link; EHOSTUNREACH: neighbour gone
                return False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    while True:
                        data = await asyncio.get_running_loop().sock_recv(self._raw, 65535)
                        if self._is_reply(data):
                            return True
                        if self.told:
                            return False
        return False

    def _packet(self, size: int) -> bytes:
        body = bytes(size - self._header - 8)
        head = struct.pack("!BBHHH", self._request, 0, 0, self._identity, self._number)
        if self._to.version == 6:  # the kernel fills the checksum in (RFC 3542 section 3.1)
            return head + body
        return struct.pack("!BBHHH", 8, 0, checksum(head + body), self._identity, self._number) + body

    def _is_reply(self, data: bytes) -> bool:
        """Also takes note where a router says what would fit (type 3 code 4, type 2)."""
        if self._to.version == 4:
            data = data[(data[0] & 0x0F) * 4 :]
        if len(data) < 8:
            return False
        kind, code, _, identity, number = struct.unpack_from("!BBHHH", data)
        if (kind, code) == ((3, 4) if self._to.version == 4 else (2, 0)) and self._to.packed in data[8:48]:
            self.told = number if self._to.version == 4 else int.from_bytes(data[4:8])
            return False
        return bool(kind == self._reply and identity == self._identity and number == self._number)


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
