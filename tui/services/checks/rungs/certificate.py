"""Certificates as a person sees them, and whom a check trusts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

_ANY = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Presented:
    """What a peer's certificate says of itself."""

    subject: str = "?"
    issuer: str = "somebody unknown"
    names: str = "another name"
    since: datetime = _ANY
    until: datetime = _ANY


def context(trust: str | None) -> ssl.SSLContext:
    """Args: trust: PEM text of the authorities that count; None verifies nothing, to look at what is presented.

    Nothing is taken from the environment of this process (SSL_CERT_FILE), nor from the defaults of its OpenSSL.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.set_alpn_protocols(["http/1.1"])
    if trust is None:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif trust.strip():
        made.load_verify_locations(cadata=trust)
    return made


def read(der: bytes) -> Presented:
    """Whatever cannot be read is left as unknown: certificates come from anybody."""
    from cryptography import x509

    try:
        found = x509.load_der_x509_certificate(der)
        try:
            alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = [str(n) for n in alternative.get_values_for_type(x509.DNSName)]
            names += [str(n) for n in alternative.get_values_for_type(x509.IPAddress)]
        except x509.ExtensionNotFound:
            names = []
        subject, issuer = _name(found.subject), _name(found.issuer)
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return Presented(subject, issuer, shown or subject, found.not_valid_before_utc, found.not_valid_after_utc)
    except (ValueError, TypeError):
        return Presented()


def _name(name: object) -> str:
    """The common name, or the organisation; one printable line of at most 60 characters."""
    from cryptography import x509

    assert isinstance(name, x509.Name)  # noqa: S101 - for the type checker
    for kind in (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME):
        for attribute in name.get_attributes_for_oid(kind):
            text = attribute.value if isinstance(attribute.value, str) else attribute.value.decode("utf-8", "replace")
            return "".join(c if c.isprintable() else "?" for c in text)[:60]
    return "somebody unnamed"
