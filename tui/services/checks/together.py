"""What must hold between the links of one host: no address twice, no network twice, one way out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.models.change import Issue
from tui.services.checks.outcome import After

_VIRTUAL = ("dummy",)
"""Kinds whose addresses are meant to lie in a network of another link, such as those of kube-proxy."""


def check(outcome: Sequence[After]) -> Iterator[Issue]:
    """Every pair of links of which the draft names at least one; the issue is put at the later one that it names."""
    for number, first in enumerate(outcome):
        if first.config is None:  # those of the draft come first
            return
        for second in outcome[number + 1 :]:
            blamed, other = (second, first) if second.config else (first, second)
            yield from _pair(blamed, other)


def _pair(blamed: After, other: After) -> Iterator[Issue]:
    if blamed.link.index == other.link.index:
        text = f"{blamed.link.name} stands twice in this configuration."
        yield Issue("N231", "error", _at(blamed), text, "Take one of the two away.")
    elif blamed.link.kind not in _VIRTUAL and other.link.kind not in _VIRTUAL:
        yield from _networks(blamed, other)
        yield from _ways_out(blamed, other)


def _networks(blamed: After, other: After) -> Iterator[Issue]:
    here, there = blamed.link.name, other.link.name
    for mine in blamed.addresses:
        at = f"{_at(blamed)}.ipv{mine.version}.addresses"
        for theirs in other.addresses:
            if mine.version != theirs.version or mine.ip.is_link_local:
                continue
            if mine.ip == theirs.ip:
                text = f"{mine.ip} would be on {here} and on {there}; an address can be on one interface only."
                yield Issue(
                    "N210", "error", at, text, f"Take another address for {here}, or take it off {there} first."
                )
                return
            single = mine.network.num_addresses == 1 or theirs.network.num_addresses == 1
            if not single and mine.network.overlaps(theirs.network):
                text = f"{here} ({mine}) and {there} ({theirs}) would be in the same network; answers get lost then."
                remedy = f"Use one of the two interfaces, or another network for {here}."
                yield Issue("N211", "error", at, text, remedy)
                return


def _ways_out(blamed: After, other: After) -> Iterator[Issue]:
    for family in (4, 6):
        pairs = [(m, t) for m in blamed.defaults for t in other.defaults if m.family == t.family == family]
        equal = [(mine, theirs) for mine, theirs in pairs if mine.metric == theirs.metric]
        if not equal or all(mine.leased and theirs.leased for mine, theirs in equal):
            continue
        leased = all(mine.leased or theirs.leased for mine, theirs in equal)
        here, there = blamed.link.name, other.link.name
        text = f"{here} and {there} would both be the way out (IPv{family} default routes of equal metric)."
        remedy = f"Leave the gateway empty on one of them, {here} or {there}."
        # One that a lease gave can go away by itself, so it does not block.
        yield Issue("N212", "warning" if leased else "error", f"{_at(blamed)}.ipv{family}.gateway", text, remedy)


def _at(after: After) -> str:
    return f"links.{after.config.identity if after.config else after.link.identity}"
