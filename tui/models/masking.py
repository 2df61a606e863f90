"""Secrets in text blacked out: what a screen, a report, a log or a recording shows of a file.

By pattern and not by knowing the secret, so that it holds for the files of others too. It rather hides too much.
"""

from __future__ import annotations

import re

MASK = "***"
NAME = (
    r"[\w.-]*(?:password|passphrase|passwd|secret|token|psk|private[_-]?key|pre-?shared[_-]?key|wep[_-]?key"
    r"|key[_-]?data|credential|pairing[_-]?key|api[_-]?key)[\w.-]*"
)
_SETTING = re.compile(rf"(?im)^([ +-]*(?:export )?[\"']?{NAME}[\"']?[ \t]*[:=][ \t]*).+$")
_WORD = re.compile(r"(?im)^([ \t]*(?:wpa-psk|wpa-passphrase|wireless-key|wep-key\d?|identity-password)[ \t]+)\S.*$")
"""Settings of ifupdown, which has blanks and no sign between a name and its value."""
_INLINE = re.compile(rf"(?i)([{{,][ \t]*[\"']?{NAME}[\"']?[ \t]*:[ \t]*)(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^,}}\n]+)")
"""The same within braces: netplan's `auth: {key-management: psk, password: ...}`."""
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'\"]*):[^\s/'\"]*@")
_HEADER = re.compile(
    r"(?i)(\b(?:proxy-)?authorization[\"']?[ \t]*[:=][ \t]*[\"']?(?:basic|bearer|digest)?[ \t]*)[^\s\"',]+"
)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_PEM = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


def masked(text: str) -> str:
    """`text` without the values of settings that are named like secrets, and without passwords in URLs."""
    text = _PEM.sub(rf"-----BEGIN \1----- {MASK}", text)
    text = _WORD.sub(rf"\1{MASK}", _INLINE.sub(rf"\1{MASK}", _SETTING.sub(rf"\1{MASK}", text)))
    return _JWT.sub(MASK, _HEADER.sub(rf"\1{MASK}", _USERINFO.sub(rf"\1:{MASK}@", text)))


def keyless(old: str, new: str) -> tuple[str, str]:
    """Two texts that are about to be compared line by line, each private key in them made into one line.

    A key that is not in the other text says so, for masked they would look alike.
    """
    known = {match[0] for match in _PEM.finditer(old)}

    def line(match: re.Match[str]) -> str:
        return f"({match[1].lower()} {MASK})"

    def other(match: re.Match[str]) -> str:
        return line(match) if match[0] in known else f"(another {match[1].lower()} {MASK})"

    return _PEM.sub(line, old), _PEM.sub(other, new)
