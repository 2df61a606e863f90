"""The cables of the practice host and what is at their other ends.

Addresses are those reserved for documentation (RFC 5737, RFC 3849), hardware addresses those of RFC 7042 §2.1.2.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cable:
    """One link of the host. `index` is the same at both ends, so the kernel shows it like a real port: it reports
    LOWERLAYERDOWN and "lan0@if7" only where the other end's index differs."""

    index: int
    name: str
    mac: str
    peer: str
    peer_mac: str
    about: str


HEALTHY = Cable(2, "lan0", "00:00:5e:00:53:10", "peer0", "00:00:5e:00:53:01", "gateway, DHCP and DNS answer")
SILENT = Cable(3, "lan1", "00:00:5e:00:53:11", "peer1", "00:00:5e:00:53:02", "carrier, but nothing answers")
DEAD = Cable(4, "lan2", "00:00:5e:00:53:12", "peer2", "00:00:5e:00:53:03", "no carrier")
TRUNK = Cable(5, "lan3", "00:00:5e:00:53:13", "peer3", "00:00:5e:00:53:04", "only tagged frames, VLAN 20")
CABLES = (HEALTHY, SILENT, DEAD, TRUNK)

GATEWAY4, GATEWAY6 = "192.0.2.1", "2001:db8:0:1::1"
PREFIX4, PREFIX6 = 24, 64
NEIGHBOUR_MAC, NEIGHBOUR4, NEIGHBOUR6 = "00:00:5e:00:53:77", "192.0.2.77", "2001:db8:0:1::77"
VLAN, VLAN_GATEWAY4 = 20, "198.51.100.1"
SITE = "site.example"
