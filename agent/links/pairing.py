"""Two hosts that share a short password learn each other's certificate, whoever sits between them.

SPAKE2 (Abdalla and Pointcheval; group, points and transcript are those of the library `spake2`) with the fingerprints
of both certificates as the identities of the two sides. A man in the middle shows certificates of his own, so the two
ends get different keys and neither proof fits. Nobody can try passwords without asking the leader, who gives each
password one try; the follower proves first.
"""

from __future__ import annotations

import hashlib
import hmac

from spake2 import SPAKE2_A, SPAKE2_B, SPAKEError
from spake2.ed25519_basic import NotOnCurve

_MESSAGE = 33
"""Bytes: which side sent it, and a point."""


class PairingError(Exception):
    """The other side speaks no SPAKE2, or reflected what it was sent."""


class Joining:
    """The follower's half."""

    def __init__(self, password: str, own: str, leader: str) -> None:
        """`own` and `leader`: fingerprints of the two certificates, the leader's as it was presented here."""
        self._half = SPAKE2_A(password.encode(), idA=own.encode(), idB=leader.encode())
        self.message: bytes = self._half.start()
        self._key = b""

    def proof(self, message: bytes) -> bytes:
        """What proves to the leader that this side knows the password.

        Raises:
            PairingError: `message` is none.
        """
        self._key = _finished(self._half, message)
        return _proof(self._key, b"follower")

    def believes(self, proof: bytes) -> bool:
        """Whether the leader knows the password too, and has the certificate that was presented here."""
        return bool(self._key) and hmac.compare_digest(proof, _proof(self._key, b"leader"))


class Admitting:
    """The leader's half, for one try."""

    def __init__(self, password: str, follower: str, own: str, message: bytes) -> None:
        """Raises PairingError: `message` is none."""
        half = SPAKE2_B(password.encode(), idA=follower.encode(), idB=own.encode())
        self.message: bytes = half.start()
        self._key = _finished(half, message)

    def answer(self, proof: bytes) -> bytes | None:
        """The leader's own proof, or None where the follower does not know the password."""
        return _proof(self._key, b"leader") if hmac.compare_digest(proof, _proof(self._key, b"follower")) else None


def _finished(half: SPAKE2_A | SPAKE2_B, message: bytes) -> bytes:
    if len(message) != _MESSAGE:
        raise PairingError("no message of a pairing")
    try:
        key: bytes = half.finish(message)
    except (SPAKEError, NotOnCurve, ValueError, AssertionError) as error:  # the library's own ways to refuse
        raise PairingError("no message of a pairing") from error
    return key


def _proof(key: bytes, side: bytes) -> bytes:
    return hmac.new(key, b"onsite link " + side, hashlib.sha256).digest()
