"""Try a proxy before anything is written: connect, CONNECT, login, TLS, answer; each failure with its own reason.

A function of its arguments: no environment, no settings of this process, no clock of its own. What it sends to an
unverified peer is the request line and, to the proxy, the login that the operator gave it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.models.change import Issue
from tui.services import http
from tui.services.proxy import kept, presented
from tui.services.proxy.attempt import Run, Stop, reach
from tui.services.proxy.exceptions import bypasses
from tui.services.proxy.tried import Target, Trial, parse

if TYPE_CHECKING:
    from tui.models.facts import Facts
    from tui.models.proxy import ProxyConfig, Upstream
    from tui.services.host import Host

LIMIT = 10.0
"""Seconds for each step."""


async def trials(
    config: ProxyConfig, urls: Iterable[str], bundle: str | None, now: float, *, limit: float = LIMIT
) -> tuple[Trial, ...]:
    """Every URL by the way that this proxy configuration gives it.

    Args:
        bundle: file of the authorities that the host trusts; None for none.
        now: the clock of the host, seconds since the epoch.
        limit: seconds for each step.
    """
    http, https = config.upstreams

    async def one(url: str) -> Trial:
        target = parse(url)
        direct = isinstance(target, Target) and bypasses(target.host, config.exceptions)
        upstream = None if direct else https if url.lower().startswith("https:") else http
        return await trial(url, upstream, bundle, now, limit=limit)

    return together(await asyncio.gather(*(one(url) for url in urls)))


async def from_host(config: ProxyConfig, urls: Iterable[str], host: Host, facts: Facts) -> tuple[Trial, ...]:
    """The same from this host, with what it trusts and the passwords that it keeps. A recorded one has no way out."""
    if host.kind == "recorded":
        return ()
    bundle = http.bundle(host)
    wish = kept.completed(config, facts)
    return await trials(wish, urls, str(bundle) if bundle else None, host.clock.now())


async def trial(url: str, upstream: Upstream | None, bundle: str | None, now: float, *, limit: float = LIMIT) -> Trial:
    """One URL through one proxy, or without where `upstream` is None."""
    made = Trial(url, upstream.shown if upstream else "")
    target = parse(url)
    if isinstance(target, Issue):
        return replace(made, issues=(target,))
    run = Run(target, upstream, bundle, now, limit)
    try:
        return replace(await reach(run, made), steps=tuple(run.steps))
    except Stop as stop:
        return replace(made, steps=tuple(run.steps), issues=(stop.issue,), **stop.known)  # type: ignore[arg-type]  # fields of Trial


def together(made: Sequence[Trial]) -> tuple[Trial, ...]:
    """What only several trials show: one unknown authority behind different servers is the proxy's."""
    issuers: dict[str, set[str]] = {}
    for one in made:
        if one.chain and one.via and any(i.code == "P144" for i in one.issues):
            target = parse(one.url)
            if isinstance(target, Target):
                issuers.setdefault(one.chain[0].issuer, set()).add(target.host)
    return tuple(
        _blamed(one) if one.chain and len(issuers.get(one.chain[0].issuer, ())) > 1 and one.intercepted is None else one
        for one in made
    )


def _blamed(one: Trial) -> Trial:
    target = parse(one.url)
    where = target.authority if isinstance(target, Target) else one.url
    issue = presented.opened(where, one.chain[-1], trusted=False)
    return replace(one, intercepted=True, issues=tuple(issue if i.code == "P144" else i for i in one.issues))


__all__ = ["LIMIT", "Target", "Trial", "parse", "together", "trial", "trials"]
