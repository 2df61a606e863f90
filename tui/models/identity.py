"""Who this host is: the part of `HostConfig` with its name and the keyboard at its console."""

from __future__ import annotations

from typing import Annotated

from tui.models import hostname, keymap
from tui.models.link import Part, _read

HostName = Annotated[str, _read(hostname.hostname)]
Keymap = Annotated[str, _read(keymap.keymap)]


class IdentityConfig(Part):
    """What is None stays as it is."""

    hostname: HostName | None = None
    keyboard: Keymap | None = None
