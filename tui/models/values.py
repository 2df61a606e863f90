"""What a person types, made into a value or an Issue: the parse functions that the fields themselves call.

Sources of the rules: RFC 4291 and 5952 (IPv6 text), RFC 4632 (prefix), RFC 1123 (names), RFC 6943 §3.1.1
(leading zeros are ambiguous: octal to some), and the traps of Python's ipaddress module.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any

from tui.models.change import Issue


class Wrong(ValueError):
    """Typed text that is not a value; `issue` says why, with an empty field for the caller to fill in."""

    def __init__(self, code: str, text: str, remedy: str) -> None:
        super().__init__(text)
        self.issue = Issue(code, "error", "", text, remedy)


def interface4(text: str) -> IPv4Interface:
    address, slash, prefix = text.strip().partition("/")
    if not slash:
        raise Wrong("N101", f"{text.strip()} has no prefix length.", "Add it, such as 192.0.2.10/24.")
    return IPv4Interface(f"{address}/{prefix}")


def interface6(text: str) -> IPv6Interface:
    return IPv6Interface(text.strip())


def gateway4(text: str) -> IPv4Address:
    return IPv4Address(text.strip())


def gateway6(text: str) -> IPv6Address:
    return IPv6Address(text.strip())


def nameserver(text: str) -> IPv4Address | IPv6Address:
    return IPv6Address(text.strip()) if ":" in text else IPv4Address(text.strip())


def domain(text: str) -> str:
    return text.strip().rstrip(".").lower()


def mac(text: str) -> str:
    return text.strip().lower()


def parse(kind: str, text: str) -> Any:
    """The value of a form field of that kind: tuples for lists, None for an empty optional value.

    Raises:
        Wrong: with the issue to show at the field.
    """
    raise NotImplementedError(kind)
