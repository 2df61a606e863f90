"""`onsite expire CHANGE`: what the dead-man's timer runs; takes the change back if its time is over."""

from __future__ import annotations

import asyncio

from tui.services.host import Host


def main(host: Host, argv: list[str]) -> int:
    """Exit code 0 when there is nothing left to do; 2 for wrong words. After a failure the unit tries again."""
    if len(argv) != 1:
        return 2
    from tui.services.change import transaction
    from tui.services.network import backends

    outcome = asyncio.run(transaction.expire(host, backends(), argv[0]))
    if outcome is not None:
        print(outcome.text, flush=True)
    return 0
