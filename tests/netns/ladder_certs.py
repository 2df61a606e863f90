"""Certificates for the world of the ladder: one authority, and a leaf for each way to be wrong.

Each leaf is larger than a packet, as a real chain is: where large packets vanish, the handshake hangs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOSTS = ("api.manage.example", "registry.example", "registry.site.example")
LEAVES = ("good", "expired", "future", "early", "self-signed", "intercepted", "other name")
"""`early` begins later than now, while everybody's clock agrees with ours; `future` is good in two years."""
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
Key = ec.EllipticCurvePrivateKey


def make(folder: Path) -> str:
    """Write NAME.pem (key, then chain) for each leaf; returns the PEM of the authority."""
    root_key, root = _authority("Site Root CA")
    stranger_key, stranger = _authority("Corp MITM Root")
    spans = {
        "expired": (NOW - 30 * DAY, NOW - DAY),
        "future": (NOW + 700 * DAY, NOW + 800 * DAY),
        "early": (NOW + 2 * DAY, NOW + 30 * DAY),
    }
    for name in LEAVES:
        key = ec.generate_private_key(ec.SECP256R1())
        names = ("mail.site.example",) if name == "other name" else HOSTS
        since, until = spans.get(name, (NOW - DAY, NOW + 30 * DAY))
        if name == "self-signed":
            leaf = _signed(names[0], key, names[0], key, names, since, until)
        elif name == "intercepted":
            leaf = _signed(names[0], key, "Corp MITM Root", stranger_key, names, since, until)
        else:
            leaf = _signed(names[0], key, "Site Root CA", root_key, names, since, until)
        chain = [leaf, *([stranger] if name == "intercepted" else [])]
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        pem = secret + b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain)
        (folder / f"{name}.pem").write_bytes(pem)
    return root.public_bytes(serialization.Encoding.PEM).decode()


def _authority(name: str) -> tuple[Key, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, key, name, NOW - 3000 * DAY, NOW + 3000 * DAY)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    builder = builder.add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
    return key, builder.sign(key, hashes.SHA256())


def _signed(
    name: str, key: Key, issuer: str, issuer_key: Key, names: tuple[str, ...], since: datetime, until: datetime
) -> x509.Certificate:
    builder = _builder(name, key, issuer, since, until)
    alternative = x509.SubjectAlternativeName([x509.DNSName(n) for n in names])
    # A private extension (RFC 5612 documentation arc) that fills a packet.
    bulk = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), bytes(3000))
    builder = builder.add_extension(alternative, False).add_extension(bulk, False)
    return builder.add_extension(x509.BasicConstraints(False, None), True).sign(issuer_key, hashes.SHA256())


def _builder(name: str, key: Key, issuer: str, since: datetime, until: datetime) -> x509.CertificateBuilder:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
