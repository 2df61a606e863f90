"""The table of certificate inputs: what people bring, and what has to be said of it.

Each case: the bytes, how many certificates may be taken, the codes that are said, and more for the judgement.
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from tests.certificates import NOW, YEAR, Issued, issued, rsa_key, server

DATA = Path(__file__).with_name("data") / "certs"
PASSPHRASE = "pa55 phrase with \u00e4"


@dataclass(frozen=True)
class Case:
    data: bytes
    usable: int
    codes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


def cases() -> dict[str, Case]:
    """Every case by its name, made anew."""
    root = issued("Example Root CA")
    other = issued("Other Root CA", organization="")
    middle = issued("Example Issuing CA", root, path_length=0)
    leaf = server(middle)
    pem, text = root.pem, root.pem.decode()
    key = root.key_pem
    found = {
        # the forms
        "pem": Case(pem, 1),
        "der": Case(root.der, 1),
        "der of two": Case(root.der + other.der, 2),
        "der with more behind": Case(root.der + b"garbage", 0, ("S115",)),
        "pkcs7 der": Case(_pkcs7([root, other], serialization.Encoding.DER), 2),
        "pkcs7 pem": Case(_pkcs7([root], serialization.Encoding.PEM), 1),
        "pkcs7 of openssl": Case(_stored("two.p7b"), 2),
        "pkcs7 damaged": Case(_pkcs7([root], serialization.Encoding.DER)[:200], 0, ("S115",)),
        "pkcs12 without passphrase": Case(_pkcs12([root], None), 1),
        "pkcs12": Case(_pkcs12([root], PASSPHRASE), 1, (), {"passphrase": PASSPHRASE}),
        "pkcs12 asks": Case(_pkcs12([root], PASSPHRASE), 0, ("S117",)),
        "pkcs12 wrong passphrase": Case(_pkcs12([root], PASSPHRASE), 0, ("S117",), {"passphrase": "x"}),
        "pkcs12 with a key": Case(_pkcs12([root], PASSPHRASE, root), 0, ("S111",), {"passphrase": PASSPHRASE}),
        "trusted certificate of openssl": Case(_stored("trusted-certificate.pem"), 1, ("S130",)),
        # what copy and paste does
        "crlf": Case(text.replace("\n", "\r\n").encode(), 1, ("S130",)),
        "old mac line ends": Case(text.replace("\n", "\r").encode(), 1, ("S130",)),
        "byte order mark": Case(b"\xef\xbb\xbf" + pem, 1, ("S130",)),
        "utf-16 of notepad": Case(b"\xff\xfe" + text.encode("utf-16-le"), 1, ("S130",)),
        "utf-16 without mark": Case(text.encode("utf-16-be"), 1, ("S130",)),
        "indented": Case("".join(f"    {x}\n" for x in text.splitlines()).encode(), 1, ("S130",)),
        "tabs": Case("".join(f"\t{x}\n" for x in text.splitlines()).encode(), 1, ("S130",)),
        "quoted mail": Case("".join(f"> {x}\n" for x in text.splitlines()).encode(), 1, ("S130",)),
        "quoted twice": Case("".join(f"> > {x}\n" for x in text.splitlines()).encode(), 1, ("S130",)),
        "commented": Case("".join(f"# {x}\n" for x in text.splitlines()).encode(), 1, ("S130",)),
        "json value": Case(f'"{text.encode().decode()!s}"'.replace("\n", "\\n").encode(), 1, ("S130",)),
        "string of a program": Case("".join(f'"{x}\\n" +\n' for x in text.splitlines()).encode(), 1, ("S130",)),
        "one line": Case(text.replace("\n", "").encode(), 1),
        "blanks for line ends": Case(text.replace("\n", " ").encode(), 1, ("S130",)),
        "double spaced": Case(text.replace("\n", "\n\n").encode(), 1),
        "zero width blanks": Case(text.replace("M", "\u200bM", 3).encode(), 1, ("S130",)),
        "long dashes": Case(text.replace("-----", "\u2014--").encode(), 1, ("S130",)),
        "hard blanks": Case("".join(f"\xa0{x}\n" for x in text.splitlines()).encode(), 1, ("S130",)),
        "html": Case(text.replace("\n", "<br>\n").encode(), 1, ("S130",)),
        "words around": Case(b"Hello,\nhere it is:\n\n" + pem + b"\nRegards\n", 1),
        "openssl x509 -text": Case(b"Certificate:\n    Data:\n        Version: 3 (0x2)\n" + pem, 1, ("S130",)),
        "bag attributes": Case(b"Bag Attributes\n    friendlyName: ca\nsubject=CN = x\n" + pem, 1, ("S130",)),
        "pem headers": Case(text.replace("\n", "\nX-Note: a\n\n", 1).encode(), 1),
        "base64 of pem": Case(base64.b64encode(pem), 1, ("S130",)),
        "kubernetes secret": Case(b"ca.crt: " + base64.b64encode(pem) + b"\n", 1, ("S130",)),
        "base64 of der": Case(base64.encodebytes(root.der), 1, ("S130",)),
        "yaml block": Case(("ca: |\n" + "".join(f"  {x}\n" for x in text.splitlines())).encode(), 1, ("S130",)),
        "x509 certificate label": Case(text.replace("CERTIFICATE", "X509 CERTIFICATE").encode(), 1),
        # what is lost on the way
        "empty": Case(b"", 0, ("S110",)),
        "blanks": Case(b" \n\t\r\n", 0, ("S110",)),
        "cut in the middle": Case(pem[:300], 0, ("S112",)),
        "cut before END": Case(pem[: pem.index(b"-----END")], 0, ("S112",)),
        "third of three cut": Case(root.pem + other.pem + middle.pem[:300], 0, ("S112",)),
        "begin lost": Case(pem[40:], 0, ("S112",)),
        "begins anew": Case(pem[:300] + pem, 0, ("S113",)),
        "pasted twice": Case(pem + pem, 1, ("S113",)),
        "one character wrong": Case(pem[:200] + b"!" + pem[201:], 0, ("S114",)),
        "characters lost": Case(_odd(pem), 0, ("S114",)),
        "four characters lost": Case(_without(text, 4), 0, ("S115",)),
        "line lost": Case("\n".join(text.splitlines()[:3] + text.splitlines()[4:]).encode(), 0, ("S115",)),
        "damaged within": Case(_pem(root.der[:4] + b"\x31" + root.der[5:]), 0, ("S115",)),
        "signature that does not fit": Case(_pem(root.der[:-3] + b"abc"), 0, ("S115",)),
        "too large": Case(pem + b"x" * (256 << 10), 0, ("S116",)),
        "whole bundle": Case(b"".join(issued(f"Root {n}").pem for n in range(51)), 0, ("S119",)),
        # what is something else
        "private key": Case(key, 0, ("S111",)),
        "key behind the certificate": Case(pem + key, 0, ("S111",)),
        "key before the certificate": Case(key + pem, 0, ("S111",)),
        "key in utf-16": Case((pem + key).decode().encode("utf-16"), 0, ("S111",)),
        "encrypted key": Case(_key(root, encrypted=True), 0, ("S111",)),
        "key in der": Case(_key(root, der=True), 0, ("S111",)),
        "encrypted key in der": Case(_key(root, der=True, encrypted=True), 0, ("S111",)),
        "key in base64 once more": Case(base64.b64encode(pem + key), 0, ("S111",)),
        "half a key": Case(key[:100], 0, ("S111",)),
        "putty key": Case(b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", 0, ("S111",)),
        "openssh key": Case(b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END", 0, ("S111",)),
        "request": Case(_request(root), 0, ("S118",)),
        "request in der": Case(_request(root, serialization.Encoding.DER), 0, ("S118",)),
        "public key": Case(_public(root), 0, ("S118",)),
        "revocation list": Case(_revoked(root), 0, ("S118",)),
        "ssh public key": Case(b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5 me\n", 0, ("S118",)),
        "pgp": Case(b"-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----\n", 0, ("S118",)),
        "login page": Case(b"<!DOCTYPE html><html><body>Log in</body></html>", 0, ("S118",)),
        "zip": Case(b"PK\x03\x04" + b"\0" * 60, 0, ("S118",)),
        "gzip": Case(gzip.compress(pem), 0, ("S118",)),
        "java key store": Case(b"\xfe\xed\xfe\xed\0\0\0\2", 0, ("S118",)),
        "prose": Case(b"The certificate is attached.", 0, ("S110",)),
        "noise": Case(bytes(range(256)) * 4, 0, ("S110",)),
        "certificate and request": Case(pem + _request(root), 1, ("S130",)),
        # what the certificate is
        "rsa root": Case(issued("RSA Root", key=rsa_key(2048)).pem, 1),
        "ed25519 root": Case(issued("Ed25519 Root", key=ed25519.Ed25519PrivateKey.generate()).pem, 1),
        "leaf": Case(leaf.pem, 0, ("S120",)),
        "self-signed server": Case(issued("box", ca=False, usage=("digital_signature",)).pem, 0, ("S120",)),
        "no basic constraints": Case(issued("Old Root", ca=None).pem, 0, ("S132",)),
        "version 1": Case(_stored("version1-root.pem"), 0, ("S132",)),
        "may not sign": Case(issued("Shy CA", usage=("crl_sign",)).pem, 0, ("S121",)),
        "ended": Case(issued("Past CA", begins=NOW - 3 * YEAR, ends=NOW - YEAR).pem, 0, ("S122",)),
        "not begun": Case(issued("Future CA", begins=NOW + YEAR).pem, 1, ("S123",)),
        "ends soon": Case(issued("Late CA", ends=NOW + timedelta(days=20)).pem, 1, ("S124",)),
        "clock of 1970": Case(pem, 1, ("S131",), {"now": 300.0}),
        "rsa 1024": Case(_stored("rsa1024-root.pem"), 1, ("S125", "S129")),
        "rsa 512": Case(_stored("rsa512-root.pem"), 0, ("S125",)),
        "sha-1 root": Case(_stored("sha1-root.pem"), 1),
        "md5 root": Case(_stored("md5-root.pem"), 1),
        "sha-1 intermediate": Case(_stored("sha1-intermediate.pem"), 0, ("S126", "S127")),
        "intermediate alone": Case(middle.pem, 1, ("S127",)),
        "chain": Case(leaf.pem + middle.pem + root.pem, 2, ("S120",)),
        "chain in another order": Case(root.pem + leaf.pem + middle.pem, 2, ("S120",)),
        "issuer trusted already": Case(middle.pem, 1, (), {"trusted": text}),
        "trusted already": Case(pem, 1, ("S128",), {"trusted": text}),
        "two roots": Case(root.pem + other.pem, 2),
        "same name, another key": Case(root.pem + issued("Example Root CA").pem, 2),
        "constraints not critical": Case(issued("Lax CA", critical=False).pem, 1, ("S129",)),
        "no key usage": Case(issued("Plain CA", usage=None).pem, 1, ("S129",)),
        "no key identifier": Case(issued("Bare CA", ski=False).pem, 1, ("S129",)),
        "no authority key identifier": Case(root.pem + issued("Sub CA", root, aki=False).pem, 2, ("S129",)),
        "empty subject": Case(issued("", organization="").pem, 1, ("S129",)),
        "name with control characters": Case(issued("Evil \x1b[2J\x07 CA").pem, 1),
        "long name": Case(issued("C" * 64, organization="O" * 64).pem, 1),
    }
    return {name: Case(c.data, c.usable, c.codes, {"now": NOW.timestamp()} | c.details) for name, c in found.items()}


def _stored(name: str) -> bytes:
    return (DATA / name).read_bytes()


def _pkcs7(those: list[Issued], encoding: serialization.Encoding) -> bytes:
    return pkcs7.serialize_certificates([x.certificate for x in those], encoding)


def _pkcs12(those: list[Issued], passphrase: str | None, owner: Issued | None = None) -> bytes:
    how = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    own, key = (owner.certificate, owner.key) if owner else (None, None)
    rest = None if owner else [x.certificate for x in those]
    return pkcs12.serialize_key_and_certificates(b"ca", key, own, rest, how)


def _key(one: Issued, *, der: bool = False, encrypted: bool = False) -> bytes:
    encoding = serialization.Encoding.DER if der else serialization.Encoding.PEM
    how: Any = serialization.BestAvailableEncryption(b"x") if encrypted else serialization.NoEncryption()
    data: bytes = one.key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, how)
    return data


def _request(one: Issued, encoding: serialization.Encoding = serialization.Encoding.PEM) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(one.certificate.subject)
    return builder.sign(one.key, hashes.SHA256()).public_bytes(encoding)


def _public(one: Issued) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    data: bytes = one.key.public_key().public_bytes(serialization.Encoding.PEM, form)
    return data


def _revoked(one: Issued) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(one.certificate.subject)
    builder = builder.last_update(NOW).next_update(NOW + YEAR)
    return builder.sign(one.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _pem(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


def _odd(pem: bytes) -> bytes:
    """As many characters lost as leave one over a group of four, which no base64 has, whatever a signature's length."""
    data = b"".join(pem.split(b"-----")[2].split()).rstrip(b"=")
    lost = (len(data) - 1) % 4 or 4
    return pem[:201] + pem[201 + lost :]


def _without(text: str, count: int) -> bytes:
    lines = text.splitlines()
    lines[3] = lines[3][:20] + lines[3][20 + count :]
    return "\n".join(lines).encode()
