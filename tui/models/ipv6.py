"""Typed IPv6 addresses made into values; every refusal names its cause.

Sources: RFC 4291 section 2.2 (text form), RFC 4007 section 11 (zones).
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, IPv6Interface

from tui.models.address import QUAD, plain, repeated, single, usable
from tui.models.ipv4 import NAME
from tui.models.wrong import Wrong, quoted


def interface6(text: str) -> IPv6Interface:
    """An IPv6 address with its prefix length, such as 2001:db8:0:1::10/64.

    Raises:
        Wrong: with the issue to show at the field.
    """
    text = re.sub(r"\s*/\s*", "/", plain(text, interface6))
    host, _, size = text.partition("/")
    address = usable(six(host, "2001:db8:0:1::10/64", tail=repeated(size)))
    if not size:
        raise Wrong("N101", f"{address} has no prefix length.", f"Add it, such as {address}/64.")
    if not re.fullmatch(r"[0-9]{1,3}", size) or not 1 <= int(size) <= 128:
        raise Wrong("N106", f"{quoted(size)} is not a prefix length from 1 to 128.", f"Type {address}/64.")
    if size.startswith("0"):
        raise Wrong("N104", f"The prefix length {size} begins with a zero.", f"Type {address}/{int(size)}.")
    return IPv6Interface((address, int(size)))


def gateway6(text: str) -> IPv6Address:
    """An IPv6 address without prefix; link-local is fine, its zone is known from the interface.

    Raises:
        Wrong: with the issue to show at the field.
    """
    text = plain(text, gateway6)
    return usable(six(single(text, six, "2001:db8:0:1::1"), "2001:db8:0:1::1"))


def six(text: str, example: str, tail: str = "") -> IPv6Address:
    """An IPv6 address. `tail` is what was typed after it, for the remedy to repeat.

    Raises:
        Wrong: with the issue to show at the field.
    """
    text = text.strip()
    shown = quoted(text)
    if text.startswith("["):
        bare = six(text[1:].partition("]")[0], example)
        raise Wrong("N122", f"{shown} has brackets; here only the address is needed.", f"Type {bare}{tail}.")
    if "%" in text:
        bare = six(text.partition("%")[0], example)
        cause = f"{shown} names an interface after %; it is known already from this page."
        raise Wrong("N109", cause, f"Type {bare}{tail}.")
    try:
        address = IPv6Address(text)
    except ValueError:
        raise _refusal(text, example) from None
    if four := address.ipv4_mapped:
        remedy = f"Use {four} in the IPv4 part of this page."
        raise Wrong("N110", f"{shown} is an IPv4 address in IPv6 dress.", remedy)
    return address


def _refusal(text: str, example: str) -> Wrong:
    """Why `text` is not an IPv6 address."""
    such = f"Type an address such as {example}."
    shown = quoted(text)
    if not text:
        return Wrong("N117", "The address is missing.", such)
    if ":" not in text:
        if QUAD.fullmatch(text):
            return Wrong("N107", f"{shown} is an IPv4 address; here an IPv6 address is needed.", such)
        if NAME.fullmatch(text):
            return Wrong("N114", f"{shown} is a name; here the address is needed.", such)
        return Wrong("N123", f"{shown} is not an IPv6 address.", such)
    groups = text.split(":")
    if odd := next((c for c in text if c not in "0123456789abcdefABCDEF:."), ""):
        cause = f"{quoted(odd)} in {shown} does not belong in an IPv6 address (0-9, a-f and colons)."
    elif re.fullmatch(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}", text):
        cause = f"{shown} is a MAC address; here the IPv6 address is needed."
    elif ":::" in text or text.count("::") > 1:
        cause = f'{shown} has "::" more than once; it stands for all the zeros and can stand only once.'
    elif long := next((g for g in groups if len(g) > 4 and "." not in g), ""):
        cause = f"{quoted(long)} in {shown} is too long; a group has at most four digits."
    elif "::" not in text and len(groups) != 8:
        cause = f'{shown} has {len(groups)} groups; an IPv6 address has eight, or "::" once.'
    else:
        cause = f"{shown} is not an IPv6 address."
    return Wrong("N123", cause, such)
