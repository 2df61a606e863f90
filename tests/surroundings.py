"""What a test may inherit from the person who starts it: not the look of their terminal, nor their proxy or login.

Textual reads its variables when it is imported, and a plugin of pytest imports it, so this is imported before any
plugin (`-p tests.plugin` in pyproject.toml) and dev.py starts pytest with it already done. Standard library only.
"""

from __future__ import annotations

import json
import os

PREFIXES = ("TEXTUAL_", "ONSITE_", "CLICOLOR", "SSH_", "SUDO_", "XDG_SESSION", "XDG_VTNR", "TMUX", "LC_")
NAMES = frozenset(
    {
        *("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLORFGBG", "COLUMNS", "LINES", "ESCDELAY", "VTE_VERSION"),
        *("LANG", "LANGUAGE", "TZ", "STY", "WINDOW", "NOTIFY_SOCKET", "TERM_PROGRAM"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY"),
    }
)
# Said on purpose to the tests, not inherited by accident.
KEPT = frozenset(
    {
        *("ONSITE_VENV", "ONSITE_FULL", "ONSITE_OUTSIDE", "ONSITE_ENGINE_PAYLOAD", "TEXTUAL_SNAPSHOT_TEMPDIR"),
        *("ONSITE_SEED", "ONSITE_FAULTS", "ONSITE_AIRGAP_SECONDS", "ONSITE_AIRGAP_PACE", "ONSITE_TRUST_SCRIPTS"),
    }
)
FIXED = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def tidied(environ: dict[str, str]) -> dict[str, str]:
    """The environment for a test run; what was taken out is in ONSITE_OUTSIDE, for tests that fetch packages."""
    unwanted = {
        name
        for name in environ
        if name not in KEPT and (name.upper() in NAMES or name.startswith(PREFIXES)) and name not in FIXED
    }
    kept = {name: value for name, value in environ.items() if name not in unwanted}
    removed = {name: environ[name] for name in sorted(unwanted)}
    before = json.loads(kept.get("ONSITE_OUTSIDE", "{}"))
    return {**kept, **FIXED, "ONSITE_OUTSIDE": json.dumps({**before, **removed})}


def outside() -> dict[str, str]:
    """The environment as it was, proxies and all: for pip and apt, never for the program under test."""
    return {**os.environ, **json.loads(os.environ.get("ONSITE_OUTSIDE", "{}"))}


def tidy() -> None:
    """Tidy this process's own environment."""
    wanted = tidied(dict(os.environ))
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    os.environ.update(wanted)
