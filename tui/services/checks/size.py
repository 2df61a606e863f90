"""Is the MTU possible? RFC 8200 section 5 (IPv6 needs 1280), RFC 1122 section 3.3.2 (IPv4 hosts take 576)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.models.change import Issue
from tui.models.facts import Link

if TYPE_CHECKING:
    from tui.models.link import LinkConfig


def check(draft: LinkConfig, link: Link) -> Iterator[Issue]:
    """Against the limits that the driver tells and those of IP; a link's own small MTU counts for static IPv6."""
    at = f"links.{draft.identity}.mtu"
    mtu = draft.mtu or link.mtu
    if draft.mtu is not None and not link.min_mtu <= mtu <= (link.max_mtu or 65535):
        text = f"{link.name} can do an MTU from {link.min_mtu} to {link.max_mtu}, not {mtu}."
        yield Issue("N215", "error", at, text, f"Type one in between, or leave it empty ({link.mtu} now).")
        return
    six = draft.ipv6.method != "off" if draft.mtu is not None else draft.ipv6.method == "static"
    if six and mtu < 1280:
        text = f"IPv6 needs an MTU of at least 1280; {mtu} would take IPv6 away from {link.name}."
        yield Issue("N216", "error", at, text, "Type 1280 or more, or set IPv6 to off.")
    if draft.mtu is None:
        return
    if mtu < 576 and draft.ipv4.method != "off":
        text = f"An MTU of {mtu} is below 576, which every IPv4 host takes for granted."
        yield Issue("N230", "warning", at, text, "Type 1500 unless the line really needs less.")
    if mtu > 1500:
        text = f"An MTU of {mtu} works only if every switch and host in this network has it too."
        yield Issue("N228", "note", at, text, "Ask for the MTU of this network; 1500 works everywhere.")
