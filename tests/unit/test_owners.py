"""Who owns a link: files as the managers of a Debian 12 leave them, in a folder that stands for the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.models.facts import Facts, Link, Owner
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.network import claims, netplan_yaml, owners
from tui.services.network.recorded import RecordedKernel

LINK = Link(2, "lan0", mac="00:00:5e:00:53:10")
NETWORKD = {"run/systemd/units/invocation:systemd-networkd.service": "-> 2fd0cab799b54ec786b268aeeb4318ee"}
MANAGER = {"run/systemd/units/invocation:NetworkManager.service": "-> 63cf95ac0242475589e2eaa65ed0c343"}
UNMANAGED = {
    "run/systemd/netif/links/2": "# This is private data. Do not parse.\nADMIN_STATE=unmanaged\nOPER_STATE=off\n"
}
NM_YES = {"run/NetworkManager/devices/2": "[device]\nmanaged=true\nperm-hw-addr-fake=00:00:5E:00:53:10\n"}
NM_HAS = {"run/NetworkManager/devices/2": "[device]\nmanaged=true\nconnection-uuid=1-2\n"}
NM_NO = {"run/NetworkManager/devices/2": "[device]\nmanaged=false\nnm-owned=false\n"}
GENERATOR = {"usr/libexec/netplan/generate": ""}
KEYFILES = "etc/NetworkManager/system-connections"
PLAN = "network:\n  version: 2\n  ethernets:\n    lan0:\n      addresses: [192.0.2.44/24]\n"
ENI = "auto lo\niface lo inet loopback\nsource /etc/network/interfaces.d/*\n"
STATIC = "auto lan0\niface lan0 inet static\n    address 192.0.2.7/24\n"


def _state(path: str) -> dict[str, str]:
    return {"run/systemd/netif/links/2": f"ADMIN_STATE=configured\nCARRIER_STATE=carrier\nNETWORK_FILE={path}\nDNS=\n"}


def _owner(root: Path, files: dict[str, str], link: Link = LINK) -> Owner:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(text[3:])
        else:
            path.write_text(text)
    return owners.owner(link, Host(root, RecordedKernel(Facts(links=(link,))), "user", FixedClock()))


ONSITE = "/etc/systemd/network/05-onsite-lan0.network"
HOSTS: dict[str, tuple[dict[str, str], str, bool, str]] = {
    "nobody": ({}, "direct", True, ""),
    "networkd runs, no file": (NETWORKD | UNMANAGED, "networkd", True, ""),
    "networkd stopped, its state left": (_state(ONSITE), "direct", True, ""),
    "ours in networkd": (NETWORKD | _state(ONSITE), "networkd", True, ONSITE),
    "another's in networkd": (NETWORKD | _state("/etc/systemd/network/20-x.network"), "networkd", True, "20-x.network"),
    "an earlier name": (NETWORKD | _state("/etc/systemd/network/01-man.network"), "networkd", False, "01-man.network"),
    "cloud-init": (NETWORKD | _state("/etc/systemd/network/10-cloud-init-lan0.network"), "networkd", True, "cloud"),
    "ours in direct, networkd started since": (
        NETWORKD | UNMANAGED | {"etc/onsite/links/00-00-5e-00-53-10.yaml": "mac: x\n"}, "direct", True, "",
    ),
    "netplan by its output": (
        NETWORKD | _state("/run/systemd/network/10-netplan-lan0.network"), "netplan", False, "10-netplan-lan0.network",
    ),
    "netplan by its source": (GENERATOR | {"etc/netplan/10-x.yaml": PLAN}, "netplan", True, "10-x.yaml"),
    "netplan, nothing of the link": (
        GENERATOR | NETWORKD | UNMANAGED | {"etc/netplan/10-x.yaml": PLAN.replace("lan0", "lan7")}, "netplan", True, "",
    ),
    "netplan, two files": (
        GENERATOR | {"etc/netplan/10-x.yaml": PLAN, "etc/netplan/20-y.yaml": PLAN}, "netplan", False, "20-y.yaml",
    ),
    "netplan, a pattern": (
        GENERATOR | {"etc/netplan/1.yaml": PLAN.replace("lan0:", "any:\n      match: {name: 'lan*'}")},
        "netplan", False, "1.yaml",
    ),
    "netplan, wireless": (GENERATOR | {"etc/netplan/1.yaml": PLAN.replace("ethernets", "wifis")}, "netplan", False, ""),
    "netplan, unreadable": (GENERATOR | {"etc/netplan/1.yaml": f"{PLAN}  : ["}, "netplan", False, "1.yaml"),
    "netplan, gone after a restart": (GENERATOR | {"run/netplan/1.yaml": PLAN}, "netplan", False, "/run/netplan/1"),
    "netplan, ours while it waits": (
        GENERATOR | {"run/netplan/90-onsite.yaml": PLAN}, "netplan", True, "/run/netplan/90-onsite.yaml",
    ),
    "netplan gone, its source left": ({"etc/netplan/10-x.yaml": PLAN}, "direct", True, ""),
    "netplan hidden by /run": (
        {"etc/netplan/1.yaml": PLAN, "run/netplan/1.yaml": "network: {version: 2}\n"} | GENERATOR,
        "direct", True, "",
    ),
    "NetworkManager": (MANAGER | NM_YES, "NetworkManager", True, ""),
    "NetworkManager, waiting for netplan": (
        GENERATOR | MANAGER | NM_YES | {"etc/netplan/1.yaml": "network: {version: 2}\n"}, "netplan", True, "",
    ),
    "NetworkManager, a profile of another": (
        MANAGER | NM_HAS | {f"{KEYFILES}/x.nmconnection": "[connection]\nid=x\nuuid=1-2\n"},
        "NetworkManager", True, "x.nmconnection",
    ),
    "NetworkManager, one that comes first": (
        MANAGER | NM_HAS | {f"{KEYFILES}/x": "[connection]\nid=x\nuuid=1-2\nautoconnect-priority=999\n"},
        "NetworkManager", False, "x",
    ),
    "NetworkManager leaves it": (MANAGER | NM_NO | NETWORKD | UNMANAGED, "networkd", True, ""),
    "NetworkManager stopped": (NM_YES, "direct", True, ""),
    "ifupdown": (
        {"etc/network/interfaces": ENI, "etc/network/interfaces.d/lan": STATIC, "sbin/ifup": ""},
        "ifupdown", False, "/etc/network/interfaces.d/lan",
    ),
    "ifupdown gone": ({"etc/network/interfaces": STATIC}, "direct", True, ""),
    "ifupdown for others": ({"etc/network/interfaces": ENI, "sbin/ifup": ""}, "direct", True, ""),
    "wicked": (
        {"run/systemd/units/invocation:wickedd.service": "-> x", "etc/sysconfig/network/ifcfg-lan0": "BOOTPROTO=x"},
        "wicked", False, "ifcfg-lan0",
    ),
    "ConnMan under OpenRC": ({"run/openrc/started/connman": "-> x"}, "connman", False, ""),
    "Kairos": (NETWORKD | _state(ONSITE) | {"etc/kairos-release": "KAIROS_FLAVOR=x\n"}, "kairos", False, "/oem"),
    "declared in udev": ({"run/udev/data/n2": "I:1\nE:ID_NET_MANAGED_BY=org.example.A\n"}, "org.example.A", False, ""),
    "declared for networkd": (
        NETWORKD | UNMANAGED | {"run/udev/data/n2": "E:ID_NET_MANAGED_BY=io.systemd.Network\n"}, "networkd", True, "",
    ),
    "two at once": (MANAGER | NM_YES | NETWORKD | _state(ONSITE), "NetworkManager", False, ""),
    "ours, but networkd stopped": (
        {ONSITE.lstrip("/"): "[Match]\nMACAddress=00:00:5e:00:53:10\nName=lan0\n\n[Network]\n"},
        "networkd", False, ONSITE,
    ),
    "a file of ours for another card": (
        NETWORKD | UNMANAGED | {ONSITE.lstrip("/"): "[Match]\nPermanentMACAddress=52:54:00:00:00:01\n\n[Network]\n"},
        "networkd", False, ONSITE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTS)
def test_owner(name: str, tmp_path: Path) -> None:
    files, backend, writable, config = HOSTS[name]
    found = _owner(tmp_path, files)
    assert (found.backend, found.writable) == (backend, writable), found
    assert config in found.config, found
    if not writable:
        assert found.reason.endswith("."), "it is a sentence on the screen"


def test_loopback_is_nobodys(tmp_path: Path) -> None:
    assert not _owner(tmp_path, NETWORKD, Link(1, "lo", kind="loopback")).writable


def test_two_claims_name_both(tmp_path: Path) -> None:
    files = HOSTS["two at once"][0]
    reason = _owner(tmp_path, files).reason
    assert "NetworkManager" in reason
    assert "networkd" in reason


@pytest.mark.parametrize(
    ("definition", "claimed"),
    [
        ("lan0: {dhcp4: true}", True),
        ("lan1: {dhcp4: true}", False),
        ("any: {match: {name: 'lan*'}}", True),
        ("any: {match: {name: ['en*', 'lan?']}}", True),
        ("any: {match: {name: 'en*'}}", False),
        ("any: {match: {macaddress: '00:00:5E:00:53:10'}}", True),
        ("any: {match: {macaddress: '00:00:5e:00:53:99'}}", False),
        ("any: {match: {macaddress: '00:00:5e:00:53:99'}, set-name: lan0}", True),
        ("lan0: {match: {name: 'en*'}}", False),
        ("lan0: [", True),
    ],
)
def test_netplan_definition(definition: str, claimed: bool) -> None:
    """The last one cannot be read: netplan would fail over it, and we do not know what it says."""
    text = f"network:\n  version: 2\n  ethernets:\n    {definition}\n"
    found = [d.path for d in netplan_yaml.definitions({"/etc/netplan/1.yaml": text}, LINK)]
    assert found == (["/etc/netplan/1.yaml"] if claimed else [])


def test_nmcli_output_of_debian_12() -> None:
    said = "lo:connected (externally)\nlan0:connecting (getting IP configuration)\nlan2:unavailable\nlan3:unmanaged\n"
    assert claims.nmcli(said) == {"lo": True, "lan0": True, "lan2": True, "lan3": False}
    assert claims.nmcli("eth0\\:1:connected\n") == {"eth0:1": True}


def test_interfaces_with_continued_lines_and_aliases() -> None:
    text = "# iface lan9 inet dhcp\niface lan0 \\\n  inet dhcp\niface lan1:1 inet static\niface lan2 inet manual\n"
    assert claims.ifupdown({"/f": text}) == {"lan0": "/f", "lan1": "/f"}
