"""Recorded hosts for the screens: documentation addresses, and one link for every way a link can be."""

from __future__ import annotations

from pathlib import Path

from tui.models.facts import Address, Facts, Lease, Link, Machine, Owner, Route
from tui.services import recording
from tui.services.clock import FixedClock
from tui.session import Session

NOON = 1769860800.0
"""2026-01-31 12:00:00 UTC."""

LAN0 = Link(
    2, "lan0", "00:00:5e:00:53:01", "00:00:5e:00:53:01",
    driver="e1000e", admin_up=True, operstate="up", carrier=True, speed_mbps=1000, duplex="full",
    addresses=(
        Address("192.0.2.10/24", "dhcp", 0, 3000),
        Address("2001:db8:0:1::10/64", "ra", 0, 3000),
        Address("fe80::200:5eff:fe00:5301/64", "kernel"),
    ),
    routes=(Route("default", "192.0.2.1", protocol=16), Route("default", "fe80::1", protocol=9, family=6)),
    nameservers=("192.0.2.53",), search_domains=("site.example",),
    lease=Lease("192.0.2.10/24", "192.0.2.1", ("192.0.2.53",), ("site.example",), "192.0.2.1", 3600),
    method4="dhcp", method6="auto", origin="factory",
)  # fmt: skip
SILENT = Link(
    3, "lan1", "00:00:5e:00:53:02", "00:00:5e:00:53:02",
    driver="e1000e", admin_up=True, operstate="up", carrier=True, speed_mbps=100,
    addresses=(Address("fe80::200:5eff:fe00:5302/64", "kernel"),),
)  # fmt: skip
UNPLUGGED = Link(4, "wan0", "00:00:5e:00:53:03", "00:00:5e:00:53:03", driver="igb", admin_up=True, operstate="down")
OWNED = Link(
    5, "wlan0", "00:00:5e:00:53:04", "00:00:5e:00:53:04",
    kind="wifi", driver="ath10k", admin_up=True, operstate="up", carrier=True,
    addresses=(Address("198.51.100.7/24", "dhcp", 0, 600),),
    owner=Owner("NetworkManager", False, "NetworkManager configures wlan0, and Onsite cannot write for it."),
)  # fmt: skip


def machine(*links: Link) -> Facts:
    """A host with these links, or with the four above."""
    return Facts(
        hostname="edge-7c21",
        os_name="Debian GNU/Linux 12 (bookworm)",
        machine=Machine("Acme", "EB-100", "7C21X0042"),
        boot_id="5c1f0f3e-0000-4000-8000-000000000001",
        links=links or (LAN0, SILENT, UNPLUGGED, OWNED),
    )


def many(count: int) -> Facts:
    """A host with that many links, the first of them reachable."""
    return machine(LAN0, *(numbered(n) for n in range(1, count)))


def numbered(number: int) -> Link:
    mac = f"00:00:5e:01:{number >> 8:02x}:{number & 255:02x}"
    address = Address(f"10.{number >> 8}.{number & 255}.1/24", "console")
    return Link(
        10 + number, f"veth{number}", mac, mac, driver="veth", admin_up=True, operstate="up", carrier=True,
        addresses=(address,), method4="static", origin="console",
    )  # fmt: skip


def session_on(facts: Facts, root: Path) -> Session:
    """A session of alice at a serial line, on a recorded host whose clock stands still."""
    session = Session(recording.host(facts, root, FixedClock(NOON)), who="alice", line="ttyS0")
    session.read()
    return session
