"""The hosts that a cluster can be made of: this one, and those that are linked to it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, ip_interface, ip_network

from tui.services.cluster.answers import Answer, flag, number, part, parts, text
from tui.services.cluster.trouble import Trouble, trouble


@dataclass(frozen=True, slots=True)
class Nic:
    name: str
    address: str = ""
    network: str = ""
    """"192.0.2.0/24"; "" where the agent does not tell."""
    default: bool = False
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One host.

    Attributes:
        this: the host that we stand at; it leads, and has to be in the control plane.
        taken: it is in a cluster already.
    """

    id: str
    name: str
    address: str = ""
    this: bool = False
    version: str = ""
    architecture: str = ""
    nics: tuple[Nic, ...] = ()
    cores: int = 0
    memory_mb: int = 0
    taken: bool = False
    content: str = ""
    wrong: Trouble | None = None

    @property
    def networks(self) -> tuple[IPv4Network, ...]:
        """The IPv4 networks that it is in, that of the way out first."""
        ordered = sorted(self.nics, key=lambda n: not n.default)
        found = (_network(n) for n in ordered)
        return tuple(n for n in found if n is not None)

    def nic(self, name: str) -> Nic | None:
        return next((n for n in self.nics if n.name == name), None)


def candidates(info: Answer, link: Answer | None = None) -> tuple[Candidate, ...]:
    """This host first, then the linked ones by name.

    Args:
        info: `v1EdgeHostInfo` of this host.
        link: `v1LinkStatus`; None where this agent links no hosts.
    """
    here = _candidate(info, this=True)
    peers = [_peer(p) for p in parts(link, "peers") if text(p, "id") != here.id]
    return (here, *sorted((p for p in peers if p.id), key=lambda p: p.name))


def _candidate(info: Answer, *, this: bool, fallback_id: str = "", fallback_ip: str = "") -> Candidate:
    nics = tuple(_nic(n) for n in parts(info, "spec", "networkInfo"))
    host_id = fallback_id or text(info, "metadata", "id")
    default = next((n for n in nics if n.default and n.address), next((n for n in nics if n.address), None))
    hardware = part(info, "spec", "hardwareSpec")
    return Candidate(
        id=host_id,
        name=text(info, "status", "hostName") or text(info, "metadata", "name") or host_id,
        address=fallback_ip or (default.address if default else ""),
        this=this,
        version=text(info, "status", "agentVersion"),
        architecture=text(hardware, "archType"),
        nics=nics,
        cores=number(hardware, "cpu", "cores"),
        memory_mb=number(hardware, "memory", "sizeInMB"),
        taken=flag(info, "status", "isClusterPhase"),
    )


def _peer(peer: Answer) -> Candidate:
    from dataclasses import replace

    found = _candidate(part(peer, "config"), this=False, fallback_id=text(peer, "id"), fallback_ip=text(peer, "ip"))
    status, health = text(peer, "status"), text(peer, "health", "status")
    wrong = None
    if health == "Unhealthy":
        wrong = trouble(f"Host {found.name}", "", text(peer, "health", "reason"))
    elif status and status.lower() not in ("ready", "completed", "linked", "connected", "healthy", "in-use", "inuse"):
        wrong = trouble(f"Host {found.name}", status, "", warning=True)
    return replace(found, content=text(peer, "contentSyncStatus"), wrong=wrong)


def _nic(nic: Answer) -> Nic:
    address = text(nic, "ip")
    found = Nic(text(nic, "nicName"), address.partition("/")[0], "", flag(nic, "isDefault"), text(nic, "macAddr"))
    subnet = text(nic, "subnet") or address
    net = _parsed(found.address, subnet)
    return Nic(found.name, found.address, str(net) if net else "", found.default, found.mac)


def _parsed(address: str, subnet: str) -> IPv4Network | None:
    """A subnet as agents write it: a network, an address with prefix, or a mask."""
    for words in (subnet, f"{address}/{subnet.lstrip('/')}"):
        try:
            found = ip_interface(words)
        except ValueError:
            continue
        if isinstance(found, IPv4Interface) and found.network.prefixlen < 32:
            return found.network
    return None


def _network(nic: Nic) -> IPv4Network | None:
    try:
        found = ip_network(nic.network)
    except ValueError:
        return None
    return found if isinstance(found, IPv4Network) else None
