"""Does each name server answer? All are asked at once by the first of these rungs; each then says its own."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

from tui.models.change import Severity
from tui.services.checks import dns
from tui.services.checks.climb import Climb, Finding, failed, ok, skipped
from tui.services.checks.frames import Ip

LIMIT = 4.0


async def none(climb: Climb) -> Finding:
    """The rung of a host without any."""
    names = _wanted_names(climb)
    if not names or climb.wanted.mode == "local":
        return skipped("no name server is set, and no name has to be known")
    text = f"No name server is set, so {names[0]} cannot be found."
    return failed("D213", text, "Set one in Network; the network plan of the site has it.", "no name server")


async def check(climb: Climb, server: Ip) -> Finding:
    if why := climb.forbidden(server):
        return skipped(why)
    await _ask_all(climb)
    said = climb.said[server]
    if isinstance(said, dns.Answer):
        if said.word != "REFUSED":
            return ok(f"it answers ({said.word})")
        text = f"The name server {server} refuses to answer this host."
        return failed("D212", text, "Ask IT to let this host ask it, or for another one.", "REFUSED", _severity(climb))
    text = f"The name server {server} does not answer."
    remedy = "Check its address in Network; ask IT whether it is up and whether UDP port 53 is let through."
    if isinstance(said, ConnectionRefusedError):
        text, remedy = f"{server} is there, but no name server runs on it.", "Check its address in Network."
    elif isinstance(said, dns.Malformed):
        text = f"{server} gives answers that are no DNS."
    return failed("D211", text, remedy, _raw(said), _severity(climb))


async def _ask_all(climb: Climb) -> None:
    async with climb.lock:
        left = [s for s in climb.way.nameservers if s not in climb.said and not climb.forbidden(s)]
        name = next(iter(_wanted_names(climb)), "")
        family = next(iter(climb.way.families), 4)
        said = await asyncio.gather(*(_said(climb, s, name, family) for s in left))
        climb.said |= dict(zip(left, said, strict=True))


async def _said(climb: Climb, server: Ip, name: str, family: int) -> dns.Answer | Exception:
    try:
        return await dns.ask(climb.way, server, name, family)
    except (OSError, dns.Malformed) as error:
        return error


def _severity(climb: Climb) -> Severity:
    """One of several is a nuisance; the only one is a failure."""
    served = any(isinstance(x, dns.Answer) and x.word != "REFUSED" for x in climb.said.values())
    return "warning" if served else "error"


def _raw(error: Exception) -> str:
    return f"no answer to {dns.TRIES} questions" if isinstance(error, TimeoutError) else str(error)


def _wanted_names(climb: Climb) -> list[str]:
    """Names that we, and not the proxy, have to know the address of."""
    wanted, proxy = climb.wanted, climb.way.proxy
    hosts = [t.host for t in (wanted.main, wanted.registry, wanted.url) if t and not climb.proxied(t)]
    return [host for host in ([proxy.host] if proxy else []) + hosts + list(wanted.ntp) if not literal(host)]


def literal(host: str) -> Ip | None:
    """The address that is written there instead of a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None
