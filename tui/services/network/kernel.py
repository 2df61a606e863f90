"""The kernel of this network namespace: read by the standard library, changed through pyroute2.

Reading and listening must be cheap (the first screen does both), so pyroute2 is imported only where something
is changed, and asyncio where somebody listens. Nobody else in the house imports pyroute2 but the DHCP client.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.models.facts import Link
from tui.services.facts import rtnl
from tui.services.facts.layer import HASHES, MODES, RATES

if TYPE_CHECKING:
    import asyncio

    from tui.services.network.reconcile import Operation

DEBOUNCE = 0.2
"""Seconds of quiet that end a burst of events."""
IFA_PROTO_DHCP = 16
"""Our mark on leased addresses (IFA_PROTO, Linux 5.18; older kernels ignore it). The number of RTPROT_DHCP."""
_CONF6 = Path("/proc/sys/net/ipv6/conf")
_THERE = {errno.EEXIST}
_GONE = {errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL, errno.ENODEV}


class NetlinkKernel:
    """`Kernel` for real: the host's own, or that of a practice host whose namespaces we are in."""

    def links(self) -> tuple[Link, ...]:
        return rtnl.links()

    async def change(self, operations: Sequence[Operation]) -> None:
        """Carry out in order, one netlink message each; what is so already is no error.

        Raises:
            OSError: the kernel refused; the operations before that one are done.
        """
        if not operations:
            return
        from pyroute2 import AsyncIPRoute
        from pyroute2.netlink.exceptions import NetlinkError

        async with AsyncIPRoute(ext_ack=True) as netlink:
            for operation in operations:
                try:
                    await _carry_out(netlink, operation)
                except NetlinkError as error:
                    harmless = _GONE if operation.kind.startswith("delete") else _THERE
                    if error.code not in harmless:
                        raise OSError(error.code, str(error.args[1])) from error

    async def events(self) -> AsyncIterator[None]:
        """One item after every burst of link, address or route events.

        An overflow of the socket (ENOBUFS) lost events, so it counts as one.
        """
        import asyncio

        loop = asyncio.get_running_loop()
        with contextlib.closing(rtnl.listen()) as heard:
            heard.setblocking(False)
            while True:
                await _receive(loop, heard)
                with contextlib.suppress(TimeoutError):
                    while True:
                        async with asyncio.timeout(DEBOUNCE):
                            await _receive(loop, heard)
                yield None


async def _receive(loop: asyncio.AbstractEventLoop, heard: socket.socket) -> None:
    try:
        await loop.sock_recv(heard, 65536)
    except OSError as error:
        if error.errno != errno.ENOBUFS:
            raise


async def _carry_out(netlink: Any, operation: Operation) -> None:
    index = operation.index
    match operation.kind:
        case "up":
            await netlink.link("set", index=index, state="up" if operation.value else "down")
        case "mtu":
            await netlink.link("set", index=index, mtu=operation.value)
        case "make":
            await netlink.link("add", ifname=operation.name, **_layer(operation))
        case "prefer":
            await netlink.link("set", index=index, kind="bond", bond_primary=operation.value)
        case "master":
            await netlink.link("set", index=index, master=operation.value)
        case "rename":
            await netlink.link("set", index=index, ifname=operation.name)
        case "delete link":
            await netlink.link("del", index=index)
        case "router advertisements":
            _router_advertisements(index, bool(operation.value))
        case "solicit":
            _solicit(index)
        case "add address":
            # replace: makes a leased address a lasting one, and renews the lifetime of a leased one
            await netlink.addr("replace", index=index, **_address(operation))
        case "delete address":
            address, _, prefix = operation.address.partition("/")
            await netlink.addr("del", index=index, address=address, prefixlen=int(prefix))
        case "add route":
            # append, not add: with EXCL the kernel refuses a second default route of equal metric, be it another
            # link's or one by a router advertisement that is about to go, and "exists" would hide that
            await netlink.route("append", **_route(operation))
        case "delete route":
            await netlink.route("del", **_route(operation))


def _layer(operation: Operation) -> dict[str, Any]:
    layer = operation.layer
    assert layer is not None, "what makes a link says what it shall be"  # noqa: S101
    if layer.kind == "vlan":
        return {"kind": "vlan", "link": operation.index, "vlan_id": layer.vlan}
    if layer.kind == "bridge":
        from tui.services.network.wanted import FORWARD_DELAY

        return {"kind": "bridge", "br_stp_state": int(layer.stp), "br_forward_delay": FORWARD_DELAY * 100}
    values: dict[str, Any] = {"bond_mode": MODES.index(layer.mode), "bond_miimon": layer.monitor}
    if layer.hash:
        values["bond_xmit_hash_policy"] = HASHES.index(layer.hash)
    if layer.lacp_rate:
        values["bond_ad_lacp_rate"] = RATES.index(layer.lacp_rate)
    return {"kind": "bond"} | values


def _address(operation: Operation) -> dict[str, Any]:
    address, _, prefix = operation.address.partition("/")
    values: dict[str, Any] = {"address": address, "prefixlen": int(prefix)}
    if ":" not in address and int(prefix) < 31:
        values["broadcast"] = True
    if operation.origin == "dhcp":
        values["proto"] = IFA_PROTO_DHCP
    if operation.seconds is not None:
        values |= {"valid_lft": operation.seconds, "preferred_lft": operation.seconds}
    return values


def _route(operation: Operation) -> dict[str, Any]:
    route = operation.route
    assert route is not None, "a route operation carries its route"  # noqa: S101
    values: dict[str, Any] = {
        "family": socket.AF_INET6 if route.family == 6 else socket.AF_INET,
        "dst": "default" if route.destination == "default" else route.destination,
        "oif": operation.index,
        "proto": route.protocol,
        "table": route.table,
    }
    if route.gateway:
        values["gateway"] = route.gateway
    if route.metric:
        values["priority"] = route.metric
    if route.source:
        values["prefsrc"] = route.source
    if route.on_link:
        values["flags"] = ["onlink"]
    return values


def _router_advertisements(index: int, accept: bool) -> None:
    """Let the kernel take addresses and routes from routers, or not; the link-local address stays either way.

    2, not 1: a Kubernetes node forwards, and 1 means "unless forwarding" (ip-sysctl.rst, accept_ra).
    Where IPv6 is switched off for the whole host there is nothing to do.
    """
    folder = _CONF6 / socket.if_indextoname(index)
    if not folder.is_dir():
        return
    for name, value in (("disable_ipv6", "0"), ("accept_ra", "2" if accept else "0"), ("autoconf", str(int(accept)))):
        if (folder / name).read_text().strip() != value:
            (folder / name).write_text(value)


def _solicit(index: int) -> None:
    """Ask routers to announce themselves now (RFC 4861 §4.1). The kernel asks only when a link comes up,
    and a router may wait half an hour. No answer, or no link-local address yet, is no failure."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as ask:
        ask.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        ask.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        ask.sendto(bytes([133, 0, 0, 0, 0, 0, 0, 0]), ("ff02::2", 0, 0, index))
