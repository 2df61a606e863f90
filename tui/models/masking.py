"""Secrets in text blacked out: what a screen, a report, a log or a recording shows of a file.

By pattern and not by knowing the secret, so that it holds for the files of others too. It rather hides too much.
"""

from __future__ import annotations

import re

MASK = "***"
NAME = (
    r"[\w.-]*(?:password|passphrase|passwd|secret|token|psk|private[_-]?key|pre-?shared[_-]?key|wep[_-]?key"
    r"|key[_-]?data|credential|api[_-]?key)[\w.-]*"
)
_SETTING = re.compile(rf"(?im)^([ +-]*(?:export )?[\"']?{NAME}[\"']?[ \t]*[:=][ \t]*).+$")
_WORD = re.compile(r"(?im)^([ \t]*(?:wpa-psk|wpa-passphrase|wireless-key|wep-key\d?|identity-password)[ \t]+)\S.*$")
"""Settings of ifupdown, which has blanks and no sign between a name and its value."""
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'\"]*):[^\s/'\"]*@")
_HEADER = re.compile(
    r"(?i)(\b(?:proxy-)?authorization[\"']?[ \t]*[:=][ \t]*[\"']?(?:basic|bearer|digest)?[ \t]*)[^\s\"',]+"
)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_PEM = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


def masked(text: str) -> str:
    """`text` without the values of settings that are named like secrets, and without passwords in URLs."""
    text = _PEM.sub(rf"-----BEGIN \1----- {MASK}", text)
    text = _WORD.sub(rf"\1{MASK}", _SETTING.sub(rf"\1{MASK}", text))
    return _JWT.sub(MASK, _HEADER.sub(rf"\1{MASK}", _USERINFO.sub(rf"\1:{MASK}@", text)))
