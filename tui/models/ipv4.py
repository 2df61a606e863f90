"""Typed IPv4 addresses made into values; every refusal names its cause.

Sources: RFC 4632 (prefix length), RFC 6943 section 3.1.1 (a leading zero is octal to some). Python's own
`ip_interface` takes an address without prefix as /32 and a host mask as a mask; both are caught before it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Interface, IPv6Address

from tui.models.address import FOUR_NUMBERS, QUAD, plain, repeated, single, usable
from tui.models.wrong import Wrong, quoted

NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


def interface4(text: str) -> IPv4Interface:
    """An IPv4 address with its prefix: 192.0.2.10/24, 192.0.2.10/255.255.255.0 or 192.0.2.10 255.255.255.0.

    Raises:
        Wrong: with the issue to show at the field.
    """
    text = re.sub(r"\s*/\s*", "/", plain(text, interface4))
    host, slash, size = text.partition("/")
    if not slash and len(parts := text.split()) == 2:
        host, size = parts
        if not QUAD.fullmatch(size):
            ip = four(host, "192.0.2.10/24")
            raise Wrong("N101", f"Between {ip} and {quoted(size)} the slash is missing.", f"Type {_sized(ip, size)}.")
    address = usable(four(host, "192.0.2.10/24", tail=repeated(size)))
    return IPv4Interface((address, _prefix4(address, size)))


def gateway4(text: str) -> IPv4Address:
    """An IPv4 address without prefix.

    Raises:
        Wrong: with the issue to show at the field.
    """
    text = plain(text, gateway4)
    return usable(four(single(text, four, "192.0.2.1"), "192.0.2.1"))


def four(text: str, example: str, tail: str = "") -> IPv4Address:
    """Four numbers with dots. `tail` is what was typed after them, for the remedy to repeat.

    Raises:
        Wrong: with the issue to show at the field.
    """
    text = text.strip()
    if not QUAD.fullmatch(text):
        raise _refusal(text, example, tail)
    numbers = text.split(".")
    if high := next((n for n in numbers if int(n) > 255), None):
        cause = f"{high} in {text} is too big; each number goes from 0 to 255."
        raise Wrong("N120", cause, f"Correct it, as in {example}.")
    if zero := next((n for n in numbers if len(n) > 1 and n[0] == "0"), None):
        cause = f"{zero} in {text} begins with a zero; some programs read that as octal."
        raise Wrong("N104", cause, f"Type {_decimal(numbers)}{tail}.")
    address = IPv4Address(text)
    if numbers[0] == "255" and mask_length(address) is not None:
        raise Wrong("N108", f"{text} is a mask, not an address.", f"Type the address itself, such as {example}.")
    return address


def _refusal(text: str, example: str, tail: str) -> Wrong:
    """Why `text` is not four numbers with dots."""
    such = f"Type an address such as {example}."
    shown = quoted(text)
    if not text:
        return Wrong("N117", "The address is missing.", such)
    with suppress(ValueError):
        six = IPv6Address(text.partition("%")[0].strip("[]"))
        if six.ipv4_mapped:
            return Wrong("N110", f"{shown} is an IPv4 address in IPv6 dress.", f"Type {six.ipv4_mapped}{tail}.")
        return Wrong("N107", f"{shown} is an IPv6 address; here an IPv4 address is needed.", such)
    if numbers := FOUR_NUMBERS.fullmatch(text):
        remedy = f"Type {_decimal(numbers.groups())}{tail}."
        return Wrong("N112", f"The numbers in {shown} are not all separated by dots.", remedy)
    if re.fullmatch(r"[0-9.]+", text):
        if QUAD.fullmatch(dotted := text.strip(".")):
            return Wrong("N120", f"{shown} has a dot too many.", f"Type {dotted}{tail}.")
        count = len(re.findall(r"[0-9]+", text))
        cause = f"{shown} has {count} number{'s' * (count != 1)}; an IPv4 address has four, from 0 to 255."
        return Wrong("N120", cause, such)
    if NAME.fullmatch(text):
        return Wrong("N114", f"{shown} is a name; here the address is needed.", such)
    return Wrong("N102", f"{shown} is not an IPv4 address.", such)


def _decimal(numbers: Sequence[str]) -> str:
    return ".".join(str(int(n)) for n in numbers)


def mask_length(mask: IPv4Address) -> int | None:
    """The prefix length of a mask of ones followed by zeros; None if it is not one."""
    zeros = ~int(mask) & 0xFFFFFFFF
    return None if zeros & (zeros + 1) else 32 - zeros.bit_length()


def _prefix4(address: IPv4Address, size: str) -> int:
    """The prefix length that was typed as a number or as a mask.

    Raises:
        Wrong: N101 none, N103 host mask, N104 leading zero, N105 holes in the mask, N106 out of range, N124 no mask.
    """
    if not size:
        remedy = f"Add it, such as {address}/24, which is the mask 255.255.255.0."
        raise Wrong("N101", f"{address} has no prefix length.", remedy)
    if re.fullmatch(r"[0-9]{1,4}", size):
        if not 1 <= int(size) <= 32:
            raise Wrong(
                "N106", f"A prefix length goes from 1 to 32; {size} is outside.", f"Type it such as {address}/24."
            )
        if size.startswith("0"):
            raise Wrong("N104", f"The prefix length {size} begins with a zero.", f"Type {address}/{int(size)}.")
        return int(size)
    if not QUAD.fullmatch(size):
        raise Wrong("N106", f"{quoted(size)} is neither a prefix length nor a mask.", f"Type it such as {address}/24.")
    numbers = [int(n) for n in size.split(".")]
    if max(numbers) > 255:
        cause = f"{max(numbers)} in {size} is too big; each number goes from 0 to 255."
        raise Wrong("N120", cause, f"Correct the mask, or type the prefix, such as {address}/24.")
    fixed = _decimal(size.split("."))
    if fixed != size:
        raise Wrong("N104", f"A number in {size} begins with a zero.", f"Type {address}/{fixed}.")
    mask = IPv4Address(size)
    length = mask_length(mask)
    if length == 0:
        raise Wrong("N106", "The mask 0.0.0.0 would mean the whole Internet.", f"Type it such as {address}/24.")
    if length is not None:
        return length
    inverse = mask_length(IPv4Address(~int(mask) & 0xFFFFFFFF))
    if inverse:
        raise Wrong("N103", f"{size} is a host mask (the ones are at the wrong end).", f"Type {address}/{inverse}.")
    if numbers[0] == 255:
        remedy = f"Check the mask; {address}/24 means 255.255.255.0."
        raise Wrong("N105", f"The mask {size} has holes: after the first zero bit only zeros can follow.", remedy)
    remedy = f"Type the prefix there, such as {address}/24; a gateway has its own field."
    raise Wrong("N124", f"{size} after the address is not a mask; it looks like another address.", remedy)


def _sized(address: IPv4Address, size: str) -> str:
    """What was probably meant, for a remedy."""
    number = int(size) if re.fullmatch(r"/?[0-9]{1,2}", size) else 24
    return f"{address}/{number if 1 <= number <= 32 else 24}"
