"""What certificates come in, beside PEM: DER, PKCS#7, PKCS#12; and all that is taken for a certificate and is none."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from tui.models.change import Issue

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_PFX = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..|\x83...|\x84....|\x80)\x02\x01\x03\x30", re.DOTALL)
_KEY_WORDS = re.compile(r"PRIVATE\s+KEY|PuTTY-User-Key-File|Private-Lines:", re.IGNORECASE)
_OTHERS = (
    ("NEW CERTIFICATE REQUEST", "a request for a certificate, not a certificate"),
    ("CERTIFICATE REQUEST", "a request for a certificate, not a certificate"),
    ("X509 CRL", "a list of revoked certificates"),
    ("PUBLIC KEY", "a public key without a certificate"),
    ("PGP", "a key or message of PGP"),
    ("SSH2", "a key for SSH"),
    ("PARAMETERS", "parameters for keys"),
)


def warm_up() -> None:
    """Import and use every loader once: cryptography imports more at the first use."""
    import cryptography.hazmat.backends.openssl.backend  # noqa: F401 - the first verification imports it
    from cryptography.hazmat.primitives.serialization import load_der_private_key, pkcs7, pkcs12

    for load in (
        partial(load_der_private_key, b"\x30\x00", None), partial(pkcs7.load_der_pkcs7_certificates, b"\x30\x00"),
        partial(pkcs12.load_pkcs12, b"\x30\x00", b""),
    ):  # fmt: skip
        try:
            load()
        except Exception:  # noqa: BLE001, S112 - only to have it imported
            continue


def is_pkcs12(data: bytes) -> bool:
    return _PFX.match(data) is not None


def is_certificate(der: bytes) -> bool:
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.subject.public_bytes()
        certificate.issuer.public_bytes()
        certificate.public_key()
    except Exception:  # noqa: BLE001 - foreign bytes: whatever it raises, it is none that we can use
        return False
    return True


def first_element(der: bytes) -> bytes:
    """The first ASN.1 element of some bytes: OpenSSL's trusted certificates carry settings behind it (X.690 8.1)."""
    if len(der) < 2 or der[1] == 0x80:
        return der
    if der[1] < 0x80:
        return der[: 2 + der[1]]
    count = der[1] & 0x7F
    return der[: 2 + count + int.from_bytes(der[2 : 2 + count])]


def certificates(data: bytes, passphrase: str) -> tuple[list[bytes] | None, Issue | None]:
    """The certificates in binary data: one or several in DER, PKCS#7, PKCS#12."""
    if is_certificate(first := first_element(data)):
        found, rest = [first], data[len(first) :]
        while rest.strip(b"\0\r\n") and is_certificate(first := first_element(rest)):
            found.append(first)
            rest = rest[len(first) :]
        return (found, None) if not rest.strip(b"\0\r\n") else (None, _damaged("There is more behind the certificate."))
    if _SIGNED_DATA in data[:40]:
        return _pkcs7(data)
    if is_pkcs12(data):
        return _pkcs12(data, passphrase)
    return None, _der_of_another_kind(data)


def _pkcs7(data: bytes) -> tuple[list[bytes] | None, Issue | None]:
    from cryptography.hazmat.primitives.serialization import pkcs7

    try:
        found = [_der(c) for c in pkcs7.load_der_pkcs7_certificates(data)]
    except Exception:  # noqa: BLE001 - foreign bytes
        return None, _damaged("It looks like PKCS#7 and cannot be read as such.")
    if not found:
        return None, Issue("S110", "error", "", "It is PKCS#7 without any certificate.", "Ask for the CA certificate.")
    return found, None


def _pkcs12(data: bytes, passphrase: str) -> tuple[list[bytes] | None, Issue | None]:
    from cryptography.hazmat.primitives.serialization import pkcs12

    for attempt in (passphrase.encode(),) if passphrase else (None, b""):
        try:
            store = pkcs12.load_pkcs12(data, attempt)
        except Exception:  # noqa: BLE001, S112 - a wrong passphrase and a damaged file look the same
            continue
        if store.key is not None:
            text = "There is a private key in it. A key is a secret of its owner; none of this was stored."
            return None, Issue("S111", "error", "", text, "Ask for the CA certificate alone, as .crt or .pem.")
        entries = [store.cert, *store.additional_certs]
        found = [_der(entry.certificate) for entry in entries if entry is not None]
        if found:
            return found, None
        return None, Issue("S110", "error", "", "It is PKCS#12 without any certificate.", "Ask for the CA certificate.")
    if not passphrase:
        text = "This is PKCS#12 (.p12, .pfx), which opens with a passphrase."
        return None, Issue("S117", "error", "", text, "Type the passphrase that came with it.")
    text = "The passphrase does not open it, or it is damaged."
    return None, Issue("S117", "error", "", text, "Type the passphrase again; mind the keyboard's layout.")


def _der(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    der: bytes = certificate.public_bytes(Encoding.DER)
    return der


def has_private_key(data: bytes, text: str) -> bool:
    """A private key in any spelling; `text` is the same data as text, "" where it is binary."""
    if _KEY_WORDS.search(text) or b"PRIVATE KEY" in data:
        return True
    if data[:1] != b"\x30":
        return False
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        load_der_private_key(data, None)
    except TypeError:  # encrypted PKCS#8
        return True
    except Exception:  # noqa: BLE001 - foreign bytes
        return False
    return True


def _der_of_another_kind(data: bytes) -> Issue:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    for load, words in (
        (x509.load_der_x509_csr, "a request for a certificate, not a certificate"),
        (x509.load_der_x509_crl, "a list of revoked certificates"),
        (load_der_public_key, "a public key without a certificate"),
    ):
        try:
            load(data)
        except Exception:  # noqa: BLE001, S112 - foreign bytes
            continue
        return _other(words)
    return _damaged("It begins like a certificate in binary form (DER) and cannot be read as one.")


def something_else(data: bytes, text: str) -> Issue:
    """What has no PEM block and is no DER, by its name where it has one."""
    start = text.lstrip()[:400].lower()
    named = (
        (data[:2] == b"PK", "an archive (zip, jar); unpack it first"),
        (data[:2] == b"\x1f\x8b", "a compressed file; unpack it first"),
        (data[:4] in (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"), "a Java key store; export the CA from it as PEM"),
        (data[:4] == b"%PDF", "a PDF"),
        ("<html" in start or "<!doctype" in start, "a web page, maybe a page to log in"),
        (start.startswith(("ssh-", "ecdsa-sha2", "---- begin ssh2")), "a key for SSH"),
    )
    for true, words in named:
        if true:
            return _other(words)
    text = "There is no certificate in it: neither BEGIN CERTIFICATE nor binary data of one."
    return Issue("S110", "error", "", text, "Choose a file that ends in .crt, .cer, .pem, .p7b or .p12.")


def other_block(label: str) -> Issue:
    words = next((words for part, words in _OTHERS if part in label), f"{label.lower() or 'something else'}")
    return _other(words)


def _other(words: str) -> Issue:
    return Issue("S118", "error", "", f"This is {words}.", "Ask for the certificate of the CA, as .crt or .pem.")


def _damaged(text: str) -> Issue:
    return Issue("S115", "error", "", text, "Get it again from where it came from; compare its SHA-256.")
