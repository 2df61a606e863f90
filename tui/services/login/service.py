"""Our file in /etc/pam.d: the host's own stack, and a delay after a wrong password.

How often somebody may be wrong is counted by `lockout.py`: pam_faillock is not on every host, counts users and not
lines, and cannot be wrapped around a stack that is included. Where the administrator has it in that stack, it counts.
"""

from __future__ import annotations

from pathlib import Path

PATH = "/etc/pam.d/onsite"
DELAY = 2_000_000
"""Microseconds that a wrong password takes at least."""
_FOLDERS = ("etc/pam.d", "usr/lib/pam.d")
_STACKS = (("common-auth", "common-account"), ("system-auth", "system-auth"))
"""Debian, SUSE; Red Hat, Arch."""
_MODULES = ("lib/*/security", "usr/lib/*/security", "lib64/security", "usr/lib64/security", "usr/lib/security")


def text(root: Path) -> str:
    """The service file for the host below `root`; pam_unix alone where it has no stack that can be included."""
    folders = [root / name for name in _FOLDERS]
    found = next(((a, b) for a, b in _STACKS if any((folder / a).exists() for folder in folders)), None)
    lines = ["#%PAM-1.0", "# Written by onsite install."]
    if any((folder / "pam_faildelay.so").exists() for pattern in _MODULES for folder in root.glob(pattern)):
        lines.append(f"auth optional pam_faildelay.so delay={DELAY}")
    if found is None:
        lines += ["auth required pam_unix.so", "account required pam_unix.so"]
    else:
        lines += [f"auth substack {found[0]}", f"account substack {found[1]}"]
    return "\n".join([*lines, ""])
