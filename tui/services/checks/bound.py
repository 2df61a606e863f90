"""Sockets that leave by one link with one source address, whatever the routing table of the process says.

SO_BINDTODEVICE (socket(7)) needs CAP_NET_RAW on older kernels; without it the source address alone decides.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tui.services.checks.frames import Ip
from tui.services.checks.way import Way

Fits = Callable[[bytes], bool]


class NoDoor(OSError):
    """There is no address to leave with; the text says of which kind."""


@contextmanager
def bound(way: Way, to: Ip, kind: int, protocol: int = 0) -> Iterator[socket.socket]:
    """A socket towards `to` that is closed with the block, whatever ends it.

    Raises:
        NoDoor: the link has no address of that family.
        OSError: as socket(2) and bind(2); the address has gone, or a right is missing.
    """
    family = socket.AF_INET if to.version == 4 else socket.AF_INET6
    door = None if to.is_loopback else way.door(to)
    if door is None and not to.is_loopback:
        raise NoDoor(f"{way.link.name} has no IPv{to.version} address")
    with socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol) as opened:
        if door is not None:
            name, source = door
            with contextlib.suppress(PermissionError):
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
            opened.bind((str(source), 0))
        yield opened


def where(way: Way, to: Ip, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """The address of `to` for connect(2); a link-local one names its link."""
    if to.version == 6:
        return str(to), port, 0, way.link.index if to.is_link_local else 0
    return str(to), port


async def asked(way: Way, server: Ip, port: int, packets: list[bytes], seconds: float, fits: Fits) -> bytes:
    """Send a UDP question until an answer to it comes: each of `packets` once, `seconds` apart.

    Args:
        fits: whether a datagram is an answer to the question; others are passed over.

    Raises:
        TimeoutError: none came.
        ConnectionRefusedError: the machine is there and nothing listens (ICMP port unreachable).
        OSError: as socket(2).
    """
    import asyncio

    loop = asyncio.get_running_loop()
    with bound(way, server, socket.SOCK_DGRAM) as asking:
        asking.connect(where(way, server, port))
        for packet in packets:
            asking.send(packet)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not fits(answer := await loop.sock_recv(asking, 4096)):
                        pass
                    return answer
    raise TimeoutError
