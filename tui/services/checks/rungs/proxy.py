"""Does the proxy let us through to the target?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tui.models.check import ProxyWay, Target
from tui.services.checks import http
from tui.services.checks.climb import Climb, Finding, Trouble, failed, ok, skipped
from tui.services.checks.rungs import tcp
from tui.services.checks.rungs.resolve import addresses_of
from tui.services.checks.stream import Stream, connected

LIMIT = 10.0
TLS_TO_PROXY = "the proxy is spoken to with TLS, which Checks cannot do yet"


async def check(climb: Climb) -> Finding:
    target, proxy = climb.wanted.main, climb.way.proxy
    if proxy is None:
        return skipped("no proxy is set")
    named = f"{proxy.host} port {proxy.port}"
    if proxy.scheme == "https":
        return skipped(TLS_TO_PROXY)
    try:
        await _knocked(climb, proxy)
        if target is None or not climb.proxied(target):
            return ok(f"{named} takes connections; what is to be reached goes without it")
        if target.scheme == "http":
            return ok(f"{named} takes connections")
        async with opened(climb, target):
            return ok(f"{named} connects to {target.host}")
    except Trouble as trouble:
        return trouble.finding


@asynccontextmanager
async def opened(climb: Climb, target: Target) -> AsyncIterator[Stream]:
    """A connection to `target`, direct or by the proxy, without TLS yet; to the proxy itself for plain HTTP.

    Raises:
        Trouble: it could not be made, and why.
    """
    proxy = climb.way.proxy
    if proxy and proxy.scheme == "https" and climb.proxied(target):
        raise Trouble(skipped(TLS_TO_PROXY))
    if proxy is None or not climb.proxied(target):
        if target.host not in climb.good:
            await tcp.knocked(climb, target.host, target.port, str(target))
        host, port = target.host, target.port
    else:
        if proxy.host not in climb.good:
            await _knocked(climb, proxy)
        host, port = proxy.host, proxy.port
    if not climb.good[host]:
        raise Trouble(skipped(f"{host} takes no connection"))
    try:
        async with connected(climb.way, climb.good[host][0], port) as stream:
            if proxy and climb.proxied(target) and target.scheme == "https":
                await _tunnel(stream, target, proxy)
            yield stream
    except ConnectionRefusedError as error:
        raise Trouble(failed("D221", f"{host} refuses connections now.", "Try again.", str(error))) from error


async def _knocked(climb: Climb, proxy: ProxyWay) -> None:
    await addresses_of(climb, proxy.host)
    try:
        await tcp.knocked(climb, proxy.host, proxy.port, f"the proxy {proxy.host}")
    except Trouble as trouble:
        if trouble.finding.issue is None:
            raise
        text = f"The proxy {proxy.host} does not take connections at port {proxy.port}."
        remedy = "Check its name and port in Proxy; ask IT whether it is up."
        raise Trouble(failed("D231", text, remedy, trouble.finding.reason)) from trouble


async def _tunnel(stream: Stream, target: Target, proxy: ProxyWay) -> None:
    try:
        head = await http.connect(stream, target, proxy)
    except (http.NotHttp, ConnectionError) as error:
        raise Trouble(_no_proxy(proxy, str(error))) from error
    if head.status == 200:
        return
    raise Trouble(refusal(head, target, proxy))


def refusal(head: http.Head, target: Target, proxy: ProxyWay) -> Finding:
    """What an answer other than 200 of the proxy itself means."""
    if head.status in (401, 407):  # tinyproxy says 401 where user and password are there and wrong
        methods = head.fields.get("proxy-authenticate", "Basic").split()[0]
        text = f"The proxy {proxy.host} wants a user and a password{', and not these' if proxy.user else ''}."
        remedy = "Set them in Proxy."
        if methods.lower() not in ("basic", "digest"):
            remedy = f"It wants {methods}; ask IT for an account with Basic, or for an exception for this host."
        return failed("D232", text, remedy, f"{head} ({methods})")
    if head.status in (403, 451):
        text = f"The proxy {proxy.host} does not allow {target.host} port {target.port}."
        return failed("D233", text, f"Ask IT to allow {target.host}:{target.port} for this host.", str(head))
    if head.status >= 500:
        text = f"The proxy {proxy.host} cannot reach {target.host} itself."
        return failed("D235", text, "Ask IT: name, firewall and way out are those of the proxy here.", str(head))
    return _no_proxy(proxy, str(head))


def _no_proxy(proxy: ProxyWay, reason: str) -> Finding:
    text = f"What answers at {proxy.host} port {proxy.port} is no proxy."
    return failed("D234", text, "Check host and port in Proxy; often it is 3128 or 8080.", reason)
