"""Does this port speak with VLAN tags only? What the rungs of address and gateway ask before they give up."""

from __future__ import annotations

from tui.models.facts import Link
from tui.services.checks.climb import Finding, failed
from tui.services.checks.wire import listening


async def heard(link: Link, seconds: float) -> set[int]:
    """The VLANs that frames are tagged with here; none where one without a tag, or nothing, was heard.

    Raises:
        OSError: the link is gone, or CAP_NET_RAW is missing.
    """
    with listening(link, frozenset(), ()) as wire, wire.tags():
        await wire.until(lambda: wire.untagged, seconds)
        return set() if wire.untagged else set(wire.vlans)


def finding(link: Link, vlans: set[int]) -> Finding:
    named = f"VLAN {', '.join(str(v) for v in sorted(vlans)[:3])}"
    text = f"{link.name} hears only frames tagged for {named}; without a tag nobody answers there."
    remedy = f"Ask for an untagged (access) port of {named}, or to make it this port's native VLAN."
    return failed("N303", text, remedy, f"802.1Q tags {sorted(vlans)[:8]}, no untagged frame")
