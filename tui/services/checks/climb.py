"""What the rungs of one climb share: the way, what is wanted, and what the rungs below have learned."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

from tui.models.change import Issue, Severity
from tui.models.check import Target, Verdict, Wanted
from tui.services.checks import dns, echo, sntp
from tui.services.checks.frames import Ip
from tui.services.checks.http import Head
from tui.services.checks.way import Way
from tui.services.clock import Clock

NO_GATEWAY = "no gateway is set"


class Finding(NamedTuple):
    """What one rung found."""

    verdict: Verdict
    reason: str = ""
    issue: Issue | None = None


class Trouble(Exception):
    """A step on the way to a target failed; the rung that took it reports the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.reason)
        self.finding = finding


def ok(reason: str) -> Finding:
    return Finding("ok", reason)


def skipped(why: str) -> Finding:
    """Not tried, and why."""
    return Finding("not tried", why)


def failed(code: str, text: str, remedy: str, reason: str = "", severity: Severity = "error") -> Finding:
    """Args: reason: what was seen, in the words of the system or the peer."""
    return Finding("failed" if severity == "error" else "warning", reason, Issue(code, severity, "", text, remedy))


@dataclass(slots=True)
class Climb:
    """One climb.

    Attributes:
        stopped: why nothing above can work; "" while something may.
        silent: gateways that did not answer.
        said: what each name server answered to the first question, or why it did not.
        good: addresses of a host that took a connection.
        head: how the main target answered over HTTP.
        date: seconds that the main target's clock is ahead of ours, by its HTTP Date.
        times: what each time server said, or why it did not.
        paths: which packets pass to an address.
        lost: targets that cannot be used, and why: what is above does not try them again.
    """

    way: Way
    wanted: Wanted
    clock: Clock
    stopped: str = ""
    silent: set[Ip] = field(default_factory=set)
    said: dict[Ip, dns.Answer | Exception] = field(default_factory=dict)
    found: dict[str, tuple[Ip, ...]] = field(default_factory=dict)
    good: dict[str, tuple[Ip, ...]] = field(default_factory=dict)
    head: Head | None = None
    date: float | None = None
    times: dict[str, sntp.Time | str] = field(default_factory=dict)
    paths: dict[Ip, echo.Path] = field(default_factory=dict)
    lost: dict[Target, str] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def proxied(self, target: Target) -> bool:
        return self.way.proxy is not None and self.way.proxy.covers(target.host)

    def forbidden(self, address: Ip) -> str:
        """Why no packet may or can go there; "" where one may. Every packet beyond the link asks this first."""
        near = self.way.inside(address) or any(address in net for net in self.way.routed)
        if self.wanted.mode == "local" and (address.is_loopback or not near):
            return f"{address} is outside the configured networks, and this site is an air gap"
        if address.is_loopback:
            return ""
        if self.way.door(address) is None:
            return f"{self.way.link.name} has no IPv{address.version} address"
        if not near:
            gateways = [g for g in self.way.gateways if g.version == address.version]
            if not gateways:
                return NO_GATEWAY
            if self.silent.issuperset(gateways):
                return f"the gateway {gateways[0]} does not answer"
        return ""
