"""Detached signatures over a manifest: RSA (PKCS #1 v1.5, SHA-256) or Ed25519, and the key that this host trusts.

Both are what `openssl dgst -sha256 -sign` and `openssl pkeyutl -sign -rawin` make. As the manifest holds the SHA-256
of every part, its signature is one over everything.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING

from tui.models.content import Trust
from tui.services.content.stream import refused
from tui.services.host import Host

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

KEY = "/etc/onsite/content.pub"
LARGEST = 16 << 10
SHORTEST_RSA = 2048


def trusted_key(host: Host) -> bytes:
    """The public key in PEM that the installer put on this host; b"" for none.

    Raises:
        Refused: B112 it is there and cannot be used; then nothing is taken.
    """
    try:
        with host.path(KEY).open("rb") as file:
            pem = file.read(LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise _unusable(f"it cannot be read ({error.strerror})") from error
    _public(pem)
    return pem


def judged(manifest: bytes, signature: bytes, pem: bytes) -> Trust:
    """What the signature of a manifest is worth on this host.

    Args:
        signature: as in the archive or beside it: base64 or raw bytes; b"" for none.
        pem: the trusted key; b"" for none.

    Raises:
        Refused: B110 there is a key and no signature; B111 it is not by this key, or the manifest was altered.
    """
    if not pem:
        return "not checked" if signature else "unsigned"
    if not signature:
        text = "It is not signed, and this host takes only what is signed with the key of its installer."
        raise refused("B110", text, "Ask for the signed one, or for its signature file.")
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    key = _public(pem)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(raw(signature), manifest, padding.PKCS1v15(), SHA256())
        else:
            key.verify(raw(signature), manifest)
    except InvalidSignature as error:
        text = "It was altered after it was signed, or it is signed with another key than that of this host."
        raise refused("B111", text, "Do not use it. Get it again, and ask whether the key was changed.") from error
    return "verified"


def signature(manifest: bytes, key: Path) -> bytes:
    """The signature of a manifest, in base64 with a new line, by a private key in PEM without a passphrase.

    Raises:
        Refused: B113.
    """
    from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    remedy = "Name a file with an RSA (2048 bits or more) or Ed25519 private key in PEM, without a passphrase."
    try:
        private = load_pem_private_key(key.read_bytes()[:LARGEST], None)
    except (OSError, ValueError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no private key that can be read"
        raise refused("B113", f"{key.name} cannot sign: {why}.", remedy) from error
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= SHORTEST_RSA:
        made = private.sign(manifest, padding.PKCS1v15(), SHA256())
    elif isinstance(private, ed25519.Ed25519PrivateKey):
        made = private.sign(manifest)
    else:
        raise refused("B113", f"{key.name} cannot sign: it is another kind of key, or too short.", remedy)
    return base64.b64encode(made) + b"\n"


def raw(given: bytes) -> bytes:
    """The bytes of a signature that may be in base64."""
    try:
        return base64.b64decode(b"".join(given.split()), validate=True)
    except binascii.Error:
        return given


def created(host: Host) -> float:
    """When the trusted key was put on this host: seconds since the epoch; 0 where there is none."""
    try:
        return host.path(KEY).stat().st_mtime
    except OSError:
        return 0.0


def _public(pem: bytes) -> RSAPublicKey | Ed25519PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable("it is no public key in PEM") from error
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SHORTEST_RSA:
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    raise _unusable("it is neither RSA of 2048 bits or more nor Ed25519")


def _unusable(why: str) -> Exception:
    text = f"The key for bundles on this host, {KEY}, cannot be used: {why}."
    return refused("B112", text, "Put the right public key there, or take the file away if nothing is signed here.")
