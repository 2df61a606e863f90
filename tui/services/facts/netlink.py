"""The envelope of netlink(7): dumps, messages and attributes, as bytes.

Constants are those of linux/netlink.h. Nothing here knows what a link is.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator

NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN = 2, 3, 4
NLM_F_REQUEST, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x1, 0x10, 0x300
_BUFFER = 1 << 16
"""Bytes; the kernel makes the parts of a dump as large as the reader can take (at most 32 KiB)."""

_header = struct.Struct("=IHHII")
_attribute = struct.Struct("=HH")


def dump(sock: socket.socket, kind: int, request: bytes, *, attempts: int = 5) -> list[bytes]:
    """The bodies of all messages that answer one dump request.

    A dump during which the table changed is asked for again; after `attempts` the last answer has to do.

    Raises:
        OSError: with the kernel's errno; EOVERFLOW where the kernel lost messages each time.
    """
    peeked = bytearray(1)
    for attempt in range(1, attempts + 1):
        sequence = attempt
        sock.send(_header.pack(_header.size + len(request), kind, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0) + request)
        bodies: list[bytes] = []
        whole, done = True, False
        while not done:
            # asked before it is taken: a message cut short could take the end of the dump with it
            size = sock.recv_into(peeked, 1, socket.MSG_PEEK | socket.MSG_TRUNC)
            data = sock.recv(max(size, _BUFFER))
            for message, message_flags, message_sequence, body in messages(data):
                if message_sequence != sequence:
                    continue
                if message_flags & NLM_F_DUMP_INTR:
                    whole = False
                if message == NLMSG_DONE:
                    done = True
                elif message == NLMSG_ERROR:
                    number = -int.from_bytes(body[:4], sys.byteorder, signed=True)
                    raise OSError(number, os.strerror(number))
                elif message == NLMSG_OVERRUN:
                    whole = False
                else:
                    bodies.append(body)
        if whole:
            return bodies
    if bodies:
        return bodies
    raise OSError(errno.EOVERFLOW, os.strerror(errno.EOVERFLOW))


def messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Type, flags, sequence number and body of each netlink message; what is cut short is left out."""
    at, end = 0, len(data)
    while at + _header.size <= end:
        length, kind, flags, sequence, _ = _header.unpack_from(data, at)
        if length < _header.size or at + length > end:
            return
        yield kind, flags, sequence, data[at + _header.size : at + length]
        at += (length + 3) & ~3


def attributes(data: bytes, start: int) -> dict[int, bytes]:
    """The attributes after a fixed header of `start` bytes; what is cut short is left out."""
    found: dict[int, bytes] = {}
    at, end = start, len(data)
    while at + 4 <= end:
        length, kind = _attribute.unpack_from(data, at)
        if length < 4 or at + length > end:
            break
        found[kind & 0x3FFF] = data[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


def text(value: bytes | None) -> str:
    """A NUL-terminated string; "" where the attribute is missing."""
    return value.split(b"\0", 1)[0].decode("utf-8", "replace") if value else ""


def number(value: bytes | None, default: int = 0) -> int:
    """An unsigned number of any width in the byte order of this machine."""
    return int.from_bytes(value, sys.byteorder) if value else default
