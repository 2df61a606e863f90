"""`onsite support-bundle`: what helps somebody far away, shown and then written to a file, a stick or a link."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from tui.models.change import Refused
from tui.services.host import Host
from tui.services.support import pack
from tui.services.support.collect import collect

if TYPE_CHECKING:
    from tui.models.support import Offered


def main(host: Host, arguments: list[str]) -> int:
    """Exit code 0 where it was written or fetched, 1 where not."""
    parser = argparse.ArgumentParser("onsite support-bundle", description="What helps somebody far away, no secrets.")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--to", default=pack.FOLDER, metavar="PATH", help=f"a file or a folder (default: {pack.FOLDER})")
    where.add_argument("--stick", default="", metavar="DEVICE", help="a stick that is plugged in, such as /dev/sdb1")
    where.add_argument("--link", action="store_true", help="a link of this host for one download")
    where.add_argument("--list", action="store_true", help="show what it would hold; nothing is written")
    parser.add_argument("--address", default="", help="of this host, for the link; else its main one")
    given = parser.parse_args(arguments)
    bundle = collect(host)
    for member in bundle.members:
        print(f"{member.size:>9}  {member.name:<48}  {member.what}")
    print(f"{bundle.size:>9}  in all, before compression; masked at {bundle.hidden} places")
    if given.list:
        return 0
    data = pack.packed(bundle, host.clock.now())
    try:
        print(_delivered(host, given, bundle.file_name, data))
    except Refused as refused:
        print("\n".join(f"{i.code} {i.text}\n  -> {i.remedy}" for i in refused.issues), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Cancelled; nothing of it is left.", file=sys.stderr)
        return 130
    return 0


def _delivered(host: Host, given: argparse.Namespace, name: str, data: bytes) -> str:
    from tui.services.support import noted
    from tui.session import who_and_line

    if given.link:
        where = f"fetched by {asyncio.run(_linked(host, given.address, name, data))}"
    elif given.stick:
        where = f"written to {_on_stick(host, given.stick, name, data)}"
    else:
        where = f"written to {pack.save(host, given.to, name, data)}"
    noted(host, where, *who_and_line())
    return f"{len(data)} bytes {where}"


def _on_stick(host: Host, device: str, name: str, data: bytes) -> str:
    from tui.models.change import Issue
    from tui.services.support import stick
    from tui.services.trust import sticks

    found = next((s for s in sticks.listed(host) if s.device == device and stick.writable(s)), None)
    if found is None:
        remedy = "Plug it in again; FAT, exFAT and ext4 are taken."
        raise Refused(Issue("U104", "error", "", f"{device} is no stick that can be written.", remedy))
    return stick.write(found, name, data)


async def _linked(host: Host, address: str, name: str, data: bytes) -> str:
    from tui.models.certificate import groups
    from tui.models.facts import main_address
    from tui.services import facts
    from tui.services.support import link
    from tui.session import Session

    def offered(how: Offered) -> None:
        print(f"\nOpen within {how.seconds / 60:.0f} minutes, once:\n\n  {how.url}\n")
        print(
            f"The browser warns; the certificate has the SHA-256\n\n  {' '.join(groups(how.fingerprint))}\n", flush=True
        )

    if not address:
        main = Session(host, facts=facts.read(host, files=False)).main_link
        address = main_address(main).partition("/")[0] if main else ""
    return await link.offer(data, name, address, offered)
