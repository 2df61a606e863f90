"""The reader of a certificate with its key: PEM in any order, PKCS#12, DER; made into a chain and one key in PKCS#8.

The key that belongs to a certificate is found by its public half, among as many files as there are.
"""

from __future__ import annotations

import base64
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from tui.models.certificate import BELIEVABLE, Certificate
from tui.models.change import Issue
from tui.services.parser import certificates, containers, judgement, mending

LARGEST, MOST = 256 << 10, 100
"""Bytes of one file; files that are looked into for the key."""
_PEM_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_WEB = "1.3.6.1.5.5.7.3.1"


def warm_up() -> None:
    """Import all that reading needs; afterwards no file can be opened."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    certificates.warm_up()
    key = ec.generate_private_key(ec.SECP256R1())
    how = (serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x"))
    for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER):
        read(key.private_bytes(encoding, *how), {"passphrase": "x"})


def read(data: bytes, details: dict[str, Any]) -> dict[str, Any]:
    """The reader for the parser child.

    Args:
        data: the file that somebody chose.
        details: `now`, `passphrase`, and `others`: more files in base64 among which the key may be.
    """
    others = [base64.b64decode(text) for text in details.get("others", ())][:MOST]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chain, key, issues = _paired(data, others, str(details.get("passphrase", "")), float(details.get("now", 0)))
    return {"certificates": [asdict(c) for c in chain], "key": key, "issues": [asdict(i) for i in issues]}


def _paired(
    data: bytes, others: Sequence[bytes], passphrase: str, now: float
) -> tuple[list[Certificate], str, list[Issue]]:
    found = _Found()
    found.take(data, passphrase)
    if not found.certificates:
        if found.locked:
            return [], "", [_passphrase(passphrase)]
        remedy = "Choose the file of the certificate (.crt, .pem) or one with both (.p12, .pfx)."
        return [], "", [Issue("S177", "error", "", "There is no certificate in it.", remedy)]
    for other in others:
        found.take(other, passphrase, keys_only=True)
    fits = next(
        ((c, k) for c in found.certificates for k in found.keys if _public(c.public_key()) == _public(k.public_key())),
        None,
    )
    if fits is None:
        if found.locked:
            return [], "", [_passphrase(passphrase)]
        if found.keys:
            text = "The private key that is there belongs to another certificate."
            return [], "", [Issue("S170", "error", "", text, "Ask for the key that the request was made with.")]
        text = "There is no private key with it."
        return [], "", [Issue("S171", "error", "", text, "Put its .key file beside it, or choose a .p12 with both.")]
    leaf, key = fits
    chain = [*_chain(leaf, found.certificates)]
    ders = [_der(c) for c in chain]
    judged = judgement.judge(ders, [], now=now, trusted=[])
    by_name = {c.sha256: c for c in judged.certificates}
    ordered = [by_name[name] for der in ders if (name := _sha256(der)) in by_name]
    if not ordered:
        return (
            [],
            "",
            [Issue("S177", "error", "", "The certificate has a part that cannot be read.", "Ask for a new one.")],
        )
    return ordered, _pem(key), [*_about(ordered[0], leaf, now)]


class _Found:
    """Certificates and keys in some files, and whether something there wants a passphrase."""

    def __init__(self) -> None:
        self.certificates: list[Any] = []
        self.keys: list[Any] = []
        self.locked = False

    def take(self, data: bytes, passphrase: str, *, keys_only: bool = False) -> None:
        found: list[Any] = []
        if len(data) > LARGEST:
            return
        if data[:1] == b"\x30":
            found += self._binary(data, passphrase)
        else:
            text, _ = mending.decoded(data)
            for match in _PEM_KEY.finditer(text):
                self._key(match[0].encode("ascii", "replace"), passphrase, pem=True)
            found += self._blocks(_PEM_KEY.sub("", text), passphrase)
        self.certificates += [] if keys_only else found

    def _binary(self, data: bytes, passphrase: str) -> Iterator[Any]:
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import pkcs12

        if containers.is_pkcs12(data):
            for attempt in (passphrase.encode(),) if passphrase else (None, b""):
                try:
                    store = pkcs12.load_pkcs12(data, attempt)
                except (KeyboardInterrupt, SystemExit):
                    raise
                except BaseException:  # noqa: BLE001, S112 - a wrong passphrase and a damaged file look the same
                    continue
                self.keys += [store.key] if store.key is not None else []
                yield from (e.certificate for e in (store.cert, *store.additional_certs) if e is not None)
                return
            self.locked = True
            return
        raw, issue = containers.certificates(data, "")
        if raw is not None and issue is None:
            yield from (x509.load_der_x509_certificate(der) for der in raw if containers.is_certificate(der))
        else:
            self._key(data, passphrase, pem=False)

    def _blocks(self, text: str, passphrase: str) -> Iterator[Any]:
        from cryptography import x509

        for block in mending.blocks(text).blocks:
            if block.wrong:
                continue
            if block.label in ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"):
                der = containers.first_element(block.data)
                if containers.is_certificate(der):
                    yield x509.load_der_x509_certificate(der)
            elif block.label in ("PKCS7", "PKCS12"):
                yield from self._binary(block.data, passphrase)

    def _key(self, data: bytes, passphrase: str, *, pem: bool) -> None:
        from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

        load = load_pem_private_key if pem else load_der_private_key
        for attempt in (passphrase.encode(), None) if passphrase else (None,):
            try:
                self.keys.append(load(data, attempt))
            except TypeError:  # it is encrypted and nothing was given, or the other way round
                self.locked = self.locked or attempt is None
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException:  # noqa: BLE001 - foreign bytes, another passphrase, or a panic of the library
                self.locked = self.locked or attempt is not None
            else:
                return


def _passphrase(typed: str) -> Issue:
    if typed:
        text = "The passphrase does not open it, or it is damaged."
        return Issue("S117", "error", "", text, "Type the passphrase again; mind the keyboard's layout.")
    return Issue(
        "S117", "error", "", "The private key opens with a passphrase.", "Type the passphrase that came with it."
    )


def _chain(leaf: Any, known: Sequence[Any]) -> Iterator[Any]:
    """The certificate and its issuers in their order; what does not belong to it is left out, and so is a root."""
    seen: list[Any] = []
    now: Any = leaf
    while now is not None and now not in seen and len(seen) < 8:
        seen.append(now)
        yield now
        now = next((c for c in known if c not in seen and judgement.signed_by(now, c) and c.issuer != c.subject), None)


def _about(c: Certificate, x: Any, now: float) -> Iterator[Issue]:
    if now >= BELIEVABLE:
        if c.not_after <= now:
            text = f"{c.subject} ended on {judgement.day(c.not_after)}."
            yield Issue(
                "S172", "error", c.sha256, text, "Ask for a new one; if the clock of this host is wrong, set it."
            )
        elif c.not_before > now:
            text = f"{c.subject} begins on {judgement.day(c.not_before)}."
            yield Issue(
                "S172", "warning", c.sha256, text, "Set the clock if it is wrong; else it works from that day on."
            )
    bits, rsa = getattr(x.public_key(), "key_size", 256), c.key.startswith(("RSA", "DSA"))
    if bits < (2048 if rsa else 224):
        text = f"The key of {c.subject} is too weak for browsers: {c.key}."
        yield Issue("S174", "error", c.sha256, text, "Ask for one with RSA 2048, or a curve of 256 bits, or more.")
    if c.authority:
        text = f"{c.subject} is the certificate of a CA. Whoever has its key can sign for others."
        yield Issue("S175", "warning", c.sha256, text, "Ask for a certificate of a server.")
    if not c.names:
        text = f"{c.subject} has no subject alternative name; browsers and Go do not accept that."
        yield Issue("S176", "warning", c.sha256, text, "Ask for one that has the name and address of this host there.")
    usage = judgement.extension(x, "ExtendedKeyUsage")
    if usage is not None and _WEB not in [oid.dotted_string for oid in usage.value]:
        text = f"{c.subject} is not meant for servers (extended key usage)."
        yield Issue("S176", "warning", c.sha256, text, "Ask for one for server authentication.")


def _public(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    made: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return made


def _pem(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    made: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.decode()


def _der(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    made: bytes = certificate.public_bytes(Encoding.DER)
    return made


def _sha256(der: bytes) -> str:
    import hashlib

    return hashlib.sha256(der).hexdigest()
