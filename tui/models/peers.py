"""Linked hosts: the code that is read out, the token that is carried, and the form in which a follower types them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from tui.models.form import Field, Form
from tui.models.wrong import Wrong, clean, quoted

DIGITS = 8
_LONGEST_TOKEN = 1000


FOLLOW_FORM = Form(
    "peers",
    "Follow another host",
    (
        Field(
            "by", "choice", "Link by", choices=(("code", "Code"), ("token", "Token")),
            help="A code is read out or seen on the leader's screen. A token is pasted, where there is a clipboard.",
        ),
        Field(
            "address", "host", "Leader", "192.0.2.10", needed=True, shown_when=("by", ("code",)),
            help="The address that the leader shows beside its code.",
        ),
        Field(
            "code", "linkcode", "Code", "4821 7730", needed=True, shown_when=("by", ("code",)),
            help="Eight digits, as the leader shows them now. Each is good for one try and two minutes.",
        ),
        Field(
            "token", "linktoken", "Token", "eyJhIjoi...", needed=True, secret=True, shown_when=("by", ("token",)),
            help="The token of the leader, whole; it is good once and for two minutes.",
        ),
    ),
)  # fmt: skip


def code(text: str) -> str:
    """The eight digits of a code, blanks and hyphens between them taken away.

    Raises:
        Wrong: L101.
    """
    digits = "".join(clean(text).replace("-", " ").split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        raise Wrong(
            "L101", f"A code has eight digits; {quoted(text)} is none.", "Read it from the leader's screen: Hosts, O."
        )
    return digits


def spoken(digits: str) -> str:
    """A code as it is read out: 4821 7730."""
    return f"{digits[:4]} {digits[4:]}".strip()


@dataclass(frozen=True, slots=True)
class Token:
    """What a leader's token says.

    Attributes:
        fingerprint: SHA-256 of the leader's certificate, 64 hexadecimal digits; "" where only a code is known.
        word: the one-time password.
    """

    address: str
    port: int
    fingerprint: str
    word: str

    def text(self) -> str:
        content = {"a": self.address, "p": self.port, "f": self.fingerprint, "w": self.word}
        return base64.b64encode(json.dumps(content, separators=(",", ":")).encode()).decode("ascii")


def token(text: str) -> Token:
    """A token as it was pasted, typed or read from a stick.

    Raises:
        Wrong: L102; the text of it is in no issue.
    """
    wrong = Wrong("L102", "This is no token of a leader.", "Copy it whole: it begins with eyJ and has no blanks.")
    try:
        found = json.loads(base64.b64decode("".join(clean(text).split()), validate=True))
        made = Token(str(found["a"]), int(found["p"]), str(found["f"]), str(found["w"]))
    except (ValueError, KeyError, TypeError) as error:
        raise wrong from error
    if len(made.fingerprint) != 64 or not 0 < made.port < 65536 or not made.address:
        raise wrong
    return made
