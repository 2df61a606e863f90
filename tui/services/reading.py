"""Reading small files of a host without ever raising."""

from __future__ import annotations

import os

from tui.services.host import Host

LARGEST = 1 << 20
"""Bytes; a configuration file that is larger is not one."""


def text(host: Host, path: str) -> str | None:
    """The text of a file below the host's root; None where it is absent, unreadable, too large or not text."""
    try:
        fd = os.open(host.path(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        data = os.read(fd, LARGEST + 1)
        return None if len(data) > LARGEST else data.decode()
    except (OSError, UnicodeDecodeError):
        return None
    finally:
        os.close(fd)


def line(host: Host, path: str) -> str:
    """The first line that says something; "" where there is none."""
    for candidate in (text(host, path) or "").splitlines():
        word = candidate.partition("#")[0].strip()
        if word:
            return word
    return ""


def names(host: Host, folder: str, suffix: str = "") -> list[str]:
    """Names in a folder that end so, sorted; dot files, which are leftovers of writers, are left out."""
    try:
        found = os.listdir(host.path(folder))  # noqa: PTH208 - a Path for each entry costs more than the reading
    except OSError:
        return []
    return sorted(n for n in found if n.endswith(suffix) and not n.startswith("."))


def present(host: Host, path: str) -> bool:
    try:
        os.stat(host.path(path))  # noqa: PTH116
    except OSError:
        return False
    return True
