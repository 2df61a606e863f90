"""Everything that is read of a host, in one cheap and synchronous pass.

What cannot be read is left out: facts are shown while half the host is broken, so nothing here raises.
"""

from __future__ import annotations

import os
from dataclasses import replace

from tui.models.facts import Facts, Link
from tui.services.facts import cluster, configured, identity, managers, session
from tui.services.host import Host


def read(host: Host, *, files: bool = True) -> Facts:
    """The facts of this moment.

    The loopback link is left out: nobody configures it, and every screen would have to hide it.

    Args:
        files: read what a plan needs to know of the files that it may rewrite.
    """
    return Facts(
        hostname=identity.hostname(host),
        os_name=identity.os_name(host),
        machine=identity.machine(host),
        boot_id=host.boot_id(),
        links=links(host),
        files=configured.files(host) if files else (),
        managers=managers.running(host),
        cluster_ranges=cluster.ranges(host),
        cluster_uses_address=cluster.present(host),
        session_address=session.address(os.environ) if host.kind == "real" else "",
    )


def links(host: Host) -> tuple[Link, ...]:
    """The links with owner, lease and configuration: the part of the facts that events change."""
    try:
        found = host.kernel.links()
    except OSError:
        return ()
    layers = configured.Layers(host)
    owned = managers.owned([link for link in found if link.kind != "loopback"], host)
    return tuple(layers.applied_to(link) for link in owned)


def masked(facts: Facts) -> Facts:
    """The same facts with the secrets in files blacked out, fit to be sent to somebody."""
    return replace(facts, files=tuple(configured.masked(file) for file in facts.files))
