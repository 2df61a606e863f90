"""The reader of SSH public keys: lines in, keys that are whole out."""

from __future__ import annotations

from typing import Any

from tui.models.kubernetes import ssh_keys
from tui.models.wrong import Wrong


def read(data: bytes, _details: dict[str, Any]) -> dict[str, Any]:
    """{"keys": [...]}, or {"wrong": sentence}."""
    try:
        return {"keys": list(ssh_keys(data.decode("utf-8", "replace")))}
    except Wrong as wrong:
        return {"wrong": wrong.issue.text}


def warm_up() -> None:
    """Everything is imported; one key read imports nothing more."""
    read(b"ssh-ed25519 AAAA", {})
