"""Who configures a link: asked for every link, because mixed ownership is common.

Written for are `direct` where nobody else claims the link, networkd, NetworkManager, and netplan for either. For all
others the owner says why it cannot be changed here. Everything is read from files: no process is started unless
NetworkManager runs and has no file for a link. The order is that of who wins in the end: what generates files for
another manager (Kairos, netplan) counts before the manager that reads them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from tui.models.facts import MADE, Link, Owner
from tui.services import reading
from tui.services.host import Host
from tui.services.network import claims, keyfiles, netif, netplan_files, netplan_yaml

_KAIROS = ("/run/cos", "/etc/kairos-release")
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
            netplan_files.texts(host),
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

    def named_by(self, link: Link) -> str:
        """Path of the .link file by which udev has set this card up; "" where there is no udev, or no card."""
        if self.host.kind != "real" or link.made or not link.permanent_mac:
            return ""
        return claims.link_file(reading.text(self.host, f"/run/udev/data/n{link.index}") or "")

    def _claims(self, link: Link) -> Iterator[tuple[str, str]]:
        """Everybody who configures this link, with the file that says so."""
        networkd = netif.state(self.host, link.index) if "networkd" in self.running else netif.State()
        if plans := [d.path for d in netplan_yaml.definitions(self.netplan, link)]:
            yield "netplan", plans[-1]
            return
        if "-netplan-" in networkd.file:
            yield "netplan", networkd.file
            return
        if "NetworkManager" in self.running and self._network_manager(link):
            profile = keyfiles.active(self.host, link)[0]
            if "/netplan-" in profile:
                yield "netplan", profile
                return
            if profile or not self.netplan:  # where netplan is in charge, a device without a profile waits for it
                yield "NetworkManager", profile
        if networkd.managed:
            yield "networkd", networkd.file
        if "wicked" in self.running and reading.present(self.host, path := f"/etc/sysconfig/network/ifcfg-{link.name}"):
            yield "wicked", path
        if link.name in self.ifupdown:
            yield "ifupdown", self.ifupdown[link.name]
        if "connman" in self.running:
            yield "connman", ""

    def _claimed(self, link: Link, name: str, path: str) -> Owner:
        match name:
            case "networkd":
                return _by_networkd(link, path)
            case "netplan":
                return self._by_netplan(link, path)
            case "NetworkManager":
                return self._by_network_manager(link, path)
        sentences = {
            "ifupdown": f"ifupdown configures {link.name} ({path}); Onsite does not write its files.",
            "wicked": f"wicked configures {link.name} ({path}); Onsite does not write for it.",
            "connman": "ConnMan configures the interfaces of this host; Onsite does not write for it.",
        }
        return Owner(name, False, f"{sentences[name]} Change it there, or with its own tools.", path)

    def _by_netplan(self, link: Link, path: str) -> Owner:
        found = list(netplan_yaml.definitions(self.netplan, link))
        one = found[-1] if found else netplan_yaml.Definition(path)
        paths = list(dict.fromkeys(d.path for d in found))
        file = os.path.basename(path)  # noqa: PTH119
        if not found:
            reason = f"{path} was made by netplan, whose files no longer mention {link.name}. Restart the host first."
        elif not one.kind:
            reason = f"{path} cannot be read; netplan would fail over it. Have it repaired first."
        elif len(found) > 1:
            where = " and ".join(paths) if len(paths) > 1 else f"{path}, twice"
            reason = f"{link.name} is defined in {where}, and netplan adds that up. Leave one of them first."
        elif one.shared:
            reason = f"{one.name} in {path} means several interfaces by a pattern. Give {link.name} its own first."
        elif one.kind not in netplan_yaml.WRITABLE:
            reason = f"{link.name} is one of the {one.kind} in {path}; Onsite writes no such definitions."
        elif path.startswith("/run/") and not self._lasting(file):
            reason = f"{path} configures {link.name}, and is gone after a restart. Whoever writes it decides."
        elif netplan_yaml.set_by_onsite(self.netplan.get(path, ""), one.name):
            return Owner("netplan", True, "", path)
        else:
            return Owner(
                "netplan",
                True,
                f"A change of {link.name} goes into {path}; the rest of that file stays as it is.",
                path,
            )
        return Owner("netplan", False, reason, path)

    def _lasting(self, file: str) -> bool:
        """Ours is under /run while a change waits; that of somebody else has its original below /etc or /lib."""
        folders = netplan_files.FOLDERS[:-1]
        return file == netplan_files.OWN or any(reading.present(self.host, f"{folder}/{file}") for folder in folders)

    def _by_network_manager(self, link: Link, path: str) -> Owner:
        if link.kind not in ("ethernet", "veth", *MADE):
            reason = f"NetworkManager configures {link.name}, and Onsite does not write for such interfaces."
            return Owner("NetworkManager", False, f"{reason} Use nmtui.", path)
        if not path:
            return Owner("NetworkManager", True, "NetworkManager runs here and will follow a profile of Onsite.")
        if keyfiles.is_ours(path):
            return Owner("NetworkManager", True, "", path)
        profile = keyfiles.parse(reading.text(self.host, path) or "").get("connection", {})
        if _number(profile.get("autoconnect-priority", "0")) >= keyfiles.PRIORITY:
            reason = f"{path} has the highest priority for {link.name}, before any profile of Onsite."
            return Owner("NetworkManager", False, f"{reason} Lower its autoconnect-priority first.", path)
        reason = f"The profile {profile.get('id') or path} stays, but will no longer count for {link.name}."
        return Owner("NetworkManager", True, reason, path)

    def _unclaimed(self, link: Link) -> Owner:
        stranger = claims.udev_manager(reading.text(self.host, f"/run/udev/data/n{link.index}") or "")
        if stranger:
            reason = f"{link.name} is marked as managed by {stranger} (ID_NET_MANAGED_BY), which Onsite does not know."
            return Owner(stranger, False, reason)
        own = f"/etc/onsite/links/{link.identity.replace(':', '-')}.yaml"
        if self.netplan and self.running & {"networkd", "NetworkManager"} and not netif.our_file(self.host, link):
            own = f"{netplan_files.KEPT}/{netplan_files.OWN}"
            return Owner("netplan", True, f"netplan is in charge of this host and will get {own} from Onsite.")
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


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


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
