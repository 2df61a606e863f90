"""Who this host is to the hosts it is linked with: a key that never leaves it and a certificate that the others pin.

It is a certificate of its own, not the one of the management API: that one is replaced when a company wants its own
there, and links must outlive that.
"""

from __future__ import annotations

import datetime
import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tui.models.change import FileImage
from tui.services.change import files
from tui.services.host import Host

KEY = "/var/lib/onsite/links/host.key"
CERTIFICATE = "/var/lib/onsite/links/host.crt"
_YEARS = 30
"""A host is linked for its life; unlinking ends the trust, not a date that nobody watches."""


@dataclass(frozen=True, slots=True)
class Identity:
    """This host's own.

    Attributes:
        key: file of the private key, mode 0600.
        pem: the certificate.
    """

    key: Path
    certificate: Path
    pem: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.pem)


def fingerprint(pem: str) -> str:
    """SHA-256 of the certificate, 64 hexadecimal digits.

    Raises:
        ValueError: no certificate.
    """
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def load_or_make(host: Host) -> Identity:
    """The identity of this host, made at the first call.

    Raises:
        OSError: it can neither be read nor written.
    """
    key, certificate = files.read_image(host, KEY), files.read_image(host, CERTIFICATE)
    if key.content is None or certificate.content is None:
        made_key, made_certificate = _made()
        files.make_folder(host.path(KEY).parent, 0o700)
        files.write_image(host, FileImage(KEY, made_key, 0o600))
        files.write_image(host, FileImage(CERTIFICATE, made_certificate, 0o644))
        certificate = files.read_image(host, CERTIFICATE)
    return Identity(host.path(KEY), host.path(CERTIFICATE), (certificate.content or b"").decode("ascii"))


def _made() -> tuple[bytes, bytes]:
    """Key and certificate. It signs itself and is its own authority, or OpenSSL would not take it as an anchor."""
    key = ec.generate_private_key(ec.SECP256R1())
    known_by = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # OpenSSL looks an anchor up by its name, so each has a name of its own
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Onsite host {known_by.digest.hex()}")])
    begins = datetime.datetime(
        2020, 1, 1, tzinfo=datetime.UTC
    )  # a host whose clock is wrong can be linked all the same
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(True, 0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(known_by, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)
