"""What a site says of this host beyond its configuration: tags, stages of cloud-init, where images come from.

Addresses, proxy, names and registration of the user data are parts of the host's own document and are kept there.
The rest lies here, in one file that only root can read. Stages are kept and given back, never run by us.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from tui.models.change import FileImage
from tui.services import reading
from tui.services.change import files
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.contract.userdata import RegistryCredentials

KEPT = "/etc/onsite/userdata.json"
OURS = ("tags", "stages", "registryCredentials")
"""Fields of `v1CloudInit` that are kept here."""


def read(host: Host) -> dict[str, Any]:
    """The fields that are kept, as the contract names them, with the password; {} where there are none."""
    try:
        found = json.loads(reading.text(host, KEPT) or "{}")
    except (ValueError, RecursionError):
        return {}
    return {name: found[name] for name in OURS if name in found} if isinstance(found, dict) else {}


def write(host: Host, said: dict[str, Any]) -> None:
    """Replace them.

    Raises:
        OSError: the disk does not take it.
    """
    kept = {name: said[name] for name in OURS if said.get(name)}
    content = (json.dumps(kept, indent=1) + "\n").encode() if kept else None
    files.write_image(host, FileImage(KEPT, content, 0o600, os.geteuid(), os.getegid()))


def registry(host: Host) -> RegistryCredentials | None:
    """Where images come from, with the login; None where the user data names no registry."""
    from tui.models.contract.userdata import RegistryCredentials

    found = read(host).get("registryCredentials")
    try:
        return RegistryCredentials.model_validate(found) if isinstance(found, dict) and found.get("domain") else None
    except ValueError:  # pydantic's error is one
        return None
