"""systemd's default environment for every service: system.conf.d/, without the password.

Any local user can ask the manager for it over D-Bus, and each service hands it on to what it starts, so a password is
never here; a service that needs it gets a drop-in. `%` is doubled (systemd-system.conf(5) expands specifiers); a
single one makes systemd drop the variable with a line in the journal only.
"""

from __future__ import annotations

from collections.abc import Iterator

from tui.models.change import FileImage
from tui.models.facts import Facts
from tui.services.proxy.places import MANAGER
from tui.services.proxy.settings import Settings


def files(settings: Settings, facts: Facts) -> Iterator[FileImage]:
    if "systemd" not in facts.consumers:
        return
    values = settings.variables(bare=True, ipv6_networks=False)
    words = " ".join(assignment(name, value) for name, value in values.items())
    text = f"# Written by Onsite; change it there.\n[Manager]\nDefaultEnvironment={words}\n"
    yield FileImage(MANAGER, text.encode() if values else None)


def assignment(name: str, value: str) -> str:
    """One word of `Environment=` or `DefaultEnvironment=` (systemd.syntax(7), quoting)."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{name}={escaped}"'
