"""At boot `onsite network names` for pinned names and `up` for kept links; `onsite network dhcp LINK`: its client."""

from __future__ import annotations

import asyncio
import sys

from tui.services.host import Host

_USAGE = "usage: onsite network up | onsite network names | onsite network dhcp LINK [--detached]"


def main(host: Host, argv: list[str]) -> int:
    """Exit code 0, 1 where a link could not be brought up, 2 for wrong words."""
    match argv:
        case ["up"]:
            return asyncio.run(_up(host))
        case ["names"]:
            return asyncio.run(_names(host))
        case ["dhcp", name, *options] if options in ([], ["--detached"]):
            from tui.services.network import dhcp

            return dhcp.client(host, name, detached=bool(options))
    print(_USAGE, file=sys.stderr)
    return 2


async def _names(host: Host) -> int:
    from tui.services.network import pin_boot

    try:
        names = await pin_boot.mended(host)
    except OSError as error:
        print(f"onsite: {error.strerror or error}", file=sys.stderr)
        return 1
    if names:
        print(f"onsite: cards have changed places, their names are with them again: {', '.join(names)}")
    return 0


async def _up(host: Host) -> int:
    """One link that fails does not keep the others down. Links that appear later bring this unit up again (udev)."""
    from tui.services.network import linkfiles
    from tui.services.network.direct import Direct

    backend, failed = Direct(), 0
    for identity in linkfiles.identities(host):
        try:
            await backend.reload(host, [identity])
        except OSError as error:
            failed = 1
            print(f"onsite: {identity}: {error.strerror or error}", file=sys.stderr)
    return failed
