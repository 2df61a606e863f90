"""Frames of one link, read and written raw (packet(7))."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Callable

_ALL = 0x0003
"""ETH_P_ALL"""
_SOL_PACKET, _AUXDATA = 263, 8
_OUTGOING = 4
_VLAN_VALID = 1 << 4
"""TP_STATUS_VLAN_VALID: the kernel took the tag out of the frame and tells it beside it."""

Answer = Callable[[bytes, int | None], bytes | None]
"""From a frame without its tag, and its VLAN or None, to the frame to send back, or None."""


def open_wire(name: str) -> socket.socket:
    """A socket that sees every frame of link `name`.

    Raises:
        OSError: no such link, or CAP_NET_RAW is missing.
    """
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    wire.setsockopt(_SOL_PACKET, _AUXDATA, 1)
    wire.bind((name, _ALL))
    return wire


def receive(wire: socket.socket) -> tuple[bytes, int | None] | None:
    """The next frame that came in, with its VLAN; None for one of our own.

    Raises:
        BlockingIOError: none is there.
    """
    frame, beside, _flags, address = wire.recvmsg(65535, socket.CMSG_SPACE(20))
    if address[2] == _OUTGOING:
        return None
    for level, kind, data in beside:
        if level == _SOL_PACKET and kind == _AUXDATA:
            status, _length, _kept, _mac, _net, tci, _tpid = struct.unpack("=IIIHHHH", data[:20])
            if status & _VLAN_VALID:
                return frame, tci & 0x0FFF
    return frame, None


def send(wire: socket.socket, frame: bytes) -> None:
    """Put a frame on the wire; a link that is down or full loses it, as a wire does."""
    try:
        wire.send(frame)
    except OSError as error:
        if error.errno not in (errno.ENETDOWN, errno.ENOBUFS, errno.EAGAIN):
            raise


def answer_all(wire: socket.socket, answer: Answer) -> None:
    """From now on let `answer` see every frame, on the running event loop."""

    def ready() -> None:
        try:
            received = receive(wire)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno == errno.ENETDOWN:  # told once when the link goes down; frames come again when it is up
                return
            raise
        if received and (reply := answer(*received)):
            send(wire, reply)

    asyncio.get_running_loop().add_reader(wire, ready)
