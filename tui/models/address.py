"""What is true of every typed address, IPv4 or IPv6: plain characters, one entry, one that a host can have.

Sources: RFC 1122 section 3.2.1.3 and RFC 6890 (addresses that no host can have).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

from tui.models.wrong import Wrong, ascii_of, clean, quoted

Ip = TypeVar("Ip", bound=IPv4Address | IPv6Address)
Value = TypeVar("Value")
QUAD = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
FOUR_NUMBERS = re.compile(r"([0-9]{1,3})[.,:;_ -]+([0-9]{1,3})[.,:;_ -]+([0-9]{1,3})[.,:;_ -]+([0-9]{1,3})")


def usable(ip: Ip, *, loopback: bool = False) -> Ip:
    """The address itself, if a host can have it.

    Raises:
        Wrong: N203 multicast, N204 loopback, N205 unspecified, N206 reserved.
    """
    remedy = "Take an address from the network plan of this site."
    if ip.is_multicast:
        raise Wrong("N203", f"{ip} is a multicast address; no single box can have it.", remedy)
    if ip.is_loopback and not loopback:
        raise Wrong("N204", f"{ip} is a loopback address; it never leaves the box itself.", remedy)
    if ip.is_unspecified or (ip.version == 4 and int(ip) >> 24 == 0):
        raise Wrong("N205", f'{ip} stands for "no address"; no box can have it.', remedy)
    if ip.version == 4 and int(ip) >> 28 == 0xF:
        raise Wrong("N206", f"{ip} is in 240.0.0.0/4, which is reserved; no router carries it.", remedy)
    return ip


def plain(text: str, parse: Callable[[str], Value]) -> str:
    """Stripped ASCII text, not empty.

    Raises:
        Wrong: N117 empty, N111 digits or signs of another script, N113 a URL.
    """
    text = clean(text)
    if not text:
        raise Wrong("N117", "Nothing is typed here.", "Type an address, such as 192.0.2.10/24.")
    if not text.isascii():
        strange = next(c for c in text if not c.isascii())
        remedy = "Type it with the digits 0 to 9 and plain dots or colons."
        if (folded := ascii_of(text)).isascii():
            with suppress(Wrong):
                remedy = f"Type {parse(folded)}."
        raise Wrong("N111", f"{quoted(strange)} (U+{ord(strange):04X}) is not a plain digit or sign.", remedy)
    if "://" in text:
        host = re.split(r"[/?#]", text.split("://", 1)[1])[0].rpartition("@")[2]
        known = QUAD.match(host)
        remedy = f"Type only the address: {known[0]}." if known else "Type only the address, such as 192.0.2.53."
        raise Wrong("N113", f"{quoted(text)} is a URL; here an address is needed.", remedy)
    return text


def single(text: str, read: Callable[[str, str], Ip], example: str) -> str:
    """`text` if it is one address without prefix.

    Raises:
        Wrong: N118 several, N119 with a prefix.
    """
    host, slash, _ = text.partition("/")
    if slash:
        raise Wrong(
            "N119", f"{quoted(text)} has a prefix; here only the address is needed.", f"Type {read(host, example)}."
        )
    if len(parts := [p for p in re.split(r"[,;\s]+", text) if p]) > 1 and not FOUR_NUMBERS.fullmatch(text):
        raise Wrong(
            "N118", f"There are {len(parts)} entries; here only one is possible.", f"Type {read(parts[0], example)}."
        )
    return text


def repeated(size: str) -> str:
    """The prefix that was typed after an address, for a remedy that repeats the address; "" if it is no prefix."""
    return f"/{size}" if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9]{1,3}", size) else ""
