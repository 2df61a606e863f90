"""Whether a new password is good enough, judged here: PAM checks no quality for root, and the console is root.

Length is what helps (NIST SP 800-63B section 5.1.1.2): no rules about kinds of characters, but nothing that everybody
would try first. Plain ASCII, because it is typed again at lines that know nothing else.
"""

from __future__ import annotations

import re

from tui.models.change import Issue

SHORTEST, LONGEST = 12, 200
FEWEST = 6
"""Different characters."""
_COMMON = (
    "password", "passwort", "passw", "admin", "administrator", "root", "welcome", "willkommen", "letmein", "changeme",
    "change", "secret", "geheim", "login", "user", "default", "master", "onsite", "kairos", "palette", "spectro",
    "ubuntu", "debian", "qwertyuiop", "qwertzuiop", "qwerty", "qwertz", "asdfghjkl", "asdf", "yxcvbnm", "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz", "abcdef", "abc", "iloveyou", "monkey", "dragon", "kubernetes", "test", "edge",
)  # fmt: skip
_DIGITS = "01234567890123456789"
_LEET = str.maketrans("013457@$!", "oleastasi")


def wrong(password: str, *names: str) -> Issue | None:
    """What is wrong with a password, or None.

    Args:
        names: the user's name, the host's, the product's: whoever tries begins with them.
    """
    for place, character in enumerate(password, 1):
        if not " " <= character <= "~":
            text = f"Character {place} cannot be typed at every line."
            return Issue("A513", "error", "password", text, "Use letters, digits and signs of plain ASCII.")
    if not SHORTEST <= len(password) <= LONGEST:
        text = f"A password has {SHORTEST} to {LONGEST} characters; this has {len(password)}."
        return Issue("A511", "error", "password", text, "Several words in a row are long and easy to remember.")
    if len(set(password)) < FEWEST or _rest(password, names) < SHORTEST // 2:
        text = "This is one of the first that others would try."
        remedy = "Leave out names, rows of keys and numbers; several words in a row are good."
        return Issue("A512", "error", "password", text, remedy)
    return None


def _rest(password: str, names: tuple[str, ...]) -> int:
    """How many characters are left without everything that can be guessed."""
    text = password.lower()
    best = len(text)
    for form in {text, text.translate(_LEET)}:
        rest = form
        for word in sorted({*_COMMON, *(n.lower() for n in names if len(n) > 2)}, key=len, reverse=True):
            rest = rest.replace(word, "")
        rest = re.sub(r"(.)\1{2,}", r"\1", rest)
        rest = re.sub(r"\d+", lambda m: "" if m[0] in _DIGITS or m[0] in _DIGITS[::-1] or _year(m[0]) else m[0], rest)
        best = min(best, len(rest))
    return best


def _year(digits: str) -> bool:
    return len(digits) == 4 and digits[:2] in ("19", "20")
