"""Every manager of a network: kept and there after a restart, not kept and taken back; what others have set stays.

What is there is looked at three ways: the files, the kernel by iproute2, and the daemon's own words.
`ONSITE_FULL=1` (`make host-full`) tries every wish with every manager and prints the table of docs/measured.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from agent.practice.cables import HEALTHY
from tests.host import look
from tests.host.box import Box, Host, wait_for
from tests.host.managers import MANAGERS, Manager, Said, boot, files, owner, use

FULL = bool(os.environ.get("ONSITE_FULL"))
pytestmark = pytest.mark.timeout(900)
STATIC: dict[str, Any] = {
    "ipv4": {"method": "static", "addresses": ["192.0.2.10/24"], "gateway": "192.0.2.1"},
    "ipv6": {"method": "static", "addresses": ["2001:db8:0:1::10/64"], "gateway": "2001:db8:0:1::1"},
    "nameservers": ["192.0.2.1"],
}
LEASED: dict[str, Any] = {"ipv4": {"method": "dhcp"}, "ipv6": {"method": "off"}}
SEVERAL: dict[str, Any] = {
    "ipv4": {
        "method": "static", "addresses": ["192.0.2.20/24", "192.0.2.21/24", "198.51.100.9/25"], "gateway": "192.0.2.1",
    },
    "ipv6": {"method": "off"},
    "nameservers": ["192.0.2.1", "192.0.2.53"],
}  # fmt: skip
IPV6: dict[str, Any] = {
    "ipv4": {"method": "off"},
    "ipv6": {
        "method": "static", "addresses": ["2001:db8:0:1::30/64", "2001:db8:0:2::30/64"], "gateway": "2001:db8:0:1::1",
    },
    "nameservers": ["2001:db8:0:1::1"],
}  # fmt: skip
WISHES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "several addresses": (STATIC, SEVERAL),
    "DHCP to static": (LEASED, STATIC),
    "static to DHCP": (STATIC, LEASED),
    "IPv6 alone": (STATIC, IPV6),
    "MTU 1400": (STATIC, STATIC | {"mtu": 1400}),
    "MTU 9000": (STATIC, STATIC | {"mtu": 9000}),
    "name servers alone": (STATIC, STATIC | {"nameservers": ["192.0.2.53", "192.0.2.1"]}),
}
"""What is kept at first, and what is then wished."""
SOME = [("netplan, networkd", "several addresses"), ("NetworkManager", "several addresses")]
"""What is tried each time: networkd has tests of its own."""
PAIRS = [(manager, wish) for manager in MANAGERS for wish in WISHES] if FULL else SOME
CLOUD = """# This file is generated from information provided by the datasource.
network:
    version: 2
    ethernets:
        lan1:           # the other one
            dhcp4: true
        lan0:
            addresses:
            - 192.0.2.44/24
            routes:
            -   to: default
                via: 192.0.2.1
            wakeonlan: true
        # lan2 is for later
"""
PROFILE = """[connection]
id=by hand
uuid=5f2c1d3e-0000-4000-8000-000000000001
type=ethernet
interface-name=lan0

[ipv4]
method=manual
address1=192.0.2.44/24
gateway=192.0.2.1

[ipv6]
method=disabled
"""
UNIT = "[Match]\nName=lan0\n[Network]\nIPv6AcceptRA=no\nAddress=192.0.2.44/24\nGateway=192.0.2.1\n"
DROP_IN = "[Network]\nNTP=192.0.2.7\n"
OTHERS: dict[str, tuple[str, dict[str, str]]] = {
    "a drop-in of networkd": (
        "networkd",
        {"etc/systemd/network/10-x.network": UNIT, "etc/systemd/network/10-x.network.d/ntp.conf": DROP_IN},
    ),
    "a profile made by hand": (
        "NetworkManager", {"etc/NetworkManager/system-connections/by hand.nmconnection": PROFILE},
    ),
    "a file of cloud-init": (
        "netplan, networkd",
        {
            "etc/netplan/50-cloud-init.yaml": CLOUD, "etc/netplan/70-other.yaml": "network: {}\n",
            "etc/cloud/cloud.cfg": "# here\n",
        },
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """What a change may change, and what the manager says of it."""

    files: dict[str, str]
    addresses: frozenset[str]
    gateways: frozenset[str]
    mtu: int
    said: Said


def state(box: Host, manager: Manager) -> State:
    kernel = box.kernel()
    mtu = next(link["mtu"] for link in kernel.links if link["ifname"] == "lan0")
    addresses, gateways = frozenset(kernel.addresses("lan0")), frozenset(kernel.gateways("lan0"))
    return State(files(box, manager), addresses, gateways, mtu, manager.said(box))


def whole(now: State, wish: dict[str, Any]) -> bool:
    """Kernel and manager have that wish, and nothing else."""
    static = [part for part in (wish["ipv4"], wish["ipv6"]) if part["method"] == "static"]
    gateways = {part["gateway"] for part in static if "gateway" in part}
    addresses = {a for part in static for a in part["addresses"]}
    if wish["ipv4"]["method"] == "dhcp":
        leased = {a for a in now.addresses if a.startswith("192.0.2.1")} - addresses
        addresses, gateways = addresses | leased, {"192.0.2.1"}
        if len(leased) != 1 or leased == {"192.0.2.10/24"}:
            return False
    servers = set(wish.get("nameservers", now.said.servers))
    return (
        now.addresses == addresses == now.said.addresses
        and now.gateways == gateways <= now.said.gateways  # networkd 252 goes on listing a route that it took away
        and now.mtu == wish.get("mtu", 1500)
        and now.said.servers == servers
        and now.said.done
    )


def shows(box: Host, manager: Manager, wish: dict[str, Any], when: str) -> State:
    seen: list[State] = []

    def so() -> bool:
        seen[:] = [state(box, manager)]
        return whole(seen[0], wish)

    try:
        wait_for(when, so, 30)
    except AssertionError as error:
        raise AssertionError(f"{error}: {wish}\n{seen[0]}\n{box.run('ip', 'address').stdout}") from None
    return seen[0]


def document(wish: dict[str, Any]) -> str:
    return json.dumps({"version": 1, "links": [{"mac": HEALTHY.mac, **wish}]})


def apply(box: Host, wish: dict[str, Any]) -> None:
    box.write("/root/wish.yaml", document(wish))
    done = box.onsite("apply", "/root/wish.yaml", "--keep-within", "60", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def left(box: Host, manager: Manager) -> list[str]:
    """What must not be there when no change is pending."""
    inside = box.run("find", f"/{manager.volatile}", "-name", "*onsite*", check=False).stdout.split()
    if manager.backend == "netplan":
        inside = box.run("find", f"/{manager.volatile}", "-type", "f", check=False).stdout.split()
    return inside + ([look.JOURNAL] if look.pending(box) else [])


@pytest.fixture(autouse=True)
def tidy(box: Box) -> Iterator[None]:
    yield
    box.remove("etc/cloud/cloud.cfg")


@pytest.mark.parametrize(("name", "wish"), PAIRS)
def test_kept_and_taken_back(box: Box, name: str, wish: str) -> None:
    manager, (former, new) = MANAGERS[name], WISHES[wish]
    use(box, manager)
    assert (owner(box)["backend"], owner(box)["writable"]) == (manager.backend, True)
    apply(box, former)
    box.onsite("keep")
    before = shows(box, manager, former, "the first wish kept")
    assert manager.kept in before.files, sorted(before.files)

    apply(box, new)
    waiting = shows(box, manager, new, "the wish while it waits")
    assert waiting.files == before.files, "nothing is kept before Keep"
    box.onsite("revert")
    assert shows(box, manager, former, "taken back").files == before.files
    assert look.history(box)[-1]["result"] == "reverted", look.history(box)[-1]
    assert left(box, manager) == []

    apply(box, new)
    box.onsite("keep")
    kept = shows(box, manager, new, "the wish kept")
    assert left(box, manager) == []
    boot(box, manager)
    again = shows(box, manager, new, "the wish after a restart")
    assert again.files == kept.files
    print(f"managers: {name}: {wish}: kept, after a restart, taken back: as wished in kernel, daemon, files")


@pytest.mark.parametrize("name", MANAGERS if FULL else ["netplan, networkd"])
def test_address_and_route_of_a_program_survive_other_name_servers(box: Box, name: str) -> None:
    manager = MANAGERS[name]
    use(box, manager)
    apply(box, STATIC)
    box.onsite("keep")
    shows(box, manager, STATIC, "the first wish kept")
    box.run("ip", "address", "add", "192.0.2.99/32", "dev", "lan0")
    box.run("ip", "route", "add", "10.244.1.0/24", "via", "192.0.2.20", "dev", "lan0")

    def there() -> bool:
        route = box.run("ip", "-4", "route", "show", "10.244.1.0/24").stdout
        return "192.0.2.99/32" in box.kernel().addresses("lan0") and "via 192.0.2.20" in route

    apply(box, STATIC | {"nameservers": ["192.0.2.53"]})
    assert there(), "while it waits"
    assert manager.said(box).servers == {"192.0.2.53"}
    box.onsite("revert")
    assert there(), "taken back"
    apply(box, STATIC | {"nameservers": ["192.0.2.53"]})
    box.onsite("keep")
    assert there(), "kept"
    assert "192.0.2.99" not in "".join(files(box, manager).values())


@pytest.mark.parametrize("others", OTHERS if FULL else ["a file of cloud-init"])
def test_files_of_others_survive(box: Box, others: str) -> None:
    name, theirs = OTHERS[others]
    manager = MANAGERS[name]
    use(box, manager, theirs)
    wait_for("their address", lambda: "192.0.2.44/24" in box.kernel().addresses("lan0"))
    before = files(box, manager)
    assert owner(box)["writable"], owner(box)
    apply(box, STATIC)
    if manager.backend == "netplan":
        assert "etc/cloud/cloud.cfg.d/99-onsite-network.cfg" in files(box, manager)
    box.onsite("revert")
    wait_for("their address again", lambda: "192.0.2.44/24" in box.kernel().addresses("lan0"))
    assert files(box, manager) == before

    apply(box, STATIC)
    box.onsite("keep")
    shows(box, manager, STATIC, "kept")
    after = files(box, manager)
    changed = {path for path in before if after.get(path) != before[path]}
    if manager.backend == "netplan":
        path = "etc/netplan/50-cloud-init.yaml"
        assert changed == {path}
        assert set(after) - set(before) == {"etc/cloud/cloud.cfg.d/99-onsite-network.cfg"}
        assert after[path].splitlines()[:7] == CLOUD.splitlines()[:7]
        assert after[path].splitlines()[-1] == CLOUD.splitlines()[-1]
        assert "wakeonlan: true" in after[path]
        said = box.run("netplan", "get", "ethernets.lan0.addresses").stdout
        assert "192.0.2.10/24" in said
        assert "192.0.2.44" not in said
    else:
        assert changed == set()
        assert set(after) - set(before) == {manager.kept}
    boot(box, manager)
    shows(box, manager, STATIC, "after a restart")
