"""Certificates of a company for tests, made anew each time: only those that no library makes any more are stored."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime(2027, 6, 1, tzinfo=datetime.UTC)
YEAR = datetime.timedelta(days=365)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(  # type: ignore[no-any-return]  # the key may be of any kind
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def sha256(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()


@cache
def rsa_key(bits: int, number: int = 0) -> Any:
    return rsa.generate_private_key(65537, bits)


def issued(
    common_name: str,
    issuer: Issued | None = None,
    *,
    key: Any = None,
    ca: bool | None = True,
    critical: bool = True,
    usage: tuple[str, ...] | None = ("key_cert_sign", "crl_sign"),
    ski: bool = True,
    aki: bool = True,
    begins: datetime.datetime = NOW - YEAR,
    ends: datetime.datetime = NOW + 10 * YEAR,
    organization: str = "Example",
    names: tuple[x509.GeneralName, ...] = (),
    path_length: int | None = None,
) -> Issued:
    """A certificate by `issuer`, or one that signs itself. `ca` None leaves basicConstraints out, `usage` None too."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    if organization:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    name = x509.Name(parts)
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical)
    if usage is not None:
        every = (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        )  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(**{u: u in usage for u in every}), True)
    if ski:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    if issuer is not None and aki:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(identifier, False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Issued(builder.sign(signer, algorithm), key)


def server(issuer: Issued, name: str = "registry.example", **more: Any) -> Issued:
    """A leaf for a TLS server."""
    usage = ("digital_signature",)
    return issued(name, issuer, ca=False, usage=usage, names=(x509.DNSName(name),), ends=NOW + 5 * YEAR, **more)
