"""The reader of certificates: any bytes that somebody calls a certificate, made into certificates and issues.

The order is that of the least surprise: a private key stops everything before anything else is looked at; a file that
is something else is named; then blocks are counted, because a library that finds two of three certificates in a
paste that was cut off says nothing about the third.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from tui.models.certificate import Judged
from tui.models.change import Issue
from tui.services.parser import containers, judgement, mending

LARGEST = 256 << 10
"""Bytes. A chain has a few kilobytes, the bundle of a distribution 220 KiB."""
MOST = 50
"""Certificates in one input; more is a bundle of a distribution, which nobody means to add."""
_PEM_CERTIFICATE = ("CERTIFICATE", "X509 CERTIFICATE")


def warm_up() -> None:
    """Import all that reading needs; afterwards no file can be opened."""
    containers.warm_up()
    read(b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", {"now": 0})


def read(data: bytes, details: dict[str, Any]) -> dict[str, Any]:
    """The reader for the parser child: `judged` as plain data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations about what a certificate should not have; we judge ourselves
        found = judged(
            data,
            now=float(details.get("now", 0)),
            passphrase=str(details.get("passphrase", "")),
            trusted=str(details.get("trusted", "")),
        )
    return found.to_dict()


def judged(data: bytes, *, now: float, passphrase: str = "", trusted: str = "") -> Judged:
    """Certificates and what is wrong with them.

    Args:
        now: seconds since the epoch.
        passphrase: for PKCS#12; "" for none.
        trusted: what the host trusts already, in PEM.
    """
    if len(data) > LARGEST:
        size = f"{len(data) >> 10} KiB" if len(data) < 4 << 20 else f"{len(data) >> 20} MiB"
        return _only("S116", f"This has {size}; a certificate has a few.", "Choose the file with the CA alone.")
    raw, issues = _found(data, passphrase, depth=0)
    if raw is None:
        return Judged(issues=tuple(issues))
    if len(raw) > MOST:
        text = f"There are {len(raw)} certificates in this; at most {MOST} are taken at once."
        return _only("S119", text, "Ask for the one certificate of your company's CA.")
    if not all(map(containers.is_certificate, raw)):
        text = "A certificate in it cannot be read."
        return _only("S115", text, "Get it again from where it came from; compare its SHA-256.")
    return judgement.judge(raw, issues, now=now, trusted=[b.data for b in mending.blocks(trusted).blocks])


def _only(code: str, text: str, remedy: str) -> Judged:
    return Judged(issues=(Issue(code, "error", "", text, remedy),))


def _found(data: bytes, passphrase: str, depth: int) -> tuple[list[bytes] | None, list[Issue]]:
    """The DER of every certificate in any wrapping; None where nothing may be taken."""
    if not data.strip():
        return None, [Issue("S110", "error", "", "There is nothing in it.", "Choose or paste a certificate.")]
    text, mended = mending.decoded(data)
    plain = data[:1] != b"\x30"
    if containers.has_private_key(data, text if plain else ""):
        return None, [_private_key()]
    if plain:
        found = mending.blocks(text)
        found.mended[:0] = mended
        if found.blocks:
            return _of_blocks(found, passphrase)
        inner = mending.wrapped_once_more(text) if depth < 2 else None
        if inner is not None:
            raw, issues = _found(inner, passphrase, depth + 1)
            words = "base64 around it" if raw is not None else ""
            return raw, [*issues, *([_mended([words])] if words else [])]
        return None, [containers.something_else(data, text)]
    raw, issue = containers.certificates(data, passphrase)
    return raw, [issue] if issue else []


def _of_blocks(found: mending.Text, passphrase: str) -> tuple[list[bytes] | None, list[Issue]]:
    """The certificates of a text, after counting."""
    issues = list(_broken(found))
    if issues:
        return None, issues
    raw: list[bytes] = []
    others: list[str] = []
    for block in found.blocks:
        if block.label in _PEM_CERTIFICATE:
            if not containers.is_certificate(block.data):
                return None, [_damaged(block)]
            raw.append(block.data)
        elif block.label == "TRUSTED CERTIFICATE":
            first = containers.first_element(block.data)
            if not containers.is_certificate(first):
                return None, [_damaged(block)]
            raw.append(first)
            found.mended.append("trust settings of OpenSSL")
        elif block.label in ("PKCS7", "CMS", "PKCS #7 SIGNED DATA", "PKCS12"):
            inner, issue = containers.certificates(block.data, passphrase)
            if issue is not None and issue.severity == "error":
                return None, [issue]
            raw += inner or []
        else:
            others.append(block.label)
    if not raw:
        return None, [containers.other_block(others[0] if others else "")]
    if others:
        words = ", ".join(dict.fromkeys(label.lower() for label in others))
        text = f"Beside certificates there is other data in it ({words}); that is left out."
        issues.append(Issue("S130", "note", "", text, "Nothing has to be done."))
    if found.mended:
        issues.append(_mended(list(dict.fromkeys(found.mended))))
    return raw, issues


def _broken(found: mending.Text) -> Iterator[Issue]:
    """What is cut off, doubled or garbled: the first of each, by its line."""
    paste = "Copy or paste it again, from BEGIN to END and in full."
    wrong = {block.wrong: block for block in reversed(found.blocks) if block.wrong}
    counted = f"({found.begins} times BEGIN, {found.ends} times END)"
    if cut := wrong.get("cut"):
        last = cut is found.blocks[-1]
        how = "ends" if last else "begins anew"
        code = "S112" if last else "S113"
        text = f"The certificate that begins in line {cut.line} {how} in line {cut.where} without its END {counted}."
        yield Issue(code, "error", "", text, paste)
    if headless := wrong.get("headless"):
        text = f"The certificate that ends in line {headless.line} has no BEGIN {counted}."
        yield Issue("S112", "error", "", text, paste)
    if line := wrong.get("line"):
        text = f"Line {line.where} has a character that no certificate has."
        yield Issue("S114", "error", "", text, paste)
    if length := wrong.get("length"):
        text = f"Characters are missing or doubled, probably in line {length.where}."
        yield Issue("S114", "error", "", text, "Paste it again; on a serial line paste more slowly, or use a stick.")


def _damaged(block: mending.Block) -> Issue:
    odd = f"; line {block.where} has another length than the others" if block.where else ""
    text = f"The certificate that begins in line {block.line} is whole in form, but damaged within{odd}."
    return Issue("S115", "error", "", text, "Get it again from where it came from; compare its SHA-256.")


def _mended(what: list[str]) -> Issue:
    text = f"This was mended: {', '.join(what)}."
    return Issue("S130", "note", "", text, "Compare the fingerprint; nothing else has to be done.")


def _private_key() -> Issue:
    text = "There is a private key in it. A key is a secret of its owner; none of this was stored."
    remedy = "Ask for the CA certificate alone. If the key came by mail or on this stick, tell its owner."
    return Issue("S111", "error", "", text, remedy)
