"""Runs inside a host's namespaces: sets values in the kernel the way the program does, and reads them by iproute2.

`python -m tests.netns.setting`, on standard input JSON {kind: [[text of a value, ...] of each input]}; prints the same
shape with what the kernel had afterwards.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface
from pathlib import Path

from tui.models.facts import Route
from tui.services.network.kernel import NetlinkKernel
from tui.services.network.reconcile import Operation

NAME = "typed0"
_SIOCGIFMTU = 0x8921
Inputs = list[list[str]]


def ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout


def fresh_link() -> int:
    """Without duplicate address detection, so an address is there at once."""
    subprocess.run(["ip", "link", "delete", NAME], capture_output=True, check=False, timeout=30)
    ip("link", "add", NAME, "type", "veth", "peer", "name", f"{NAME}p")
    Path(f"/proc/sys/net/ipv6/conf/{NAME}/accept_dad").write_text("0")
    for name in (f"{NAME}p", NAME):
        ip("link", "set", name, "addrgenmode", "none", "up")
    return socket.if_nametoindex(NAME)


def batches(inputs: Inputs) -> Iterator[list[int]]:
    """Numbers of inputs that can be set side by side: no address with two prefixes."""
    left = list(range(len(inputs)))
    while left:
        taken: dict[str, str] = {}
        now = []
        for number in left:
            parts = {value.partition("/")[0]: value for value in inputs[number]}
            if all(taken.get(ip, value) == value for ip, value in parts.items()):
                taken |= parts
                now.append(number)
        yield now
        left = [number for number in left if number not in set(now)]


async def addresses(inputs: Inputs) -> Inputs:
    after: Inputs = [[] for _ in inputs]
    for numbers in batches(inputs):
        index = fresh_link()
        wanted = {value: None for number in numbers for value in inputs[number]}
        await NetlinkKernel().change([Operation("add address", index, address=value) for value in wanted])
        (link,) = json.loads(ip("-json", "address", "show", "dev", NAME))
        have = {str(ip_interface(f"{a['local']}/{a['prefixlen']}")) for a in link["addr_info"]}
        for number in numbers:
            after[number] = [value for value in inputs[number] if value in have]
    return after


async def gateways(inputs: Inputs) -> Inputs:
    """Each as a default route with a metric of its own; on-link, because here the gateway is what is tried."""
    index = fresh_link()
    family = ip_address(inputs[0][0]).version
    routes = [
        Route("default", value, metric=number + 1, on_link=True, family=4 if family == 4 else 6)
        for number, (value,) in enumerate(inputs)
    ]
    await NetlinkKernel().change([Operation("add route", index, route=route) for route in routes])
    shown = json.loads(ip("-json", f"-{family}", "route", "show", "default", "dev", NAME))
    have = {route["metric"]: str(ip_address(route["gateway"])) for route in shown}
    return [[have.get(number + 1, "")] for number in range(len(inputs))]


async def mtus(inputs: Inputs) -> Inputs:
    index = fresh_link()
    after = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for (value,) in inputs:
            await NetlinkKernel().change([Operation("mtu", index, value=int(value))])
            reply = fcntl.ioctl(asking, _SIOCGIFMTU, struct.pack("16sI", NAME.encode(), 0) + bytes(16))
            after.append([str(struct.unpack_from("16xI", reply)[0])])
    return after


SETTERS = {
    "addresses4": addresses,
    "addresses6": addresses,
    "gateway4": gateways,
    "gateway6": gateways,
    "mtu": mtus,
}

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    print(json.dumps({kind: asyncio.run(SETTERS[kind](inputs)) for kind, inputs in asked.items()}))
