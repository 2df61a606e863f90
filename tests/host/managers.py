"""The managers of a network in a container: how a host comes to use one, where its files are, what it says itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from tests.host.box import Host, wait_for

NETPLAN = "network:\n  version: 2\n  renderer: {}\n"


@dataclass(frozen=True, slots=True)
class Said:
    """What a daemon itself reports of lan0. `done`: it says that the link is configured."""

    addresses: frozenset[str]
    gateways: frozenset[str]
    servers: frozenset[str]
    done: bool


@dataclass(frozen=True, slots=True)
class Manager:
    """One way to configure a host.

    Attributes:
        backend: the name that Onsite has for it.
        base: files by path that make the host use it.
        networkmanager: whether that daemon runs.
        kept: the file that Onsite keeps for lan0 where nobody has configured it.
        folders: everything that may hold configuration of links.
        volatile: the folder of the layer that nobody has kept yet.
        said: asks the daemon.
    """

    backend: str
    base: tuple[tuple[str, str], ...]
    networkmanager: bool
    kept: str
    folders: tuple[str, ...]
    volatile: str
    said: Callable[[Host], Said]


def _networkd(box: Host) -> Said:
    said = box.networkctl("lan0")
    addresses = {
        f"{ip_address(bytes(a['Address']))}/{a['PrefixLength']}"
        for a in said.get("Addresses", ())
        if a.get("ConfigSource") in ("static", "DHCPv4", "NDisc", "DHCPv6")
    }
    gateways = {
        str(ip_address(bytes(r["Gateway"])))
        for r in said.get("Routes", ())
        if r.get("Gateway") and r["DestinationPrefixLength"] == 0
    }
    servers = {str(ip_address(bytes(s["Address"]))) for s in said.get("DNS", ())}
    done = said["AdministrativeState"] == "configured"
    return Said(frozenset(addresses), frozenset(gateways), frozenset(servers), done)


def _nmcli(box: Host) -> Said:
    fields = ("GENERAL.STATE", "IP4.ADDRESS", "IP4.GATEWAY", "IP4.DNS", "IP6.ADDRESS", "IP6.GATEWAY", "IP6.DNS")
    said = box.run("nmcli", "--terse", "--escape", "no", "--fields", ",".join(fields), "device", "show", "lan0").stdout
    found: dict[str, set[str]] = {}
    for line in said.splitlines():
        key, _, value = line.partition(":")
        if value and not value.startswith("fe80"):
            found.setdefault(key.partition("[")[0].partition(".")[2], set()).add(value)
    some = [frozenset(found.get(key, ())) for key in ("ADDRESS", "GATEWAY", "DNS")]
    return Said(*some, found.get("STATE") == {"100 (connected)"})


_UNITS, _PROFILES, _PLANS = "etc/systemd/network", "etc/NetworkManager/system-connections", "etc/netplan"
MANAGERS = {
    "networkd": Manager(
        "networkd", (), False, f"{_UNITS}/05-onsite-lan0.network", (_UNITS,), "run/systemd/network", _networkd
    ),
    "netplan, networkd": Manager(
        "netplan", ((f"{_PLANS}/01-base.yaml", NETPLAN.format("networkd")),), False, f"{_PLANS}/90-onsite.yaml",
        (_UNITS, _PLANS, "etc/cloud"), "run/netplan", _networkd,
    ),
    "NetworkManager": Manager(
        "NetworkManager", (), True, f"{_PROFILES}/onsite-lan0.nmconnection", (_PROFILES,),
        "run/NetworkManager/system-connections", _nmcli,
    ),
    "netplan, NetworkManager": Manager(
        "netplan", ((f"{_PLANS}/01-base.yaml", NETPLAN.format("NetworkManager")),), True, f"{_PLANS}/90-onsite.yaml",
        (_PROFILES, _PLANS, "etc/cloud"), "run/netplan", _nmcli,
    ),
}  # fmt: skip


def use(box: Host, manager: Manager, more: dict[str, str] | None = None) -> None:
    """A boot of the container with this manager and no other configuration than `more`."""
    box.remove(*box.files(*{f for m in MANAGERS.values() for f in m.folders}))
    for path, text in (*manager.base, *(more or {}).items()):
        box.write(path, text, 0o644 if path.startswith(_UNITS) else 0o600)  # networkd is not root
    box.run("systemctl", "enable" if manager.networkmanager else "disable", "NetworkManager.service")
    box.run("sync")
    boot(box, manager)


def boot(box: Host, manager: Manager) -> None:
    """Without a shutdown, and until its manager answers."""
    box.power_cut()
    box.boot()
    if manager.networkmanager:
        wait_for("NetworkManager", lambda: box.run("nmcli", "device", check=False).returncode == 0)


def files(box: Host, manager: Manager) -> dict[str, str]:
    """Every file below the folders of that manager."""
    return box.files(*manager.folders)


def owner(box: Host) -> dict[str, str]:
    """What Onsite says of who configures lan0."""
    facts = json.loads(box.onsite("facts", "--json").stdout)
    found: dict[str, str] = next(link["owner"] for link in facts["links"] if link["name"] == "lan0")
    return found
