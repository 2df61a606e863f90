"""Services that reach out by themselves: a drop-in that reads the environment file, before the service's own order.

A drop-in and not the file of a package or installer (/etc/default/k3s, k3s.service.env, daemon.json, `snap set`): it is
ours alone, `systemctl cat` shows it, and taking it away leaves no trace. Assignments of later files win
(systemd.exec(5)), so it also wins over what an installer wrote into its own environment file.
"""

from __future__ import annotations

from collections.abc import Iterator

from tui.models.change import FileImage
from tui.models.facts import Facts
from tui.services.proxy.places import ENVIRONMENT, UNITS, drop_in
from tui.services.proxy.settings import Settings

TEXT = f"# Written by Onsite; change it there.\n[Service]\nEnvironmentFile=-{ENVIRONMENT}\n"


def files(settings: Settings, facts: Facts) -> Iterator[FileImage]:
    for unit in UNITS:
        if unit in facts.consumers:
            yield FileImage(drop_in(unit), TEXT.encode() if settings.http else None)
