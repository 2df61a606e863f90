"""One question to one name server (RFC 1035, AAAA of RFC 3596), asked by ourselves over UDP.

Nothing of the host's own resolver is in between: no cache, no search list, no hosts file, no other server.
"""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from tui.services.checks.bound import asked
from tui.services.checks.frames import Ip
from tui.services.checks.way import Way

TYPES = {4: 1, 6: 28}
"""A and AAAA."""
TRIES, PATIENCE = 3, 1.0
"""Questions to a silent server, and the seconds that each is waited for."""
CODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


class Malformed(ValueError):
    """Not an answer that RFC 1035 knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: its code (RFC 1035 section 4.1.1) and the addresses among its records."""

    code: int
    addresses: tuple[Ip, ...] = ()

    @property
    def word(self) -> str:
        return CODES.get(self.code, f"code {self.code}") if self.code else "no error"


async def ask(way: Way, server: Ip, name: str, family: int) -> Answer:
    """The addresses of one family that `server` gives for `name`.

    Raises:
        TimeoutError: no answer in `TRIES` times `PATIENCE` seconds.
        OSError: as `bound.asked`.
        Malformed: an answer that cannot be read, or a name that cannot be asked for.
    """
    identity = secrets.randbits(16)
    packet = question(identity, name, TYPES[family])

    def fits(data: bytes) -> bool:
        head = len(packet)
        same = data[12:head].lower() == packet[12:].lower()
        return data[:2] == packet[:2] and len(data) >= 12 and bool(data[2] & 0x80) and (same or data[4:6] == b"\0\0")

    return parse(await asked(way, server, 53, [packet] * TRIES, PATIENCE, fits))


def question(identity: int, name: str, kind: int) -> bytes:
    """Raises Malformed for a name that no question can hold."""
    try:
        labels = [label.encode("idna") for label in name.rstrip(".").split(".")] if name.rstrip(".") else []
    except UnicodeError as error:
        raise Malformed(f"{name!r} is no host name") from error
    if any(not 0 < len(label) < 64 for label in labels):
        raise Malformed(f"{name!r} is no host name")
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return struct.pack("!HHHHHH", identity, 0x0100, 1, 0, 0, 0) + encoded + struct.pack("!HH", kind, 1)


def parse(data: bytes) -> Answer:
    """Raises Malformed where the packet ends too early."""
    try:
        _, flags, questions, answers = struct.unpack_from("!HHHH", data)
        at = 12
        for _ in range(questions):
            at = _past_name(data, at) + 4
        found: list[Ip] = []
        for _ in range(answers):
            at = _past_name(data, at)
            kind, _, _, length = struct.unpack_from("!HHIH", data, at)
            value, at = data[at + 10 : at + 10 + length], at + 10 + length
            if kind == TYPES[4] and len(value) == 4:
                found.append(IPv4Address(value))
            elif kind == TYPES[6] and len(value) == 16:
                found.append(IPv6Address(value))
    except (struct.error, IndexError) as error:
        raise Malformed("an answer that ends too early") from error
    return Answer(flags & 0x0F, tuple(found))


def _past_name(data: bytes, at: int) -> int:
    """Where a name ends; a pointer (RFC 1035 section 4.1.4) is its end."""
    while length := data[at]:
        if length & 0xC0:
            return at + 2
        at += 1 + length
    return at + 1
