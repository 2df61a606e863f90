"""A neighbour on the healthy link that has 192.0.2.77 and 2001:db8:0:1::77: whoever takes them is a duplicate."""

from __future__ import annotations

from agent.practice import frames, wire
from agent.practice.cables import NEIGHBOUR4, NEIGHBOUR6, NEIGHBOUR_MAC

_MAC = frames.mac(NEIGHBOUR_MAC)


def answer(frame: bytes, vlan: int | None) -> bytes | None:
    """What the neighbour says to `frame`: to ARP and to neighbour solicitations, nothing else."""
    if vlan is not None:
        return None
    kind, payload = int.from_bytes(frame[12:14]), frame[14:]
    if kind == frames.ARP and (found := frames.arp_answer(payload, _MAC, NEIGHBOUR4)):
        return frames.ethernet(found[0], _MAC, kind, found[1])
    if kind == frames.IPV6 and (found := frames.neighbour_answer(payload, _MAC, NEIGHBOUR6)):
        return frames.ethernet(found[0] or frame[6:12], _MAC, kind, found[1])
    return None


async def serve(link: str) -> None:
    wire.answer_all(wire.open_wire(link), answer)
