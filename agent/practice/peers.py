"""The other ends of the cables, in a network namespace of their own, until standard input ends."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from agent.practice import cables, dhcpd, dnsd, neighbour, switch, trunk
from agent.practice.state import cause
from tui import namespaces
from tui.services.port import switched

_NO_ARP = 0x80
"""IFF_NOARP of netdevice(7): the kernel neither asks nor answers."""
_NO_DETECTION = 0x02
"""IFA_F_NODAD of if_addr.h: usable at once, nobody else is here yet."""


def main(hub: Path) -> str:
    """Returns why it could not begin, or ""."""
    try:
        namespaces.unshare(namespaces.NET)
    except OSError as error:
        return f"a network namespace was refused ({cause(error)})"
    print("ready", flush=True)
    from pyroute2 import IPRoute

    if not sys.stdin.readline():  # the holder tells when the cables are in
        return ""
    with IPRoute() as kernel:
        kernel.link("set", index=1, state="up")
        for cable in (cables.SILENT, cables.DEAD, cables.TRUNK):
            # Without a link-local address this end says nothing in IPv6 either.
            no_address = {"attrs": [["AF_INET6", {"attrs": [["IFLA_INET6_ADDR_GEN_MODE", 1]]}]]}
            kernel.link("set", index=cable.index, flags=_NO_ARP, change=_NO_ARP, IFLA_AF_SPEC=no_address)
            if cable is not cables.DEAD:
                kernel.link("set", index=cable.index, state="up")
        healthy = cables.HEALTHY.index
        kernel.link("set", index=healthy, state="up")
        kernel.addr("add", index=healthy, address=cables.GATEWAY4, prefixlen=cables.PREFIX4)
        kernel.addr("add", index=healthy, address=cables.GATEWAY6, prefixlen=cables.PREFIX6, flags=_NO_DETECTION)
    asyncio.run(_serve(hub))
    return ""


class HubPorts:
    """HTTPS, HTTP and the proxy of the practice hub; its process starts when somebody knocks for the first time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sockets = [
            socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=32)
            for port in (443, 80, 3128)
        ]
        for listening in self.sockets:
            asyncio.get_running_loop().add_reader(listening, self._start)

    def _start(self) -> None:
        for listening in self.sockets:
            asyncio.get_running_loop().remove_reader(listening)
        numbers = [listening.fileno() for listening in self.sockets]
        # It ends with its standard input, which ends with this process.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agent.practice.hub_server", str(self.folder), *map(str, numbers)],
            stdin=subprocess.PIPE, stdout=sys.stderr, pass_fds=numbers,
        )  # fmt: skip


async def _serve(hub: Path) -> None:
    loop = asyncio.get_running_loop()
    holder_gone = asyncio.Event()

    def told() -> None:
        word, _, link = sys.stdin.readline().strip().partition(" ")
        if word:
            switched.switch(next(cable.peer for cable in cables.CABLES if cable.name == link), word == "plug")
        else:
            holder_gone.set()

    loop.add_reader(sys.stdin.fileno(), told)
    begin: list[Coroutine[Any, Any, object]] = [
        dhcpd.serve(cables.HEALTHY.peer),
        dnsd.serve((cables.GATEWAY4, cables.GATEWAY6)),
        neighbour.serve(cables.HEALTHY.peer),
        trunk.serve(cables.TRUNK.peer),
        switch.serve(),
    ]
    # What is served has to outlive this line: the loop holds transports, these hold the rest.
    kept = await asyncio.gather(*begin)
    ports = HubPorts(hub)
    print("ready", flush=True)
    await holder_gone.wait()
    for task in kept:
        if isinstance(task, asyncio.Task):
            task.cancel()
    del ports


if __name__ == "__main__":
    if reason := main(Path(sys.argv[1])):
        print(f"refused: {reason}", flush=True)
