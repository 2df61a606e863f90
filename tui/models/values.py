"""What a person types, made into a value or an Issue: the parse functions that the fields themselves call.

Whatever the text, nothing but `Wrong` is raised. Lists take commas, semicolons, blanks and new lines.
The rules of one address are in `address`, those of one domain in `domain`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, TypeVar

from tui.models import endpoint, hostname, keymap, kubernetes, linkname, peers, plane, timing
from tui.models.address import plain, single, usable
from tui.models.domain import domain
from tui.models.ipv4 import four, gateway4, interface4, mask_length
from tui.models.ipv6 import gateway6, interface6, six
from tui.models.wrong import LONGEST, Wrong, ascii_of, clean, quoted

Value = TypeVar("Value")
_COMMAS_FOR_DOTS = re.compile(r"(?<![\w.:])[0-9]{1,3}([,; ] ?[0-9]{1,3}){3}(?![\w.:])(/[0-9]{1,2}(?![0-9]))?")
_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0", "")


def nameserver(text: str) -> IPv4Address | IPv6Address:
    """The address of a name server, of either family. Loopback passes: a resolver may run on the host itself.

    Raises:
        Wrong: with the issue to show at the field.
    """
    text = plain(text, nameserver)
    if re.fullmatch(r"[0-9.]+:[0-9]+", text):
        host, _, port = text.partition(":")
        ip = four(host, "192.0.2.53")
        raise Wrong("N122", f"{port} after the address is a port; name servers are asked on port 53.", f"Type {ip}.")
    if text.count(":") > 1:
        return usable(six(single(text, six, "192.0.2.53"), "192.0.2.53"), loopback=True)
    return usable(four(single(text, four, "192.0.2.53"), "192.0.2.53"), loopback=True)


def mac(text: str) -> str:
    """A MAC address, written with colons in lower case; hyphens and Cisco's dots are read too.

    Raises:
        Wrong: N151.
    """
    text = clean(text)
    pairs = re.fullmatch(r"([0-9A-Fa-f]{2}([:-]))([0-9A-Fa-f]{2}\2){4}[0-9A-Fa-f]{2}", text)
    if not pairs and not re.fullmatch(r"([0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}", text):
        raise Wrong("N151", f"{quoted(text)} is not a MAC address.", "Write it such as 00:00:5e:00:53:01.")
    digits = re.sub(r"[^0-9A-Fa-f]", "", text).lower()
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def mtu(text: str) -> int | None:
    """Bytes in the largest packet, 68 (RFC 791) to 65535; None for an empty text.

    Raises:
        Wrong: N131 not a whole number, N132 out of range.
    """
    text = clean(text)
    if not text:
        return None
    if not re.fullmatch(r"0|[1-9][0-9]*", text):
        digits = re.sub(r"(?<=[0-9])[., '](?=[0-9]{3}\b)|\s*(bytes?|b)$", "", ascii_of(text), flags=re.IGNORECASE)
        digits = digits.lstrip("+0")
        fits = re.fullmatch(r"[0-9]{2,5}", digits) and 68 <= int(digits) <= 65535
        raise Wrong(
            "N131",
            f"{quoted(text)} is not a whole number.",
            f"Type {digits if fits else 1500}, without a unit or a sign.",
        )
    if len(text) > 5 or not 68 <= int(text) <= 65535:
        raise Wrong(
            "N132", f"An MTU goes from 68 to 65535; {quoted(text)} is outside.", "Type 1500, or leave it empty."
        )
    return int(text)


def flag(text: str) -> bool:
    """Yes or no.

    Raises:
        Wrong: N161.
    """
    word = clean(text).lower()
    if word not in _YES + _NO:
        raise Wrong("N161", f"{quoted(text)} is neither yes nor no.", "Type yes or no.")
    return word in _YES


def parse(kind: str, text: str) -> Any:
    """The value of a form field of that kind: tuples for lists, None for an empty optional value.

    Raises:
        Wrong: with the issue to show at the field.
        KeyError: there is no such kind.
    """
    return _PARSERS[kind](text)


def show(kind: str, value: Any) -> str:
    """The text that `parse` makes `value` of."""
    if value is None:
        return ""
    if kind == "flag":
        return "yes" if value else "no"
    if kind in ("secret", "registration_secret"):  # typed as text, kept as pydantic's SecretStr
        return value if isinstance(value, str) else str(value.get_secret_value())
    if kind == "moment":
        return timing.shown(value)
    if kind == "linktoken":
        return str(value.text())
    return ", ".join(str(v) for v in value) if isinstance(value, tuple) else str(value)


def _addresses4(text: str) -> tuple[IPv4Interface, ...]:
    entries: list[str] = []
    for entry in _entries(text, interface4):
        joins = bool(entries) and re.fullmatch(r"[0-9.]+", entries[-1]) and (_is_mask(entry) or entry.isdigit())
        entries[-1:] = [f"{entries[-1]} {entry}"] if joins else [*entries[-1:], entry]
    return _each(entries, interface4)


def _addresses6(text: str) -> tuple[IPv6Interface, ...]:
    return _each(_entries(text, interface6), interface6)


def _is_mask(text: str) -> bool:
    """A mask, or what was meant as one."""
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", text):
        return False
    numbers = [int(n) for n in text.split(".")]
    if numbers[0] in (0, 255):
        return True
    return max(numbers) <= 255 and mask_length(IPv4Address(bytes(numbers))) is not None


_ADDRESSES: tuple[Callable[[str], object], ...] = (interface4, interface6, nameserver)


def _entries(text: str, parse_one: Callable[[str], object]) -> list[str]:
    """The entries of a list, blanks around a slash taken away.

    Raises:
        Wrong: N115, N116; N112 where commas or blanks stand for the dots of one address.
    """
    text = re.sub(r"\s*/\s*", "/", clean(text))
    if parse_one not in (domain, endpoint.exception, timing.server, plane.tag) and (
        commas := _COMMAS_FOR_DOTS.search(text)
    ):
        dotted = re.sub(r"[,; ]+", ".", commas[0])
        raise Wrong("N112", f"The numbers in {quoted(text)} are not separated by dots.", f"Type it such as {dotted}.")
    return [entry for entry in re.split(r"[,;\s]+", text) if entry]


def _each(entries: list[str], parse_one: Callable[[str], Value]) -> tuple[Value, ...]:
    """The value of every entry.

    Raises:
        Wrong: what is wrong with the first bad one; N121 one stands there twice.
    """
    values: list[Value] = []
    seen: set[object] = set()
    for entry in entries:
        value = parse_one(entry)
        key = getattr(value, "ip", value)
        if key in seen:
            raise Wrong("N121", f"{key} stands here twice.", "Take one of them away.")
        seen.add(key)
        values.append(value)
    return tuple(values)


def _optional(parse_one: Callable[[str], Value]) -> Callable[[str], Value | None]:
    return lambda text: parse_one(text) if clean(text) else None


def _list(parse_one: Callable[[str], Value]) -> Callable[[str], tuple[Value, ...]]:
    return lambda text: _each(_entries(text, parse_one), parse_one)


_PARSERS: dict[str, Callable[[str], Any]] = {
    "choice": clean,
    "text": clean,
    "flag": flag,
    "addresses4": _addresses4,
    "addresses6": _addresses6,
    "gateway4": _optional(gateway4),
    "gateway6": _optional(gateway6),
    "nameservers": _list(nameserver),
    "domains": _list(domain),
    "mtu": mtu,
    "linkname": linkname.linkname,
    "vlan_id": linkname.vlan_id,
    "vlan_tag": _optional(linkname.vlan_id),
    "several": lambda text: tuple(part for part in clean(text).split(", ") if part),
    "monitor": linkname.monitor,
    "routes": lambda text: tuple(linkname.route(part) for part in re.split(r"[,;\n]+", clean(text)) if part.strip()),
    "host": endpoint.host,
    "port": endpoint.port,
    "user": endpoint.user,
    "secret": endpoint.secret,
    "exceptions": _list(endpoint.exception),
    "hostname": hostname.hostname,
    "timeservers": _list(timing.server),
    "zone": timing.zone,
    "moment": timing.moment,
    "keymap": keymap.keymap,
    "plane": plane.plane,
    "registration_secret": plane.secret,
    "project": plane.project,
    "tags": _list(plane.tag),
    "host_id": plane.identity,
    "page": plane.page,
    "linkcode": peers.code,
    "linktoken": peers.token,
    "clustername": kubernetes.name,
    "sshkey": kubernetes.ssh_key,
    "vip": kubernetes.address,
    "overlay": kubernetes.overlay,
    "labels": _list(kubernetes.label),
    "taints": _list(kubernetes.taint),
}

__all__ = [
    "LONGEST", "Wrong", "domain", "flag", "gateway4", "gateway6", "interface4", "interface6", "mac", "mtu",
    "nameserver", "parse", "show",
]  # fmt: skip
