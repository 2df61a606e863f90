"""Which addresses has a name? The servers are asked in their order, like the host's own resolver does."""

from __future__ import annotations

import asyncio

from tui.services.checks import dns
from tui.services.checks.climb import Climb, Finding, Trouble, failed, ok, skipped
from tui.services.checks.frames import Ip
from tui.services.checks.rungs.nameserver import literal

LIMIT = 8.0


async def check(climb: Climb) -> Finding:
    target, proxy = climb.wanted.main, climb.way.proxy
    if target is None:
        return skipped("nothing to reach is set")
    host = proxy.host if proxy and climb.proxied(target) else target.host
    if literal(host):
        return skipped(f"{host} is an address already")
    try:
        addresses = await addresses_of(climb, host)
    except Trouble as trouble:
        return trouble.finding
    return ok(f"{host} is {', '.join(map(str, addresses))}")


async def addresses_of(climb: Climb, host: str) -> tuple[Ip, ...]:
    """The addresses of `host` in the families that the link has.

    Raises:
        Trouble: there are none, and why.
    """
    if address := literal(host):
        return (address,)
    if host not in climb.found:
        climb.found[host] = await _looked_up(climb, host)
    return climb.found[host]


async def _looked_up(climb: Climb, host: str) -> tuple[Ip, ...]:
    servers = [s for s in climb.way.nameservers if not climb.forbidden(s)]
    if not servers:
        why = next((climb.forbidden(s) for s in climb.way.nameservers), "no name server is set")
        raise Trouble(skipped(f"{host} cannot be looked up: {why}"))
    servers = [s for s in servers if not isinstance(climb.said.get(s), Exception)]
    words = {}
    for server in servers:
        try:
            answers = await asyncio.gather(*(dns.ask(climb.way, server, host, f) for f in climb.way.families))
        except (OSError, dns.Malformed) as error:
            words[server] = "no answer" if isinstance(error, TimeoutError) else str(error)
            continue
        if found := tuple(a for answer in answers for a in answer.addresses):
            return found
        words[server] = answers[0].word
        if answers[0].word == "NXDOMAIN":
            text = f"The name {host} does not exist, says the name server {server}."
            remedy = "Check how it is spelled; ask IT whether this name server knows it."
            raise Trouble(failed("D214", text, remedy, "NXDOMAIN"))
        if all(answer.code == 0 for answer in answers):
            kinds = " or ".join(f"IPv{f}" for f in climb.way.families)
            text = f"{host} has no {kinds} address, says the name server {server}."
            remedy = f"Ask IT for a name with one, or give {climb.way.link.name} an address of the other kind."
            raise Trouble(failed("D215", text, remedy, "no error, no address"))
    said = ", ".join(f"{server}: {word}" for server, word in words.items()) or "no name server answers"
    if not words:
        raise Trouble(skipped(f"{host} cannot be looked up: {said}"))
    text = f"No name server could find {host}."
    remedy = "Ask IT: the name server is there, but cannot reach the one that knows this name."
    raise Trouble(failed("D216", text, remedy, said))
