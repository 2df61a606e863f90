"""Does the machine take a connection at the port?"""

from __future__ import annotations

import asyncio
import os

from tui.services.checks.climb import NO_GATEWAY, Climb, Finding, Trouble, failed, ok, skipped
from tui.services.checks.frames import Ip
from tui.services.checks.rungs.resolve import addresses_of
from tui.services.checks.stream import connected

LIMIT = 6.0
_MOST = 4
"""Addresses that are tried, all at once."""


async def check(climb: Climb) -> Finding:
    target = climb.wanted.main
    if target is None:
        return skipped("nothing to reach is set")
    if climb.proxied(target):
        return skipped("it is reached by the proxy")
    try:
        return ok(await knocked(climb, target.host, target.port, str(target)))
    except Trouble as trouble:
        return trouble.finding


async def knocked(climb: Climb, host: str, port: int, what: str) -> str:
    """Connect to each address of `host`; remembers those that took it, and says how it went.

    Raises:
        Trouble: none of them did.
    """
    addresses = await addresses_of(climb, host)
    allowed = [a for a in addresses if not climb.forbidden(a)][:_MOST]
    if not allowed:
        why = climb.forbidden(addresses[0])
        if why == NO_GATEWAY:
            text = f"No gateway is set, and {what} ({addresses[0]}) is outside of this network."
            raise Trouble(failed("D202", text, "Set the gateway in Network; the site's network plan has it.", why))
        raise Trouble(skipped(why))
    results = await asyncio.gather(*(_knock(climb, a, port) for a in allowed))
    climb.good[host] = tuple(a for a, error in zip(allowed, results, strict=True) if error is None)
    said = ", ".join(f"{a} port {port}: {_raw(error)}" for a, error in zip(allowed, results, strict=True))
    if not climb.good[host]:
        raise Trouble(_refusal([e for e in results if e], allowed, port, what, said))
    return said


async def _knock(climb: Climb, address: Ip, port: int) -> OSError | None:
    try:
        async with connected(climb.way, address, port):
            return None
    except OSError as error:
        return error


def _raw(error: OSError | None) -> str:
    if error is None:
        return "connected"
    if isinstance(error, TimeoutError) or not error.errno:
        return "no answer" if isinstance(error, TimeoutError) else str(error)
    return os.strerror(error.errno)  # asyncio puts words of its own into strerror


def _refusal(errors: list[OSError], addresses: list[Ip], port: int, what: str, said: str) -> Finding:
    if any(isinstance(error, ConnectionRefusedError) for error in errors):
        text = f"{what[0].upper()}{what[1:]} refuses connections at port {port}."
        remedy = "Check the port; ask who runs it whether the service is up."
        return failed("D221", text, remedy, said)
    if any(isinstance(error, TimeoutError) for error in errors):
        text = f"{what[0].upper()}{what[1:]} does not answer at {addresses[0]} port {port}."
        remedy = f"Ask the firewall's people to let this host through to {addresses[0]} port {port}."
        return failed("D222", text, remedy, said)
    text = f"There is no way to {what} ({addresses[0]}): {_raw(errors[0])}."
    return failed("D223", text, "Check gateway and routes in Network; ask IT about the route to it.", said)
