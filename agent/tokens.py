"""Tokens of logins over HTTPS: JWT (RFC 7519) with HMAC-SHA-256 and a secret that only root can read.

A token ends by itself after 2 or 24 hours, by logging out, and when its user's password was changed here.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import jwt

from agent.store import Store
from tui.models.change import FileImage
from tui.services.change import files
from tui.services.host import Host

SECRET = "/var/lib/onsite/agent-token.key"  # noqa: S105 - where it lies, not what it is
SHORT, LONG = 2 * 3600, 24 * 3600
"""Seconds."""
_AUDIENCE = "onsite-agent"
_LEEWAY = 5
"""Seconds by which the clock may be set back without shutting everybody out."""


class Invalid(Exception):
    """Not a token of this agent, or not any more. The text may be told to whoever sent it."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a valid token says.

    Attributes:
        expires: seconds since the epoch.
    """

    id: str
    user: str
    issued: float
    expires: float


class Tokens:
    """Issues and judges tokens of one host."""

    def __init__(self, host: Host, store: Store) -> None:
        """Raises OSError where the secret cannot be kept."""
        self._store, self._clock = store, host.clock
        self._secret = _secret(host)

    def issue(self, user: str, *, long: bool = False) -> str:
        now = self._clock.now()
        claims = {
            "sub": user, "jti": secrets.token_urlsafe(18), "iat": now, "exp": int(now) + (LONG if long else SHORT),
            "aud": _AUDIENCE,
        }  # fmt: skip
        return jwt.encode(claims, self._secret, "HS256")

    def judge(self, text: str) -> Token:
        """Raises Invalid."""
        try:
            claims = jwt.decode(
                text, self._secret, ["HS256"], audience=_AUDIENCE,
                options={"require": ["sub", "jti", "iat", "exp"], "verify_exp": False, "verify_iat": False},
            )  # fmt: skip
            token = Token(str(claims["jti"]), str(claims["sub"]), float(claims["iat"]), float(claims["exp"]))
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Invalid("This is no token of this agent.") from error
        now = self._clock.now()
        if now >= token.expires:
            raise Invalid("The login is over.")
        if token.issued > now + _LEEWAY:
            raise Invalid("The clock of this host was set back; log in again.")
        if self._store.row("SELECT 1 FROM revoked WHERE token = ?", token.id) is not None:
            raise Invalid("This login was ended.")
        user = self._store.row("SELECT sessions_since FROM users WHERE name = ?", token.user)
        if user is None or token.issued < user["sessions_since"]:
            raise Invalid("This login was ended.")
        return token

    def revoke(self, token: Token) -> None:
        """It is not valid any more; those that have ended by themselves are forgotten."""
        with self._store.transaction():
            self._store.run("INSERT OR REPLACE INTO revoked (token, expires) VALUES (?, ?)", token.id, token.expires)
            self._store.run("DELETE FROM revoked WHERE expires < ?", self._clock.now() - LONG)

    def logged_in(self, user: str) -> bool:
        """Count a login. Returns whether it is the first of this user."""
        with self._store.transaction():
            known = self._store.row("SELECT logins FROM users WHERE name = ?", user)
            self._store.run(
                "INSERT INTO users (name, logins, sessions_since) VALUES (?, 1, 0)"
                " ON CONFLICT (name) DO UPDATE SET logins = logins + 1",
                user,
            )
        return known is None or known["logins"] == 0

    def end_all(self, user: str) -> None:
        """All tokens that this user has so far are over."""
        self._store.run(
            "INSERT INTO users (name, logins, sessions_since) VALUES (?, 0, ?)"
            " ON CONFLICT (name) DO UPDATE SET sessions_since = excluded.sessions_since",
            user, self._clock.now(),
        )  # fmt: skip


def _secret(host: Host) -> bytes:
    """The one that is kept; a new one where there is none or where somebody else could have read it."""
    found = files.read_image(host, SECRET)
    if found.content is not None and len(found.content) >= 32 and found.mode == 0o600 and found.uid == os.geteuid():
        return found.content
    made = secrets.token_bytes(48)
    files.make_folder(Path(host.path(SECRET)).parent, 0o700)
    files.write_image(host, FileImage(SECRET, made, 0o600, os.geteuid(), os.getegid()))
    return made
