"""One climb up the ladder, rung by rung: what is wrong with the way out of this host, before anybody has to ask.

Rungs run in order, because what a lower one found decides what an upper one may try, and the first that fails is the
one to blame. Each has a limit; cancelling ends all of it at once and leaves nothing open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from tui.models.change import Issue
from tui.models.check import Rung, Wanted
from tui.services.checks.climb import Climb, Finding, failed, skipped
from tui.services.checks.way import Way
from tui.services.clock import Clock

Told = Callable[[int, Rung], None]
"""Hears of each rung when it begins and when it ends: its number and what it is now."""
ALONE = ("duplicate", "gateway")
"""Tried also without an address of our own, as long as there is a cable: their questions name none."""


class _Step(NamedTuple):
    name: str
    title: str
    limit: float
    check: Callable[[Climb], Awaitable[Finding]]


def rungs(way: Way, wanted: Wanted) -> tuple[Rung, ...]:
    """The rungs of a climb, before it begins."""
    return tuple(Rung(step.name, step.title, step.limit) for step in _steps(way, wanted))


async def climb(way: Way, wanted: Wanted, clock: Clock, told: Told = lambda number, rung: None) -> tuple[Rung, ...]:
    """Try each rung in order."""
    state = Climb(way, wanted, clock)
    done: list[Rung] = []
    for number, step in enumerate(_steps(way, wanted)):
        rung = Rung(step.name, step.title, step.limit)
        told(number, rung.now("running"))
        begun = time.monotonic()
        finding = await _tried(state, step)
        rung = rung.now(finding.verdict, round(time.monotonic() - begun, 4), finding.reason, finding.issue)
        told(number, rung)
        done.append(rung)
    return tuple(done)


async def _tried(state: Climb, step: _Step) -> Finding:
    if state.stopped and (step.name not in ALONE or not state.way.link.carrier):
        return skipped(state.stopped)
    try:
        async with asyncio.timeout(step.limit):
            return await step.check(state)
    except TimeoutError:
        text = f"{step.title}: no result within {step.limit:.0f} seconds."
        return failed("D291", text, "Check again; if it stays so, ask IT about this part of the network.", "timeout")
    except PermissionError as error:
        issue = Issue("N307", "note", "", f"Onsite may not try this: {error.strerror}.", "Run it as root.")
        return Finding("not tried", error.strerror or str(error), issue)
    except OSError as error:
        return skipped(error.strerror or str(error) or type(error).__name__)


def _steps(way: Way, wanted: Wanted) -> list[_Step]:
    from tui.services.checks.rungs import (
        address,
        carrier,
        clock,
        duplicate,
        gateway,
        http,
        mtu,
        nameserver,
        proxy,
        resolve,
        service,
        tcp,
        tls,
    )

    servers = [
        _Step(f"nameserver {s}", f"Name server {s}", nameserver.LIMIT, partial(nameserver.check, server=s))
        for s in way.nameservers
    ] or [_Step("nameserver", "Name server", nameserver.LIMIT, nameserver.none)]
    steps = [
        _Step("carrier", "Cable", carrier.LIMIT, carrier.check),
        _Step("address", "Address", address.LIMIT, address.check),
        _Step("duplicate", "Address is ours alone", duplicate.LIMIT, duplicate.check),
        _Step("gateway", "Gateway", gateway.LIMIT, gateway.check),
        *servers,
        _Step("resolve", "Name is found", resolve.LIMIT, resolve.check),
        _Step("tcp", "Connection (TCP)", tcp.LIMIT, tcp.check),
        _Step("proxy", "Proxy", proxy.LIMIT, proxy.check),
        _Step("tls", "Certificate (TLS)", tls.LIMIT, tls.check),
        _Step("http", "Answer (HTTP)", http.LIMIT, http.check),
        _Step("clock", "Clock", clock.LIMIT, clock.check),
        _Step("mtu", "Full-size packets", mtu.LIMIT, mtu.check),
        _Step("endpoint", "Management plane", service.LIMIT, service.endpoint),
        _Step("registry", "Registry", service.LIMIT, service.registry),
    ]
    if wanted.url and wanted.url != wanted.main:
        steps.append(_Step("url", "Your URL", service.LIMIT, service.url))
    return steps
