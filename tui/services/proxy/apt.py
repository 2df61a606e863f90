"""apt: apt.conf.d/, which wins over the environment. It knows hosts that go direct, no domains and no networks.

With a password the file is root's alone; apt then warns other users that it cannot read it, and works for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from tui.models.change import FileImage
from tui.models.facts import Facts
from tui.services.proxy.places import APT
from tui.services.proxy.settings import Settings, listed


def files(settings: Settings, facts: Facts) -> Iterator[FileImage]:
    if "apt" not in facts.consumers:
        return
    lines = ["// Written by Onsite; change it there.", *_options(settings)]
    yield FileImage(APT, ("\n".join(lines) + "\n").encode() if settings.http else None, settings.mode)


def _options(settings: Settings) -> Iterator[str]:
    """A URL has neither a quote nor a backslash, so it is written as it is (apt.conf(5))."""
    for scheme, url in (("http", settings.http), ("https", settings.https)):
        yield f'Acquire::{scheme}::Proxy "{url}/";'
        for host in hosts(settings.exceptions):
            yield f'Acquire::{scheme}::Proxy::{host} "DIRECT";'


def hosts(exceptions: tuple[str, ...]) -> Iterator[str]:
    """The exceptions that apt can be told: single hosts. A colon would end the option's name, so no IPv6."""
    for entry in listed(exceptions, ipv6_networks=False):
        if "/" in entry or entry.startswith("."):
            continue
        try:
            if ip_address(entry).version == 6:
                continue
        except ValueError:
            pass
        yield entry
