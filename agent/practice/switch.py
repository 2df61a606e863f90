"""The switch that the cables of the practice host lead to, as far as it announces itself.

A real one does it every thirty seconds (802.1AB msgTxInterval, 802.1AX Slow_Periodic_Time), too long for practice.
"""

from __future__ import annotations

import asyncio

from agent.practice import cables, frames, wire

PERIOD = 2.0
NAME = "switch.site.example"
_KEY = 7
"""Of the bundle that the switch has made of the silent cable and another one."""


async def serve() -> asyncio.Task[None]:
    """Say from now on what is at the other end of the healthy and of the silent cable."""
    healthy, silent = frames.mac(cables.HEALTHY.peer_mac), frames.mac(cables.SILENT.peer_mac)
    said = [
        (cables.HEALTHY.peer, frames.lldp(healthy, "Gi1/0/1", NAME, 10, "edge box, uplink")),
        (cables.SILENT.peer, frames.lldp(silent, "Gi1/0/7", NAME, 1)),
        (cables.SILENT.peer, frames.lacp(silent, _KEY, 7)),
    ]
    ports = {name: wire.open_wire(name) for name, _ in said}

    async def chatter() -> None:
        while True:
            for name, frame in said:
                wire.send(ports[name], frame)
            await asyncio.sleep(PERIOD)

    return asyncio.create_task(chatter())
