"""cloud-init writes its network file again when the host starts, and with it undoes what was changed in that file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from tui.models.change import FileImage, Issue
from tui.models.facts import Facts, Link
from tui.services.facts.setters import CLOUD_NETWORK

_OFF = "network: {config: disabled}"
"""cloud-init's documentation, "Disabling network activity"; a network on the kernel's command line still counts."""


def told(links: Sequence[Link], facts: Facts) -> tuple[FileImage, ...]:
    """The file that tells it to leave the network alone, where one of these links is in a file that it writes."""
    if not _written_by_it(links, facts) or (facts.file(CLOUD_NETWORK).text or "").strip() == _OFF:
        return ()
    return (FileImage(CLOUD_NETWORK, f"# Written by Onsite.\n{_OFF}\n".encode()),)


def notes(links: Sequence[Link], facts: Facts) -> Iterator[Issue]:
    for link in _written_by_it(links, facts)[:1]:
        text = f"cloud-init writes {link.owner.config} when the host starts; it is told to leave the network alone."
        yield Issue("M102", "note", f"links.{link.identity}", text, "Nothing; the file is shown under Files.")


def _written_by_it(links: Sequence[Link], facts: Facts) -> list[Link]:
    if not facts.setters.cloud_init:
        return []
    return [k for k in links if k.owner.backend == "netplan" and "cloud-init" in os.path.basename(k.owner.config)]  # noqa: PTH119
