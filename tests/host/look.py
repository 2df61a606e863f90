"""What a host in a container is, seen from outside: files, systemd-networkd's own words, the kernel by iproute2."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from agent.practice.cables import HEALTHY
from tests.host.box import Host, wait_for

LINK = HEALTHY.name
KEPT = f"etc/systemd/network/05-onsite-{LINK}.network"
VOLATILE = f"run/systemd/network/04-onsite-{LINK}.network"
JOURNAL = "var/lib/onsite/pending.json"


@dataclass(frozen=True, slots=True)
class State:
    """What a change may change."""

    files: tuple[tuple[str, str], ...]
    """Names and texts below /etc/systemd/network."""
    addresses: frozenset[str]
    gateways: frozenset[str]
    managed: tuple[str, str]
    """AdministrativeState and NetworkFile of `networkctl --json`."""
    servers: frozenset[str]


def document(last: int, **more: Any) -> str:
    """A configuration of the healthy link with addresses that end so; JSON is YAML."""
    link = {
        "mac": HEALTHY.mac,
        "ipv4": {"method": "static", "addresses": [f"192.0.2.{last}/24"], "gateway": "192.0.2.1"},
        "ipv6": {"method": "static", "addresses": [f"2001:db8:0:1::{last}/64"], "gateway": "2001:db8:0:1::1"},
        "nameservers": ["192.0.2.1", "2001:db8:0:1::1"],
    }
    return json.dumps({"version": 1, "links": [link | more]})


def state(box: Host) -> State:
    kernel, said = box.kernel(), box.networkctl(LINK)
    files = box.files("etc/systemd/network")
    return State(
        tuple((path.removeprefix("etc/systemd/network/"), text) for path, text in files.items()),
        frozenset(kernel.addresses(LINK)),
        frozenset(kernel.gateways(LINK)),
        (said["AdministrativeState"], said.get("NetworkFile") or ""),
        frozenset(str(ip_address(bytes(server["Address"]))) for server in said.get("DNS", ())),
    )


def whole(last: int, now: State) -> bool:
    """Whether that document is all there is: in the file, in networkd, in the kernel."""
    text = dict(now.files).get(KEPT.rpartition("/")[2], "")
    return (
        f"\nAddress=192.0.2.{last}/24\n" in text
        and now.addresses == {f"192.0.2.{last}/24", f"2001:db8:0:1::{last}/64"}
        and now.gateways == {"192.0.2.1", "2001:db8:0:1::1"}
        and now.managed == ("configured", f"/{KEPT}")
        and now.servers == {"192.0.2.1", "2001:db8:0:1::1"}
    )


def settled(box: Host) -> State:
    """The state once networkd is done with the link."""
    wait_for(f"{LINK} configured", lambda: box.networkctl(LINK)["AdministrativeState"] in ("configured", "unmanaged"))
    return state(box)


def leftovers(box: Host) -> list[str]:
    """What must not be there when no change is pending: journal, temporary files, the volatile layer."""
    found = box.run("find", "/etc", "/var/lib", "-name", "*.tmp").stdout.split()
    found += box.run("find", "/run/systemd/network", "-type", "f", check=False).stdout.split()
    return found + ([JOURNAL] if pending(box) else [])


def pending(box: Host) -> bool:
    return box.read(JOURNAL) is not None


def timers(box: Host) -> list[str]:
    """The dead-man's timers."""
    listed = box.run("systemctl", "list-units", "--plain", "--no-legend", "--all", "onsite-revert-*.timer").stdout
    return [line.split()[0] for line in listed.splitlines()]


def history(box: Host) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(box.onsite("history", "--json").stdout)
    return found
