"""The process behind DHCP on a link: pyroute2's client, kept alive through everything that networks do.

What is added here: it waits for link and carrier without polling, asks for the former address first when the cable
comes back (RFC 2131 §3.2), takes lease and routes into the kernel with their lifetime, and starts over after a pause
when anything ends pyroute2's tasks. It never sends RELEASE: the address stays reserved for this host while a change
of the link may still be taken back, and when it becomes a static one.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import struct

from pyroute2.dhcp.client import ClientConfig, randomized_increasing_backoff
from pyroute2.dhcp.enums.dhcp import Option
from pyroute2.dhcp.fsm import State
from pyroute2.dhcp.hooks import Trigger, hook
from pyroute2.dhcp.leases import Lease as Answer

from tui.services.host import Host
from tui.services.network import dhcp, dhcp_options, leases, resolv
from tui.services.network.dhcp_pyroute2 import Client, remembered
from tui.services.network.reconcile import Operation

log = logging.getLogger(__name__)

_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 64.0
_LONG = 300.0
"""Seconds after which a session counts as a good one, and pauses begin small again."""
_SIOCGIFFLAGS, _IFF_UP, _IFF_RUNNING = 0x8913, 0x1, 0x40
"""netdevice(7); IFF_RUNNING follows the carrier."""
_ASKED = (
    Option.SUBNET_MASK, Option.CLASSLESS_STATIC_ROUTE, Option.ROUTER, Option.NAME_SERVER, Option.DOMAIN_NAME,
    Option.DOMAIN_SEARCH, Option.LEASE_TIME, Option.RENEWAL_TIME, Option.REBINDING_TIME,
)  # fmt: skip
"""RFC 3442 wants 121 before 3."""


async def serve(host: Host, name: str) -> None:
    """Until SIGTERM (the address goes) or SIGUSR1 (it stays)."""
    loop, ends = asyncio.get_running_loop(), list[signal.Signals]()
    sessions = asyncio.create_task(_Sessions(host, name).run())

    def end(number: signal.Signals) -> None:
        ends.append(number)
        sessions.cancel()

    for number in (signal.SIGTERM, signal.SIGINT, dhcp.LEAVE):
        loop.add_signal_handler(number, end, number)
    with contextlib.suppress(asyncio.CancelledError):
        await sessions
    if dhcp.LEAVE not in ends:
        await dhcp.withdraw(host, name)
        await resolv.write(host)


class _Sessions:
    """One session a carrier: from DISCOVER, or the former address, to the end of the carrier or of the client."""

    def __init__(self, host: Host, name: str) -> None:
        self._host, self._name = host, name
        self._heard = asyncio.Event()
        self._failed = asyncio.Event()

    async def run(self) -> None:
        listening = asyncio.create_task(self._listen())
        pause, loop = _SHORTEST_PAUSE, asyncio.get_running_loop()
        try:
            while True:
                await self._until_carrier(True)
                began = loop.time()
                try:
                    await self._session()
                except Exception:  # whatever a packet made of the client: it starts over, and says so
                    log.exception("DHCP on %s starts over", self._name)
                if not _has_carrier(self._name) or loop.time() - began > _LONG:
                    pause = _SHORTEST_PAUSE
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        finally:
            listening.cancel()

    async def _session(self) -> None:
        self._failed.clear()
        client = Client(self._config())
        await client.__aenter__()
        lost = asyncio.create_task(self._until_carrier(False))
        failed = asyncio.create_task(self._failed.wait())
        try:
            await client.bootstrap()
            await asyncio.wait({lost, failed, *client.tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost.cancel()
            failed.cancel()
            await client.close()

    def _config(self) -> ClientConfig:
        return ClientConfig(
            interface=self._name,
            lease_type=remembered(self._host.path(f"{dhcp.FOLDER}/{self._name}.answer.json")),
            hooks=(
                hook(Trigger.BOUND, Trigger.RENEWED, Trigger.REBOUND)(self._take),
                hook(Trigger.UNBOUND, Trigger.EXPIRED)(self._lose),
            ),
            requested_parameters=_ASKED,
            timeouts={State.REBOOTING: 5, State.REQUESTING: 15, State.SELECTING: 900},
            retransmission=lambda: randomized_increasing_backoff(3.0, 64.0),
            release=False,
            hook_timeout=20.0,
            handle_signals=False,
            vendor_id="onsite",
        )

    async def _take(self, lease: Answer) -> None:
        try:
            await _into_kernel(self._host, self._name, lease)
            await resolv.write(self._host)
        except (OSError, ValueError):
            log.exception("lease of %s", self._name)
            self._failed.set()

    async def _lose(self, lease: Answer) -> None:
        try:
            await dhcp.withdraw(self._host, self._name)
            await resolv.write(self._host)
        except OSError:
            log.exception("end of the lease of %s", self._name)

    async def _listen(self) -> None:
        async for _ in self._host.kernel.events():
            self._heard.set()

    async def _until_carrier(self, there: bool) -> None:
        while True:
            self._heard.clear()
            if _has_carrier(self._name) is there:
                return
            await self._heard.wait()


async def _into_kernel(host: Host, name: str, answer: Answer) -> None:
    """The lease file first: it tells where the address comes from. The former lease's things go last."""
    new = dhcp_options.given(answer.ip, answer.ack["options"])
    link = next(link for link in host.kernel.links() if link.name == name)
    leases.write(host, name, new.lease, answer.obtained)
    wanted = {(r.destination, r.gateway) for r in new.routes}
    await host.kernel.change(
        [
            Operation("add address", link.index, new.lease.address, seconds=new.seconds, origin="dhcp"),
            *(Operation("add route", link.index, route=r) for r in new.routes),
            *(
                Operation("delete route", link.index, route=r)
                for r in link.routes
                if r.family == 4 and r.protocol == 16 and (r.destination, r.gateway) not in wanted
            ),
            *(
                Operation("delete address", link.index, a.address)
                for a in link.addresses
                if a.family == 4 and a.origin == "dhcp" and a.address != new.lease.address
            ),
        ]
    )


def _has_carrier(name: str) -> bool:
    """Up and with a partner; False also for a link that is not there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as ask:
        try:
            answer = fcntl.ioctl(ask, _SIOCGIFFLAGS, struct.pack("16sH22x", os.fsencode(name), 0))
        except OSError:
            return False
    flags: int = struct.unpack_from("H", answer, 16)[0]
    return flags & (_IFF_UP | _IFF_RUNNING) == (_IFF_UP | _IFF_RUNNING)
