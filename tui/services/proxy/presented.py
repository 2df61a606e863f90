"""Certificates as somebody presented them, and what they say about who that was. Pure."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tui.models.change import Issue
from tui.models.wrong import quoted

UNKNOWN = (2, 18, 19, 20, 21)
"""Verify codes of OpenSSL (x509_vfy.h): no way to an authority that is trusted here."""
OTHER_NAME = (62, 64)
"""The certificate is for another name or address."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Names are as in RFC 4514; times in seconds since the epoch; `sha256` of the DER, `der` itself to import it."""

    subject: str
    issuer: str
    not_before: float
    not_after: float
    sha256: str
    der: bytes = b""


def read(der: bytes) -> Certificate:
    """The parts that tell who it is; a certificate that cannot be read has none, and is nobody's."""
    from cryptography import x509

    digest = hashlib.sha256(der).hexdigest()
    try:
        c = x509.load_der_x509_certificate(der)
        subject, issuer = c.subject.rfc4514_string(), c.issuer.rfc4514_string()
        times = c.not_valid_before_utc.timestamp(), c.not_valid_after_utc.timestamp()
    except ValueError:
        return Certificate("", "", 0.0, 0.0, digest, der)
    return Certificate(subject, issuer, *times, digest, der)


def name(certificate: Certificate) -> str:
    """The authority for a sentence: its common name, or all there is."""
    parts = [p.partition("=")[2] for p in certificate.issuer.split(",") if p.startswith("CN=")]
    return quoted(parts[0] if parts else certificate.issuer or "an authority without a name")


def out_of_time(chain: Sequence[Certificate], now: float, date: float | None, where: str) -> Iterator[Issue]:
    """Whether a certificate has ended or not begun, or this host's clock is wrong.

    Args:
        date: the clock of the server or proxy, as its answer says; None where it did not say.
    """
    wrong = [c for c in chain if not c.not_before <= now <= c.not_after]
    if not wrong:
        return
    if date is not None and all(c.not_before <= date <= c.not_after for c in chain):
        here, there = day(now), day(date)
        text = f"The clock of this host is wrong: {here} here, {there} at {where}. The certificate is good."
        yield Issue("P145", "error", "", text, "Set the time under Name & time; no certificate can be checked before.")
        return
    c = wrong[0]
    ended = now > c.not_after
    whose = f"The certificate of {where}" if c is chain[0] else f"The authority {quoted(c.subject)} of {where}"
    when = f"ended on {day(c.not_after)}" if ended else f"begins on {day(c.not_before)} only"
    doubt = "" if date is not None else f" (this host's clock says {day(now)})"
    remedy = "Tell whoever runs that server." if date is not None else "Check the clock of this host first."
    yield Issue("P146", "error", "", f"{whose} {when}{doubt}.", remedy)


def opened(where: str, last: Certificate, *, trusted: bool) -> Issue:
    """The proxy opens TLS and presents certificates of its own."""
    if trusted:
        text = f"The proxy opens the TLS of {where} and presents {name(last)}, which is trusted here."
        remedy = "Programs with a fixed certificate fail through it; ask IT to leave such servers alone."
        return Issue("P143", "warning", "", text, remedy)
    text = f"The proxy opens the TLS of {where} and presents {name(last)}, which is not trusted here."
    return Issue("P142", "error", "", text, "Compare its fingerprint with IT, then import it under Certificates.")


def unknown(where: str, last: Certificate, *, by_proxy: bool | None) -> Issue:
    """Nobody here knows the authority. `by_proxy` is None where it may be the proxy's."""
    who = "" if by_proxy is False else " It is the server's own, or the proxy opens TLS."
    text = f"{where} presents {name(last)}, which is not trusted here.{who}"
    return Issue("P144", "error", "", text, "Ask IT whose it is; import it under Certificates.")


def refused(error: ssl.SSLCertVerificationError, where: str, chain: Sequence[Certificate]) -> Issue:
    """Every other reason of OpenSSL."""
    if error.verify_code in OTHER_NAME:
        whose = f" but {quoted(chain[0].subject)}" if chain else ""
        text = f"What answers as {where} is by its certificate not {where}{whose}."
        return Issue("P147", "error", "", text, "Check the address; a login page of a guest network does this too.")
    reason = quoted(error.verify_message or "no reason given")
    text = f"The certificate of {where} is refused: {reason}."
    return Issue("P152", "error", "", text, "Tell whoever runs that server; Certificates shows what is trusted.")


def day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
