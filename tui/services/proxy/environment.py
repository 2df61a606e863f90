"""One file with the proxy as environment, read by systemd for services and by root's shells: /etc/onsite/proxy.env.

systemd.exec(5) `EnvironmentFile=` expands no `%`, unlike `Environment=`, and its content is not told over D-Bus.
Values are in single quotes, which systemd and sh read alike; a URL has none, as they are percent-encoded in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tui.models.change import FileImage
from tui.models.facts import Facts
from tui.services.proxy.places import ENVIRONMENT
from tui.services.proxy.settings import Settings


def files(settings: Settings, facts: Facts) -> Iterator[FileImage]:
    values = settings.variables(bare=False, ipv6_networks=True)
    text = "".join(f"{name}='{value}'\n" for name, value in values.items())
    yield FileImage(ENVIRONMENT, text.encode() if text else None, settings.mode)
