"""Everything that is read of a host, in one cheap and synchronous pass.

What cannot be read is left out: facts are shown while half the host is broken, so nothing here raises.
"""

from __future__ import annotations

import os
from dataclasses import replace

from tui.models.facts import Facts, Given, Link, Setters, Trust
from tui.services.facts import cluster, configured, given, identity, management, session, setters
from tui.services.host import Host
from tui.services.network.owners import Managers
from tui.services.proxy import places
from tui.services.trust import stores

_REGISTRATION = "/etc/onsite/registration.json"
"""`tui.services.registration.KEPT`, whose module costs more than this word."""


def read(host: Host, *, files: bool = True) -> Facts:
    """The facts of this moment.

    The loopback link is left out: nobody configures it, and every screen would have to hide it.

    Args:
        files: read what a plan needs to know of the files that it may rewrite.
    """
    managers = Managers.of(host)
    gifts = given.read(host)
    consumers = places.consumers(host) if files else ()
    trust = stores.facts(host) if files else Trust()
    return Facts(
        hostname=identity.hostname(host),
        os_name=identity.os_name(host),
        machine=identity.machine(host),
        boot_id=host.boot_id(),
        links=_links(host, managers, gifts),
        files=(*configured.files(host), *configured.of(host, _more(host, consumers, trust))) if files else (),
        managers=tuple(sorted(managers.running)),
        cluster_ranges=cluster.ranges(host),
        cluster_uses_address=cluster.present(host),
        session_address=session.address(os.environ) if host.kind == "real" else "",
        consumers=consumers,
        trust=trust,
        setters=setters.read(host) if files else Setters(),
        given=gifts,
        management=management.read(host),
    )


def _more(host: Host, consumers: tuple[str, ...], trust: Trust) -> tuple[str, ...]:
    """Paths of what a plan may rewrite beside the network."""
    return (
        *places.paths(host, consumers),
        *stores.paths(host, trust),
        *stores.SERVER,
        *setters.paths(host),
        _REGISTRATION,
    )


def _links(host: Host, managers: Managers, gifts: tuple[Given, ...]) -> tuple[Link, ...]:
    try:
        found = [link for link in host.kernel.links() if link.kind != "loopback"]
    except OSError:
        return ()
    if host.kind != "recorded":  # the owners of a recorded host are in the recording
        found = [replace(link, owner=managers.owner(link), named_by=managers.named_by(link)) for link in found]
    layers = configured.Layers(host)
    return tuple(given.marked(layers.applied_to(link), gifts) for link in found)


def masked(facts: Facts) -> Facts:
    """The same facts with the secrets in files blacked out, fit to be sent to somebody."""
    return replace(facts, files=tuple(configured.masked(file) for file in facts.files))
