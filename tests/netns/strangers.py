"""Runs inside a host's namespaces: somebody odd at the end of link NAME, until standard input ends.

`python -m tests.netns.strangers NAME KIND`: "proxy" answers ARP for every address; "mixed" broadcasts with and without
the tag of VLAN 30, and answers nothing. Prints "ready" when it does.
"""

from __future__ import annotations

import asyncio
import sys
from ipaddress import IPv4Address

from agent.practice import frames, wire

MAC = frames.mac("00:00:5e:00:53:99")


def answer(frame: bytes, vlan: int | None) -> bytes | None:
    if vlan is not None or int.from_bytes(frame[12:14]) != frames.ARP:
        return None
    wanted = str(IPv4Address(frame[38:42]))
    found = frames.arp_answer(frame[14:], MAC, wanted)
    return found and frames.ethernet(found[0], MAC, frames.ARP, found[1])


async def main(name: str, kind: str) -> None:
    port = wire.open_wire(name)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    if kind == "proxy":
        wire.answer_all(port, answer)
    print("ready", flush=True)
    asking = frames.arp_request(MAC, "203.0.113.1", "203.0.113.9")
    while not ended.is_set():
        if kind == "mixed":
            for vlan in (30, None):
                wire.send(port, frames.ethernet(frames.BROADCAST, MAC, frames.ARP, asking, vlan))
        await asyncio.sleep(0.2)
    port.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
