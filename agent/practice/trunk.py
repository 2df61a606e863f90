"""A switch port that carries VLAN 20 tagged and nothing else: what a wrongly patched cable looks like.

There need not be a VLAN module in the kernel: tags are read and written here.
"""

from __future__ import annotations

import asyncio
import socket

from agent.practice import frames, wire
from agent.practice.cables import TRUNK, VLAN, VLAN_GATEWAY4
from agent.practice.switch import NAME, PERIOD

_MAC = frames.mac(TRUNK.peer_mac)


def answer(frame: bytes, vlan: int | None) -> bytes | None:
    """A tagged ARP request for the gateway gets a tagged reply; untagged frames are dropped like on such a port."""
    if vlan != VLAN or int.from_bytes(frame[12:14]) != frames.ARP:
        return None
    found = frames.arp_answer(frame[14:], _MAC, VLAN_GATEWAY4)
    return found and frames.ethernet(found[0], _MAC, frames.ARP, found[1], VLAN)


async def serve(link: str) -> asyncio.Task[None]:
    port = wire.open_wire(link)
    wire.answer_all(port, answer)
    return asyncio.create_task(_chatter(port))


async def _chatter(port: socket.socket) -> None:
    """The gateway looking for one of its hosts, and the switch naming itself; port VLAN 0 means none untagged."""
    asking = frames.arp_request(_MAC, VLAN_GATEWAY4, "198.51.100.20")
    while True:
        wire.send(port, frames.ethernet(frames.BROADCAST, _MAC, frames.ARP, asking, VLAN))
        wire.send(port, frames.lldp(_MAC, "Gi1/0/14", NAME, 0))
        await asyncio.sleep(PERIOD)
