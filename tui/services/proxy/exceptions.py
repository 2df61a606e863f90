"""What is reached without the proxy: proposed from what is known, read differently by each program, matched by us."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network
from typing import TYPE_CHECKING

from tui.models.facts import Facts
from tui.services.proxy.apt import hosts
from tui.services.proxy.settings import SMALL, network

if TYPE_CHECKING:
    from tui.models.host import HostConfig

LOOPBACK = ("localhost", "127.0.0.0/8", "::1")
CLUSTER = (".svc", ".cluster.local")
READERS = ("Go", "curl", "Python", "apt")
"""Go stands for containerd, docker, k3s, rke2, k0s, the kubelet and snapd."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An exception with the reason for it, in a few words."""

    entry: str
    reason: str


def proposed(facts: Facts, draft: HostConfig | None = None) -> tuple[Proposal, ...]:
    """The exceptions that follow from the facts and from the addresses of a draft, without repetition."""
    found: dict[str, str] = {}
    for entry, reason in _known(facts, draft):
        found.setdefault(entry, reason)
    return tuple(Proposal(entry, reason) for entry, reason in found.items())


def _known(facts: Facts, draft: HostConfig | None) -> Iterator[tuple[str, str]]:
    yield from ((entry, "this host itself") for entry in LOOPBACK)
    if facts.hostname and facts.hostname != "localhost":
        yield facts.hostname.lower(), "name of this host"
    drafted = {link.mac: link for link in (draft.links if draft else ())}
    for link in facts.links:
        wish = drafted.get(link.identity)
        if wish is not None and wish.ipv4.method == "static":
            yield from ((str(a.network), f"network of {link.name}") for a in wish.ipv4.addresses)
        if wish is not None and wish.ipv6.method == "static":
            yield from ((str(a.network), f"network of {link.name}") for a in wish.ipv6.addresses)
        for address in link.addresses:
            if not address.link_local and not (wish is not None and _static(wish, address.family)):
                yield str(ip_interface(address.address).network), f"network of {link.name}"
        domains = wish.search_domains if wish is not None and wish.search_domains else link.search_domains
        yield from (("." + domain.lstrip("."), f"search domain of {link.name}") for domain in domains)
    yield from ((str(ip_network(r, strict=False)), "pods and services") for r in facts.cluster_ranges if _range(r))
    yield from ((entry, "names of cluster services") for entry in CLUSTER)


def _static(wish: object, family: int) -> bool:
    return bool(getattr(wish, f"ipv{family}").method != ("dhcp" if family == 4 else "auto"))


def _range(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def readings(entry: str) -> dict[str, str]:
    """How each kind of program reads one exception: "yes", "no", or "as N addresses".

    From Go's x/net/http/httpproxy, curl 7.86 (CIDR), Python's urllib.request and apt.conf(5).
    """
    net = network(entry)
    if net is not None:
        small = f"as {net.num_addresses}" if net.num_addresses <= SMALL else "no"
        curl = "yes" if net.version == 4 else small
        in_apt = small if net.version == 4 else "no"
        return {"Go": "yes", "curl": curl, "Python": small, "apt": in_apt}
    return {"Go": "yes", "curl": "yes", "Python": "yes", "apt": "yes" if list(hosts((entry,))) else "no"}


def bypasses(host: str, exceptions: Sequence[str]) -> bool:
    """Whether our own client reaches this host without the proxy.

    A name matches itself and all names below it, `.name` only those below it, a network every address in it, as Go's
    httpproxy has it. Loopback never goes by a proxy.

    Args:
        host: a name or an address, without brackets and port.
    """
    host = host.lower().removesuffix(".").removeprefix("[").removesuffix("]")
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or any(_covers(entry, host) for entry in exceptions)
    if address.is_loopback:
        return True
    for entry in exceptions:
        net = network(entry)
        if (net is not None and address in net) or entry == str(address):
            return True
    return False


def _covers(entry: str, host: str) -> bool:
    entry = entry.lower()
    if entry.startswith("."):
        return host.endswith(entry)
    return host == entry or host.endswith("." + entry)
