"""Reading back: is the host what the change says, or what it was before?

A call that returns has only started the work: networkd configures in the background, duplicate address
detection takes a second or two (RFC 4862), a DHCP server may take its time. So we look until it is so, or until
the limit; a link without carrier is not a failure, it is said.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address

from tui.models.change import Issue
from tui.models.facts import Link, LinkState
from tui.services.change import files
from tui.services.change.journal import LinkChange, Pending
from tui.services.change.target import targets
from tui.services.host import Host

SETTLE = 10.0
"""Seconds for the kernel or the manager to follow."""
CARRIER = 5.0
"""Seconds for the ports of a bond or bridge to come up."""
LEASE = 4.0
"""Seconds in which a DHCP server mostly answers; later is said, and is no failure."""


async def applied(host: Host, change: Pending) -> tuple[Issue, ...]:
    """What the Keep page shows; an error among them takes the change back at once."""
    found = await asyncio.gather(*(_applied(host, link) for link in change.links))
    return (*(issue for issues in found for issue in issues), *await _targets(host, change))


async def _targets(host: Host, change: Pending) -> tuple[Issue, ...]:
    every = targets() if change.targets else {}
    found = [issue for name, paths in change.targets for issue in await every[name].problems(host, paths)]
    return tuple(found)


async def kept(host: Host, change: Pending) -> tuple[Issue, ...]:
    """Nothing, or why the change cannot count as kept."""
    wrong = [image.path for image in change.after if files.read_image(host, image.path).sha256 != image.sha256]
    if wrong:
        text = f"{wrong[0]} does not hold what was written to it."
        return (Issue("C105", "error", "", text, "Have the disk checked."),)
    found = await asyncio.gather(*(_applied(host, link, lease=False) for link in change.links))
    errors = [issue for issues in found for issue in issues if issue.severity == "error"]
    return (*errors, *(issue for issue in await _targets(host, change) if issue.severity == "error"))


async def reverted(host: Host, change: Pending, *, kernel: bool) -> tuple[Issue, ...]:
    """Nothing when files (and the kernel) were seen to be as before the change."""
    problems = [
        _not_back(f"the file {image.path}")
        for image in change.undo
        if files.read_image(host, image.path).sha256 != image.sha256
    ]
    if kernel:
        for link in change.links:
            unlike = partial(_unlike_before, before=link.before)
            left = await _until_none(host, link, unlike, there=link.before.there)
            problems += [_not_back(f"{link.name}: {what}") for what in left]
        problems += [_not_back(issue.text) for issue in await _targets(host, change) if issue.severity == "error"]
    return tuple(problems)


async def _applied(host: Host, link: LinkChange, *, lease: bool = True) -> list[Issue]:
    issues: list[Issue] = []
    if not link.wanted.there or link.wanted.layer is not None or link.wanted.master:
        left = await _until_none(host, link, partial(_misplaced, then=link.wanted), there=link.wanted.there)
        if left:
            text = f"{link.name} is not as wished: {'; '.join(left)}."
            remedy = "See the Log for what the system said."
            return [Issue("C103", "error", f"links.{link.identity}", text, remedy)]
    if not link.wanted.there:
        return []
    now = await _carried(host, link)
    if now is not None and not now.carrier:
        text = f"No cable or no partner at {link.name}: the change takes effect when the link comes up."
        return [Issue("N304", "warning", f"links.{link.identity}", text, "Plug in the cable; check the port's light.")]
    left = await _until_none(host, link, lambda now: _unlike_wanted(now, link.wanted))
    now = _find(host, link.identity)
    duplicates = [a.address for a in now.addresses if a.duplicate] if now else []
    for address in duplicates:
        text = f"{address} is in use by another machine on this network."
        remedy = "Ask for a free address, or switch the other machine off."
        issues.append(Issue("N305", "error", f"links.{link.identity}.ipv6.addresses", text, remedy))
    if left and not duplicates:
        text = f"{link.name} did not take the change: {'; '.join(left)}."
        issues.append(Issue("C103", "error", f"links.{link.identity}", text, "See the Log for what the system said."))
    if not issues and lease:
        issues += await _reached(host, link)
    if lease and link.dhcp and await _until_none(host, link, _no_lease, LEASE):
        text = f"No DHCP server has answered on {link.name} yet."
        remedy = "Wait, ask IT whether this port has DHCP, or set a static address."
        issues.append(Issue("N308", "warning", f"links.{link.identity}.ipv4.method", text, remedy))
    return issues


async def _reached(host: Host, link: LinkChange) -> list[Issue]:
    """Whether the gateways answer now that the address is ours; what is only silent never blocks."""
    now = _find(host, link.identity)
    if host.kind == "recorded" or now is None:
        return []
    from tui.services.checks import probe

    issues = []
    for route in link.wanted.routes:
        if route.destination != "default" or not route.gateway:
            continue
        try:
            answers = await probe.gateway(now, ip_address(route.gateway))
        except OSError:
            continue  # no right to ask: what is not known is not said
        if not answers:
            text = f"The gateway {route.gateway} does not answer on {now.name}."
            remedy = "Check the gateway's address and that the cable is in the right port, or revert."
            field = f"links.{link.identity}.ipv{route.family}.gateway"
            issues.append(Issue("N302", "warning", field, text, remedy))
    return issues


def _no_lease(now: Link) -> list[str]:
    return [] if any(a.family == 4 and a.origin == "dhcp" for a in now.addresses) else ["no lease"]


async def _until_none(
    host: Host,
    link: LinkChange,
    unlike: Callable[[Link], list[str]],
    seconds: float = SETTLE,
    *,
    there: bool = True,
) -> list[str]:
    end = time.monotonic() + seconds
    while True:
        now = _find(host, link.identity)
        left = _left(now, unlike) if there else ["it is still there"] if now else []
        if not left or time.monotonic() > end or (now and any(a.duplicate for a in now.addresses)):
            return left
        await asyncio.sleep(0.1)


def _left(now: Link | None, unlike: Callable[[Link], list[str]]) -> list[str]:
    return unlike(now) if now else ["the interface is gone"]


def _unlike_wanted(now: Link, wanted: LinkState) -> list[str]:
    tentative = [f"{a.address} is still being checked" for a in now.addresses if a.flags & 0x40]
    return tentative + _unlike(now.state, wanted)


def _unlike_before(now: Link, before: LinkState) -> list[str]:
    lease = ["no address from DHCP or the router yet"] if before.dynamic and not now.state.dynamic else []
    return lease + _unlike(now.state, before)


async def _carried(host: Host, link: LinkChange) -> Link | None:
    """The link; one that was just made gets a moment for its carrier, as its ports have to come up in it."""
    if link.wanted.layer is not None:
        await _until_none(host, link, lambda now: [] if now.carrier else ["no carrier"], CARRIER)
    return _find(host, link.identity)


def _misplaced(now: Link, then: LinkState) -> list[str]:
    """Where the link does not stand where it shall, or is not what it shall be."""
    left = [] if now.master == then.master else [f"it is a port of {now.master or 'nothing'}"]
    if now.layer != then.layer:
        left.append(f"it is {now.layer} instead of {then.layer}")
    return left if now.mtu == then.mtu else [*left, f"MTU {now.mtu} instead of {then.mtu}"]


def _unlike(now: LinkState, then: LinkState) -> list[str]:
    left = [] if now.master == then.master else [f"it is a port of {now.master or 'nothing'}"]
    left += ["it is made in another way"] if then.layer is not None and now.layer != then.layer else []
    left += [f"{a} is missing" for a in then.addresses if a not in now.addresses]
    left += [f"{a} is still there" for a in now.addresses if a not in then.addresses]
    have = {(r.family, r.destination, r.gateway) for r in now.routes}
    want = {(r.family, r.destination, r.gateway) for r in then.routes}
    left += [f"the route {d} by {g or 'the link'} is missing" for _, d, g in sorted(want - have)]
    left += [f"the route {d} by {g or 'the link'} is still there" for _, d, g in sorted(have - want)]
    if now.mtu != then.mtu:
        left.append(f"MTU {now.mtu} instead of {then.mtu}")
    if now.up != then.up:
        left.append("it is down" if then.up else "it is up")
    return left


def _find(host: Host, identity: str) -> Link | None:
    return next((link for link in host.kernel.links() if link.identity == identity), None)


def _not_back(what: str) -> Issue:
    text = f"Not as before: {what}."
    return Issue("C104", "error", "", text, "Look at Network; restart the host if it does not recover.")
