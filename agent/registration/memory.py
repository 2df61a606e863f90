"""What the agent keeps of a registration: one file of root's alone, whole or not there, written before it matters.

The pairing key is on the disk before the first request has it. So whoever is killed when: the host comes again with
the same id and the same key, and is the same host for the plane.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tui.models.change import FileImage
from tui.services import reading
from tui.services.change import files
from tui.services.host import Host

PATH = "/var/lib/onsite/registration.json"


@dataclass(frozen=True, slots=True)
class Memory:
    """Attributes:
    endpoint, uid: whose memory it is; of another plane or id nothing is taken over.
    pairing_key: the same for as long as the host is the same one.
    credential: what speaks for the host, "" while it is not paired.
    config: SHA-256 of the settings that were used last.
    times: when each step was made first.
    assigned: SHA-256 of the assignment to a cluster that was taken up last.
    """

    endpoint: str = ""
    uid: str = ""
    pairing_key: str = field(default="", repr=False)
    credential: str = field(default="", repr=False)
    config: str = ""
    times: dict[str, float] = field(default_factory=dict)
    assigned: str = ""


def load(host: Host) -> Memory:
    """What is kept; an empty one where nothing is, or where it cannot be understood."""
    try:
        data: dict[str, Any] = json.loads(reading.text(host, PATH) or "{}")
        return Memory(**data)
    except (ValueError, TypeError, RecursionError):
        return Memory()


def save(host: Host, memory: Memory) -> Memory:
    """Raises OSError where the disk does not take it."""
    if memory != load(host):
        files.write_image(host, FileImage(PATH, json.dumps(asdict(memory)).encode(), 0o600))
    return memory


def prepared(host: Host, endpoint: str, uid: str, key: str, config: str) -> Memory:
    """The memory for this plane and id, on the disk, with a key: the one given, the one kept, or a new one."""
    before = load(host)
    if (before.endpoint, before.uid) != (endpoint, uid):
        before = Memory(endpoint, uid)
    if key and key != before.pairing_key:
        before = replace(before, pairing_key=key, credential="")
    wanted = replace(before, pairing_key=before.pairing_key or secrets.token_urlsafe(24), config=config)
    return save(host, wanted)
