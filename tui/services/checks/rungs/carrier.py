"""Is there a cable with somebody at its other end?"""

from __future__ import annotations

from tui.services.checks.climb import Climb, Finding, failed, ok

LIMIT = 1.0


async def check(climb: Climb) -> Finding:
    link = climb.way.link
    if not link.admin_up:
        climb.stopped = f"{link.name} is switched off"
        return failed("N304", f"{link.name} is switched off.", "Configure it in Network.", "IFF_UP is not set")
    if not link.carrier:
        climb.stopped = f"{link.name} has no carrier"
        text = f"{link.name} has no carrier: no cable, or nothing is on at its other end."
        return failed(
            "N304", text, "Plug the cable in, or check the lights at both ends.", f"operstate {link.operstate}"
        )
    return ok(f"{link.speed_mbps} Mb/s" if link.speed_mbps else f"operstate {link.operstate}")
