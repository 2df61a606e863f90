"""Ping and traceroute for a person who asks from far away: text as those two programs print it.

Own packets, so that no program of the distribution has to be there. Routers on the way are found by the errors that
UDP datagrams with a small TTL bring back (IP_RECVERR, ip(7)), which needs no rights.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import struct
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from tui.services.checks.echo import checksum

COUNT, PATIENCE, HOPS = 4, 1.0, 30
"""Echoes; seconds for each answer; routers on a way."""
_SILENT = 5
"""Hops without an answer after which a way is given up."""
_PORT = 33434
_RECVERR = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}
_TTL = {4: (socket.IPPROTO_IP, socket.IP_TTL), 6: (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)}
_ERROR = struct.Struct("=IBBBBII")
_ERRQUEUE = 0x2000

Address = IPv4Address | IPv6Address


async def resolved(name: str) -> Address:
    """The first address of a name, or the address itself.

    Raises:
        OSError: there is none; the text is for a person.
    """
    with contextlib.suppress(ValueError):
        return ip_address(name)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(10):
            found = await loop.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    except TimeoutError as error:
        raise OSError(f"No name server told the address of {name} in time.") from error
    except (socket.gaierror, UnicodeError) as error:
        raise OSError(f"The name {name} has no address.") from error
    return ip_address(found[0][4][0])


async def ping(to: Address) -> str:
    """Four echoes. Raises OSError: this process may not send them."""
    family = socket.AF_INET if to.version == 4 else socket.AF_INET6
    protocol = socket.IPPROTO_ICMP if to.version == 4 else socket.IPPROTO_ICMPV6
    lines, times = [f"PING {to}"], []
    with socket.socket(family, socket.SOCK_RAW, protocol) as raw:
        raw.setblocking(False)
        identity = secrets.randbits(16)
        for number in range(1, COUNT + 1):
            if number > 1:
                await asyncio.sleep(0.2)
            begun = time.monotonic()
            try:
                raw.sendto(_request(to, identity, number), (str(to), 0))
                async with asyncio.timeout(PATIENCE):
                    while not _is_reply(to, await asyncio.get_running_loop().sock_recv(raw, 65535), identity, number):
                        pass
            except TimeoutError:
                lines.append(f"no answer to number {number}")
            except OSError as error:
                lines.append(f"number {number} was not sent: {error.strerror}")
            else:
                times.append((time.monotonic() - begun) * 1000)
                lines.append(f"answer from {to}: number {number}, {times[-1]:.2f} ms")
    lost = 100 * (COUNT - len(times)) // COUNT
    lines.append(f"{COUNT} sent, {len(times)} answered, {lost}% lost")
    if times:
        lines.append(f"shortest/middle/longest {min(times):.2f}/{sum(times) / len(times):.2f}/{max(times):.2f} ms")
    return "\n".join(lines)


def _request(to: Address, identity: int, number: int) -> bytes:
    body = bytes(range(48))
    if to.version == 6:  # the kernel fills the checksum in (RFC 3542 section 3.1)
        return struct.pack("!BBHHH", 128, 0, 0, identity, number) + body
    head = struct.pack("!BBHHH", 8, 0, 0, identity, number)
    return struct.pack("!BBHHH", 8, 0, checksum(head + body), identity, number) + body


def _is_reply(to: Address, data: bytes, identity: int, number: int) -> bool:
    if to.version == 4:
        data = data[(data[0] & 0x0F) * 4 :]
    return (
        len(data) >= 8
        and struct.unpack_from("!BBHHH", data)[::3] == (0 if to.version == 4 else 129, identity)
        and (struct.unpack_from("!H", data, 6)[0] == number)
    )


async def traceroute(to: Address) -> str:
    """One line a router, until the machine itself answers."""
    lines, silent = [f"traceroute to {to}, {HOPS} hops at most"], 0
    for ttl in range(1, HOPS + 1):
        begun = time.monotonic()
        who, arrived, words = await _hop(to, ttl)
        spent = (time.monotonic() - begun) * 1000
        silent = 0 if who else silent + 1
        lines.append(f"{ttl:>2}  {f'{who}  {spent:.2f} ms' if who else '*'}{f'  {words}' if words else ''}")
        if arrived:
            break
        if silent == _SILENT:
            lines.append(f"given up: {_SILENT} hops in a row are silent")
            break
    return "\n".join(lines)


async def _hop(to: Address, ttl: int) -> tuple[str, bool, str]:
    """(who answered, whether the way ends there, what else is to be said)."""
    family = socket.AF_INET if to.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        probe.setsockopt(*_RECVERR[to.version], 1)
        probe.setsockopt(*_TTL[to.version], ttl)
        try:
            probe.connect((str(to), _PORT + ttl))
            probe.send(b"onsite")
        except OSError as error:
            return "", True, error.strerror or ""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for origin, kind, code, sender in _errors(probe):
                if origin == 1:  # of this host itself: no route, no neighbour
                    return "", True, "this host finds no way"
                over = kind == (3 if to.version == 4 else 1)
                port_closed = over and code == (3 if to.version == 4 else 4)
                return sender, over, "" if port_closed or not over else f"says that it cannot be reached (code {code})"
            await asyncio.sleep(0.01)
    return "", False, ""


def _errors(probe: socket.socket) -> Iterator[tuple[int, int, int, str]]:
    """(origin, ICMP type, ICMP code, who sent it) out of the queue of errors."""
    with contextlib.suppress(BlockingIOError):
        _, ancillary, _, _ = probe.recvmsg(512, 512, _ERRQUEUE)
        for _, _, data in ancillary:
            if len(data) < _ERROR.size + 8:
                continue
            _, origin, kind, code, _, _, _ = _ERROR.unpack_from(data)
            family = struct.unpack_from("=H", data, _ERROR.size)[0]
            offender = data[_ERROR.size :]
            sender = offender[4:8] if family == socket.AF_INET else offender[8:24]
            named = family in (socket.AF_INET, socket.AF_INET6)
            yield origin, kind, code, str(ip_address(sender)) if named else ""
