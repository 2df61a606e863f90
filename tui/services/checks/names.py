"""Are the name servers and search domains sensible?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tui.models.address import usable
from tui.models.change import Issue
from tui.models.wrong import Wrong
from tui.services.checks.outcome import After, Ip

if TYPE_CHECKING:
    from tui.models.link import LinkConfig

_ASKED = 3
"""MAXNS of resolv.h: glibc reads that many name servers."""
_SEARCHED = 6
"""MAXDNSRCH of glibc before 2.26."""


def check(draft: LinkConfig, own: frozenset[Ip]) -> Iterator[Issue]:
    """One link's name servers and search domains."""
    at = f"links.{draft.identity}.nameservers"
    for server in draft.nameservers:
        try:
            usable(server, loopback=True)
        except Wrong as wrong:
            yield wrong.issue.at(at)
            continue
        if server in own or server.is_loopback:
            text = f"{server} is this box itself; names resolve only if a name server runs on it."
            yield Issue("N226", "warning", at, text, "Type the name server of this site.")
    if len(draft.nameservers) > _ASKED:
        text = f"There are {len(draft.nameservers)} name servers; most programs ask only the first {_ASKED}."
        yield Issue("N218", "warning", at, text, f"Leave the best {_ASKED}.")
    if len(draft.nameservers) == 1:
        text = f"There is one name server; when {draft.nameservers[0]} fails, no name resolves."
        yield Issue("N229", "note", at, text, "Add a second one if this site has it.")
    at = f"links.{draft.identity}.search_domains"
    for domain in draft.search_domains:
        if domain.rpartition(".")[2] == "local":
            text = f"{domain} ends in .local, which multicast DNS claims (RFC 6762); lookups can fail or be slow."
            yield Issue("N220", "warning", at, text, "Use another domain if this site has one.")
    if len(draft.search_domains) > _SEARCHED:
        text = f"There are {len(draft.search_domains)} search domains; older systems use only the first {_SEARCHED}."
        yield Issue("N227", "note", at, text, f"Leave the {_SEARCHED} that matter.")


def missing(outcome: Sequence[After]) -> Iterator[Issue]:
    """A static address is wanted, and nothing on this host would give a name server."""
    static = [x.config for x in outcome if x.config and "static" in (x.config.ipv4.method, x.config.ipv6.method)]
    if static and not any(_gives(link) for link in outcome):
        text = "No name server would be left: names such as registry.example would not resolve."
        remedy = "Type the name servers of this site; leave it empty only where there are none."
        yield Issue("N217", "warning", f"links.{static[0].mac}.nameservers", text, remedy)


def _gives(after: After) -> bool:
    link, draft = after.link, after.config
    leased = bool(link.lease and link.lease.nameservers)
    if draft is None:
        return bool(link.nameservers) or leased
    announced = draft.ipv6.method == "auto" and any(":" in server for server in link.nameservers)
    return bool(draft.nameservers) or draft.ipv4.method == "dhcp" or announced
