"""What is typed for a cluster, made into values: its name, its address, labels and taints, SSH keys."""

from __future__ import annotations

import base64
import binascii
import re
from ipaddress import IPv4Address, IPv4Network

from tui.models.address import plain, single, usable
from tui.models.ipv4 import four
from tui.models.wrong import Wrong, clean, quoted

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
KEY_TYPES = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
    "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
)  # fmt: skip
LONGEST_KEY = 8 << 10


def name(text: str) -> str:
    """The name of a cluster or of a pool: a label of RFC 1123, for it becomes part of host names.

    Raises:
        Wrong: K401.
    """
    text = clean(text)
    if _NAME.fullmatch(text):
        return text
    better = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-")
    remedy = f"Type it such as {better or 'shop-12'}."
    if len(text) > 63:
        raise Wrong("K401", f"The name has {len(text)} signs; 63 is the limit.", remedy)
    raise Wrong("K401", f"{quoted(text)} is no name for it: a-z, 0-9 and hyphens between them only.", remedy)


def label(text: str) -> str:
    """`key=value` as Kubernetes takes it.

    Raises:
        Wrong: K403.
    """
    text = clean(text)
    key, equals, value = (x.strip() for x in text.partition("="))
    _key(key, text, "K403")
    if not equals or not _VALUE.fullmatch(value):
        raise Wrong("K403", f"{quoted(text)} is no label.", "Type a name, = and a value, such as tier=front.")
    return f"{key}={value}"


def taint(text: str) -> str:
    """`key=value:Effect`; the value may be left out.

    Raises:
        Wrong: K404.
    """
    text = clean(text)
    front, colon, effect = (x.strip() for x in text.rpartition(":"))
    key, equals, value = (x.strip() for x in front.partition("="))
    right = next((e for e in EFFECTS if e.lower() == effect.lower()), "")
    if not colon or not right:
        remedy = f"After a colon comes {', '.join(EFFECTS[:2])} or {EFFECTS[2]}, as in only=gpu:NoSchedule."
        raise Wrong("K404", f"{quoted(text)} does not say what the taint does.", remedy)
    _key(key, text, "K404")
    if not _VALUE.fullmatch(value):
        raise Wrong("K404", f"{quoted(value)} is no value of a taint.", "Type it such as only=gpu:NoSchedule.")
    return f"{key}{equals if value else ''}{value}:{right}"


def address(text: str) -> IPv4Address | None:
    """The address of the control plane; None for an empty text.

    Raises:
        Wrong: as the address of a name server.
    """
    if not clean(text):
        return None
    text = plain(text, address)
    found = usable(four(single(text, four, "192.0.2.100"), "192.0.2.100"))
    assert isinstance(found, IPv4Address)  # noqa: S101 - `four` gives no other
    return found


def overlay(text: str) -> IPv4Network | None:
    """The range of an overlay network: 192.0.2.0/24 at least, from the private ones; None for an empty text.

    Raises:
        Wrong: K405.
    """
    text = clean(text).replace(" ", "")
    if not text:
        return None
    remedy = "Type such as 100.64.192.0/23."
    try:
        net = IPv4Network(text, strict=False)
    except ValueError:
        raise Wrong("K405", f"{quoted(text)} is no range of addresses.", remedy) from None
    if "/" not in text:
        raise Wrong("K405", f"{quoted(text)} has no prefix length.", f"Type such as {text}/24.")
    if not 8 <= net.prefixlen <= 28:
        raise Wrong("K405", f"{net} has too {'few' if net.prefixlen > 28 else 'many'} addresses.", remedy)
    if not net.is_private and not net.subnet_of(IPv4Network("100.64.0.0/10")):
        raise Wrong("K405", f"{net} belongs to somebody on the internet.", remedy)
    return net


def ssh_keys(text: str) -> tuple[str, ...]:
    """Public keys, one a line, each as `type base64 comment`. Comments (`#`) and empty lines are left out.

    Raises:
        Wrong: K406; the text never repeats what was typed, for it may be a private key.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines() or [text], 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            key = _ssh_key(stripped, number)
            found.setdefault(key.split()[1], key)
    return tuple(found.values())


def ssh_key(text: str) -> str:
    """One public key.

    Raises:
        Wrong: K406; N117 nothing is typed.
    """
    found = ssh_keys(text)
    if not found:
        raise Wrong("N117", "Nothing is typed here.", "Paste the line of the file that ends in .pub.")
    return found[0]


def shown_key(key: str) -> str:
    """A key for a list: its type, the end of it, and whose it is."""
    kind, data, *comment = key.split(" ", 2)
    return f"{kind} ..{data[-8:]} {comment[0] if comment else ''}".rstrip()


def _ssh_key(line: str, number: int) -> str:
    remedy = "Take the file that ends in .pub; its line begins with ssh-ed25519 or ssh-rsa."
    if "PRIVATE KEY" in line:
        raise Wrong("K406", "This is a private key. It belongs to its owner only and is not taken.", remedy)
    words = line.split()
    at = next((n for n, word in enumerate(words) if word in KEY_TYPES), None)
    if at is None or at + 1 >= len(words):
        raise Wrong("K406", f"Line {number} is no SSH public key.", remedy)
    kind, data = words[at], words[at + 1]
    try:
        blob = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    length = int.from_bytes(blob[:4], "big")
    if len(line) > LONGEST_KEY or blob[4 : 4 + length] != kind.encode() or len(blob) < length + 8:
        raise Wrong("K406", f"The SSH key in line {number} is not whole: something of it is missing.", remedy)
    comment = "".join(c if c.isprintable() else "?" for c in " ".join(words[at + 2 :]))[:100]
    return f"{kind} {data} {comment}".rstrip()


def _key(key: str, entry: str, code: str) -> None:
    prefix, slash, rest = key.rpartition("/")
    good = _VALUE.fullmatch(rest) and rest and (not slash or _PREFIX.fullmatch(prefix))
    if not good:
        remedy = "Type it such as tier=front, or acme.example/tier=front."
        raise Wrong(code, f"{quoted(entry)} has no name that Kubernetes takes.", remedy)
