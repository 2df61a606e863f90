"""What certificates say, by the parser child; and what this host trusts beyond its distribution.

Reading is asked for again and again (every plan asks), so what a text says is remembered for a while.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from tui.models.certificate import Certificate, Judged
from tui.models.change import Issue
from tui.models.facts import Facts
from tui.services.host import Host
from tui.services.parser.run import ParserFailed, parse
from tui.services.trust import stores

_PEM = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----([^-]+)-----END")
_LARGEST_BUNDLE = 4 << 20
_REMEMBERED = 64
_memory: dict[str, Judged] = {}


@dataclass(frozen=True, slots=True)
class Installed:
    """One authority in the trust store that the distribution did not bring."""

    path: str
    certificate: Certificate | None
    """None for a file that cannot be read as a certificate."""
    ours: bool
    consumers: tuple[str, ...] = ()


def judge(data: bytes, now: float, *, passphrase: str = "", trusted: bytes = b"") -> Judged:
    """What is in some bytes and what is wrong with it. Blocks for a moment: it starts the parser child.

    Private keys and passphrases are not remembered: what was refused is asked for again.
    """
    key = hashlib.sha256(b"%d\0%s\0%s" % (now // 3600, hashlib.sha256(trusted).digest(), data)).hexdigest()
    if not passphrase and key in _memory:
        return _memory[key]
    try:
        answer = parse("certificates", data, now=now, passphrase=passphrase, trusted=trusted.decode("latin-1"))
        found = Judged.from_dict(answer)
    except (ParserFailed, ValueError):
        text = "Reading it took too long or too much memory; it was stopped."
        remedy = "It is hardly a certificate. Ask for the CA as a .crt or .pem file."
        return Judged(issues=(Issue("S156", "error", "", text, remedy),))
    if found.certificates and not passphrase:
        if len(_memory) >= _REMEMBERED:
            _memory.pop(next(iter(_memory)))
        _memory[key] = found
    return found


def bundle(host: Host) -> bytes:
    """All that the host trusts, in PEM; empty where there is nothing."""
    store = stores.store_of(host)
    if store is None:
        return b""
    try:
        with host.path(store.bundle).open("rb") as file:
            return file.read(_LARGEST_BUNDLE)
    except OSError:
        return b""


def fingerprints(pem: bytes) -> set[str]:
    """SHA-256 of every certificate in a text of the host's own."""
    found = set()
    for block in _PEM.findall(pem):
        try:
            found.add(hashlib.sha256(base64.b64decode(block)).hexdigest())
        except (binascii.Error, ValueError):
            continue
    return found


def installed(facts: Facts, now: float) -> tuple[Installed, ...]:
    """The authorities that the facts show, those of Onsite first."""
    store = stores.by_family(facts.trust.store)
    if store is None:
        return ()
    files = [f for f in facts.files if f.path.startswith(store.folder + "/") and f.text]
    found = []
    for file in sorted(files, key=lambda f: (not stores.is_ours(f.path), f.path)):
        name = file.path.rpartition("/")[2]
        copies = tuple(r for r in facts.trust.registries if facts.file(f"{r}/{name}").sha256 == file.sha256)
        said = judge((file.text or "").encode(), now).certificates
        consumers = ("all programs that read the host's trust store", *copies)
        found += [Installed(file.path, c, stores.is_ours(file.path), consumers) for c in said]
        if not said:
            found.append(Installed(file.path, None, stores.is_ours(file.path)))
    return tuple(found)
