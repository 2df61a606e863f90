"""Certificates of the practice hub: its authority, which the practice host trusts, and those of its faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent.practice.cables import GATEWAY4, SITE

HUB = f"hub.{SITE}"
NAMES = (HUB, "localhost")
AUTHORITY, STRANGER = "Practice Site CA", "Corp Inspection CA"
AHEAD = timedelta(days=800)
"""How far the hub is ahead of this host with the fault `clock`."""
Key = ec.EllipticCurvePrivateKey


def make(folder: Path) -> str:
    """Write NAME.pem (key, then certificate) for `good`, `clock`, `intercepted` and `portal`; the authority's PEM."""
    now = datetime.now(UTC)
    day = timedelta(days=1)
    key, authority = _authority(AUTHORITY, now)
    strange, _ = _authority(STRANGER, now)
    spans = {"clock": (now + AHEAD - day, now + AHEAD + day)}
    for name in ("good", "clock", "intercepted", "portal"):
        own = ec.generate_private_key(ec.SECP256R1())
        since, until = spans.get(name, (now - 30 * day, now + 365 * day))
        issuer, signer = (STRANGER, strange) if name in ("intercepted", "portal") else (AUTHORITY, key)
        names = ("portal.guest.example",) if name == "portal" else NAMES
        leaf = _builder(names[0], own, issuer, since, until)
        known = [*map(x509.DNSName, names), x509.IPAddress(ip_address(GATEWAY4))]
        leaf = leaf.add_extension(x509.SubjectAlternativeName(known[: len(names) + (name != "portal")]), False)
        leaf = leaf.add_extension(x509.BasicConstraints(False, None), True)
        signed = leaf.sign(signer, hashes.SHA256())
        secret = own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{name}.pem").write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    pem = authority.public_bytes(serialization.Encoding.PEM).decode()
    (folder / "authority.crt").write_text(pem)
    return pem


def _authority(name: str, now: datetime) -> tuple[Key, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, key, name, now - timedelta(days=3000), now + timedelta(days=3000))
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    builder = builder.add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
    return key, builder.sign(key, hashes.SHA256())


def _builder(name: str, key: Key, issuer: str, since: datetime, until: datetime) -> x509.CertificateBuilder:
    called = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in (name, issuer)]
    return (
        x509.CertificateBuilder()
        .subject_name(called[0])
        .issuer_name(called[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
