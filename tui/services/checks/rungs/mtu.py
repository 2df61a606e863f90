"""Do packets of full size arrive? Where they vanish, connections come up and then hang."""

from __future__ import annotations

import asyncio

from tui.models.check import Target
from tui.services.checks import echo, http
from tui.services.checks.climb import Climb, Finding, Trouble, failed, ok, skipped
from tui.services.checks.frames import Ip

LIMIT = 16.0
_PATIENCE = 3.0
"""Seconds for an answer to a request that fills packets."""


async def check(climb: Climb) -> Finding:
    target = climb.wanted.main
    if target is None:
        return skipped("nothing to reach is set")
    if climb.proxied(target):
        return skipped("behind a proxy nothing can be said about the path")
    good = climb.good.get(target.host)
    if not good:
        return skipped(f"{target.host} takes no connection")
    for to in (good[0], *(g for g in climb.way.gateways if g not in climb.silent)):
        found = await _path(climb, to)
        if not found.answers:
            continue
        if found.size >= climb.way.link.mtu:
            return ok(f"{found.size} bytes pass to {to}")
        if found.told:
            return ok(f"{found.size} bytes pass to {to}, as a router on the way says")
        if to == good[0] and climb.head is not None and await _large_request_passes(climb, target):
            return ok(f"echoes over {found.size} bytes are filtered, but full packets of TCP pass")
        return _hole(climb, to, found)
    return skipped(f"neither {good[0]} nor the gateway answers an echo")


async def vanishing(climb: Climb, target: Target, to: Ip) -> Finding | None:
    """Asked where a connection hangs: the finding if large packets vanish on its way."""
    if climb.proxied(target):
        return None
    try:
        found = await _path(climb, to)
    except OSError:
        return None
    return _hole(climb, to, found) if found.answers and not found.told and found.size < climb.way.link.mtu else None


async def _path(climb: Climb, to: Ip) -> echo.Path:
    if to not in climb.paths:
        climb.paths[to] = await echo.path(climb.way, to)
    return climb.paths[to]


def _hole(climb: Climb, to: Ip, found: echo.Path) -> Finding:
    mtu = climb.way.link.mtu
    text = f"Packets over about {found.size} bytes vanish on the way to {to}; {climb.way.link.name} sends up to {mtu}."
    remedy = f"Set the MTU of {climb.way.link.name} to {found.size} in Network, and tell IT: a path MTU black hole."
    return failed("D271", text, remedy, f"echo with DF: {found.size} bytes pass, {mtu} bytes vanish")


async def _large_request_passes(climb: Climb, target: Target) -> bool:
    """Some firewalls drop large echoes only: what counts is whether TCP gets through."""
    from tui.services.checks.rungs.http import spoken

    padding = f"X-Padding: {'x' * (2 * climb.way.link.mtu)}\r\n"
    try:
        async with asyncio.timeout(_PATIENCE):
            await spoken(climb, target, padding)
    except (Trouble, TimeoutError, OSError, http.NotHttp):
        return False
    return True
