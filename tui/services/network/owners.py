"""Who configures a link: asked for every link, because mixed ownership is common.

Two managers are written for: `direct` where nobody else claims the link, and `networkd`. For all others the owner says
why it cannot be changed here. Everything is read from files: no process is started unless NetworkManager runs and
has no file for a link. The order is that of who wins in the end: what generates files for another manager (Kairos,
netplan) counts before the manager that reads them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from tui.models.facts import Link, Owner
from tui.services import reading
from tui.services.host import Host
from tui.services.network import claims, netif

_KAIROS = ("/run/cos", "/etc/kairos-release")
_NETPLAN = ("/lib/netplan", "/etc/netplan", "/run/netplan")
"""Lowest first: of files with one name the last one hides the others (netplan's doc/structure-id.md)."""
_IFUPDOWN = "/etc/network/interfaces"


def owner(link: Link, host: Host) -> Owner:
    """Who configures this link. For many links, `Managers.of` reads once what they share."""
    return Managers.of(host).owner(link)


@dataclass(slots=True)
class Managers:
    """What is the same for every link of a host: who runs here, and the files that name links."""

    host: Host
    kairos: bool = False
    running: frozenset[str] = frozenset()
    netplan: dict[str, str] = field(default_factory=dict)
    """Text by path."""
    ifupdown: dict[str, str] = field(default_factory=dict)
    """Path of the file that configures it, by name of the link."""
    nmcli: dict[str, bool] | None = None
    """Asked once, and only where NetworkManager has no file for a link."""

    @classmethod
    def of(cls, host: Host) -> Managers:
        units = {"systemd-networkd": "networkd", "NetworkManager": "NetworkManager", "wickedd": "wicked"}
        units |= {"connman": "connman", "connmand": "connman"}
        return cls(
            host,
            any(reading.present(host, path) for path in _KAIROS),
            frozenset(name for unit, name in units.items() if _runs(host, unit)),
            _netplan(host),
            claims.ifupdown(dict(_interfaces(host, _IFUPDOWN))) if _installed(host, "ifup") else {},
        )

    def owner(self, link: Link) -> Owner:
        if link.kind == "loopback":
            return Owner("kernel", False, "The loopback interface belongs to the system itself.")
        if self.kairos:
            reason = "This is Kairos: /etc is made anew at every start, from files under /oem."
            return Owner("kairos", False, f"{reason} Change it there.", "/oem")
        found = list(self._claims(link))
        if len({name for name, _ in found}) > 1:
            both = " and ".join(f"{name} ({path})" if path else name for name, path in found)
            reason = f"Two managers claim {link.name}: {both}. Take it away from one of them first."
            return Owner(found[0][0], False, reason, found[0][1])
        if found:
            return self._claimed(link, *found[0])
        return self._unclaimed(link)

    def _claims(self, link: Link) -> Iterator[tuple[str, str]]:
        """Everybody who configures this link, with the file that says so."""
        networkd = netif.state(self.host, link.index) if "networkd" in self.running else netif.State()
        if plan := claims.netplan(self.netplan, link):
            yield "netplan", plan
            return
        if "-netplan-" in networkd.file:
            yield "netplan", networkd.file
            return
        if "NetworkManager" in self.running and self._network_manager(link):
            yield "NetworkManager", ""
        if networkd.managed:
            yield "networkd", networkd.file
        if "wicked" in self.running and reading.present(self.host, path := f"/etc/sysconfig/network/ifcfg-{link.name}"):
            yield "wicked", path
        if link.name in self.ifupdown:
            yield "ifupdown", self.ifupdown[link.name]
        if "connman" in self.running:
            yield "connman", ""

    def _claimed(self, link: Link, name: str, path: str) -> Owner:
        if name == "networkd":
            return _by_networkd(link, path)
        sentences = {
            "netplan": f"netplan configures {link.name}; Onsite does not write its files yet.",
            "NetworkManager": f"NetworkManager configures {link.name}; Onsite does not write for it yet.",
            "ifupdown": f"ifupdown configures {link.name} ({path}); Onsite does not write its files.",
            "wicked": f"wicked configures {link.name}; Onsite does not write for it.",
            "connman": "ConnMan configures the interfaces of this host; Onsite does not write for it.",
        }
        return Owner(name, False, sentences[name], path)

    def _unclaimed(self, link: Link) -> Owner:
        stranger = claims.udev_manager(reading.text(self.host, f"/run/udev/data/n{link.index}") or "")
        if stranger:
            reason = f"{link.name} is marked as managed by {stranger} (ID_NET_MANAGED_BY), which Onsite does not know."
            return Owner(stranger, False, reason)
        own = f"/etc/onsite/links/{link.identity.replace(':', '-')}.yaml"
        if "networkd" not in self.running and (idle := netif.our_file(self.host, link)):
            reason = f"{idle} configures {link.name}, but systemd-networkd does not run. Start it first."
            return Owner("networkd", False, reason, idle)
        if "networkd" not in self.running or reading.present(self.host, own):
            return Owner("direct", True, "No network service configures this interface; Onsite will own it.")
        taken = f"{netif.KEPT}/05{netif.MARK}{link.name}.network"
        text = reading.text(self.host, taken)
        if text is not None and not netif.matches(text, link):
            reason = f"{taken} is for another interface that was once called {link.name}. Rename that file first."
            return Owner("networkd", False, reason, taken)
        return Owner("networkd", True, "systemd-networkd runs here and will configure this interface by Onsite's file.")

    def _network_manager(self, link: Link) -> bool:
        state = reading.text(self.host, f"/run/NetworkManager/devices/{link.index}")
        managed = claims.network_manager(state) if state is not None else None
        if managed is not None:
            return managed
        if self.nmcli is None:
            self.nmcli = claims.nmcli(_nmcli()) if self.host.kind == "real" else {}
        return self.nmcli.get(link.name, False)


def _by_networkd(link: Link, path: str) -> Owner:
    name = os.path.basename(path)  # noqa: PTH119
    if netif.MARK in name:
        return Owner("networkd", True, "", path)
    if name < f"04{netif.MARK}{link.name}.network":
        reason = (
            f"{path} decides about {link.name}, before any file of Onsite can. Rename it to begin with 10- or more."
        )
        return Owner("networkd", False, reason, path)
    writer = "cloud-init" if "cloud-init" in name else "somebody else"
    return Owner("networkd", True, f"{path}, written by {writer}, will no longer count for {link.name}.", path)


def _runs(host: Host, unit: str) -> bool:
    """systemd keeps a link to the invocation of each active unit; OpenRC a mark for each started service."""
    marks = (f"/run/systemd/units/invocation:{unit}.service", f"/run/openrc/started/{unit}")
    return any(os.path.lexists(host.path(mark)) for mark in marks)


def _installed(host: Host, program: str) -> bool:
    return any(reading.present(host, f"{folder}/{program}") for folder in ("/usr/sbin", "/sbin"))


def _netplan(host: Host) -> dict[str, str]:
    found = {name: f"{folder}/{name}" for folder in _NETPLAN for name in reading.names(host, folder, ".yaml")}
    if not found or not (_installed(host, "netplan") or reading.present(host, "/usr/lib/netplan/generate")):
        return {}
    return {found[name]: reading.text(host, found[name]) or "" for name in sorted(found)}


def _interfaces(host: Host, path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """interfaces(5) and what it includes: `source` with a pattern, `source-directory`."""
    text = reading.text(host, path)
    if text is None or depth > 3:
        return
    yield path, text
    for pattern in claims.sources(text):
        folder, _, last = pattern.rpartition("/")
        for name in reading.names(host, folder or "/etc/network"):
            if claims.fits(name, last):
                yield from _interfaces(host, f"{folder or '/etc/network'}/{name}", depth + 1)


def _nmcli() -> str:
    import subprocess

    try:
        asked = subprocess.run(
            ["nmcli", "--terse", "--fields", "DEVICE,STATE", "device"], env=os.environ | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=5, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout
