"""The time in which a leader lets others in: a short code and a token, each good for one try and two minutes.

Ten failures close it. Nothing of it is written down: an agent that starts anew has its window closed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from agent.links.pairing import Admitting, PairingError
from agent.links.peers import Peer
from tui.models.peers import DIGITS, Token
from tui.services.clock import Clock

SECONDS = 120.0
"""How long a code and a token are good, as the documented product has it."""
FAILURES = 10
_ANSWER_WITHIN = 30.0
"""Seconds between the two requests of one pairing."""


class Refusal(Exception):
    """Why somebody was not let in; the text is a sentence for whoever asked."""


@dataclass(slots=True)
class _Secret:
    word: str
    until: float


@dataclass(slots=True)
class _Try:
    pairing: Admitting
    peer: Peer
    until: float


@dataclass(slots=True)
class Window:
    """Open from `opened` until `close`. Times are seconds of CLOCK_BOOTTIME."""

    clock: Clock
    own: str
    """Fingerprint of this host's certificate."""
    opened: bool = False
    failures: int = 0
    _secrets: dict[str, _Secret] = field(default_factory=dict)
    _tries: dict[str, _Try] = field(default_factory=dict)

    def open(self) -> None:
        self.opened, self.failures = True, 0
        self._secrets, self._tries = {}, {}

    def close(self) -> None:
        self.opened = False
        self._secrets, self._tries = {}, {}

    def code(self) -> str:
        """Eight digits that are read out in two groups of four.

        Raises:
            Refusal: the window is closed.
        """
        return self._secret("code").word

    def token(self, address: str, port: int) -> str:
        """Base64 of where this host is, its certificate's fingerprint and a one-time password.

        Raises:
            Refusal: the window is closed.
        """
        return Token(address, port, self.own, self._secret("token").word).text()

    def remaining(self, kind: str) -> float:
        """Seconds for which the code or the token is still good.

        Raises:
            Refusal: the window is closed.
        """
        return self._secret(kind).until - self.clock.boottime()

    def begin(self, kind: str, peer: Peer, message: bytes) -> tuple[str, bytes]:
        """The first half of a pairing: its number and this side's message. The password is used up by it.

        Args:
            peer: the other side as it describes itself; nothing of that is believed before `finish`.

        Raises:
            Refusal: the window is closed, or this is no beginning of a pairing.
        """
        if kind not in ("code", "token"):
            raise Refusal("Pair with a code or with a token.")
        self._forget()
        word = self._secret(kind).word
        del self._secrets[kind]
        try:
            pairing = Admitting(word, peer.fingerprint, self.own, message)
        except PairingError as error:
            self._failed()
            raise Refusal("This is no beginning of a pairing.") from error
        number = secrets.token_hex(16)
        self._tries[number] = _Try(pairing, peer, self.clock.boottime() + _ANSWER_WITHIN)
        return number, pairing.message

    def finish(self, number: str, proof: bytes) -> tuple[Peer, bytes]:
        """The second half: whom to trust from now on, and this side's proof.

        Raises:
            Refusal: the other side does not know the password, or came too late.
        """
        self._forget()
        found = self._tries.pop(number, None)
        if found is None:
            raise Refusal("This pairing is over. Begin again with a new code.")
        answer = found.pairing.answer(proof)
        if answer is None:
            self._failed()
            raise Refusal("The code is not the one that the leader shows, or somebody listens in between.")
        return found.peer, answer

    def _secret(self, kind: str) -> _Secret:
        if not self.opened:
            raise Refusal("This host lets nobody link to it now. Open its window: Hosts, lead.")
        now = self.clock.boottime()
        known = self._secrets.get(kind)
        if known is None or known.until <= now:
            word = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}" if kind == "code" else secrets.token_urlsafe(24)
            known = self._secrets[kind] = _Secret(word, now + SECONDS)
        return known

    def _forget(self) -> None:
        """A pairing that was begun and not finished in time is a failure too: its code is used up."""
        now = self.clock.boottime()
        for number in [n for n, each in self._tries.items() if each.until <= now]:
            del self._tries[number]
            self._failed()

    def _failed(self) -> None:
        self.failures += 1
        if self.failures >= FAILURES:
            self.close()
