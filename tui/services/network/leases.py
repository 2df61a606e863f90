"""What DHCP gave a link: one JSON file a link under /run, written by the client and read by everybody."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from tui.models.facts import Lease
from tui.services.host import Host

FOLDER = "/run/onsite/leases"
_KNOWN = {field.name for field in fields(Lease)}


def path(host: Host, name: str) -> Path:
    return host.path(f"{FOLDER}/{name}.json")


def read(host: Host, name: str) -> Lease | None:
    """The lease of that link; None where it has none."""
    try:
        data = json.loads(path(host, name).read_text())
        values: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in data.items() if key in _KNOWN
        }
        return Lease(**values)
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write(host: Host, name: str, lease: Lease, obtained: float) -> None:
    """Args:
    obtained: wall clock, seconds since the epoch.
    """
    replace_volatile(path(host, name), json.dumps({**asdict(lease), "obtained": obtained}) + "\n")


def remove(host: Host, name: str) -> None:
    if path(host, name).exists():
        path(host, name).unlink(missing_ok=True)


def replace_volatile(path: Path, text: str) -> None:
    """Whole or not at all, but not synced: /run is memory, and a power cut is meant to forget it."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.onsite.tmp")
    beside.write_text(text)
    beside.replace(path)
