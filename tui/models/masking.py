"""Secrets in text blacked out: what a screen, a report, a log or a recording shows of a file.

By pattern and not by knowing the secret, so that it holds for the files of others too. It rather hides too much.
"""

from __future__ import annotations

import re

MASK = "***"
_NAME = r"[\w.-]*(?:password|passphrase|passwd|secret|token|psk|private[_-]?key)[\w.-]*"
_SETTING = re.compile(rf"(?im)^([ +-]*(?:export )?[\"']?{_NAME}[\"']?[ \t]*[:=][ \t]*).+$")
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'\"]*):[^\s/'\"]*@")


def masked(text: str) -> str:
    """`text` without the values of settings that are named like secrets, and without passwords in URLs."""
    return _USERINFO.sub(rf"\1:{MASK}@", _SETTING.sub(rf"\1{MASK}", text))
