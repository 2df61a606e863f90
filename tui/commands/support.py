"""`onsite support-bundle`: what helps somebody far away, shown and then written to a file, a stick or a link."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from tui.models.change import Refused
from tui.services.host import Host
from tui.services.support import leaving, pack
from tui.services.support.collect import collect

if TYPE_CHECKING:
    from tui.models.support import Offered
    from tui.services.trust.sticks import Stick


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
    from tui.session import who_and_line

    who, line = who_and_line()
    if given.link:
        address = given.address or _address(host)
        peer = asyncio.run(leaving.by_link(host, address, name, data, _offered, told=_quiet, who=who, line=line))
        return f"{len(data)} bytes fetched by {peer}"
    if given.stick:
        stick = _stick(host, given.stick)
        where = asyncio.run(leaving.to_stick(host, stick, name, data, told=_quiet, who=who, line=line))
    else:
        where = asyncio.run(leaving.to_file(host, given.to, name, data, told=_quiet, who=who, line=line))
    return f"{len(data)} bytes written to {where}"


def _quiet(_done: int, _whole: int) -> None:
    """Progress is for screens."""


def _stick(host: Host, device: str) -> Stick:
    from tui.models.change import Issue
    from tui.services.support import stick
    from tui.services.trust import sticks

    found = next((s for s in sticks.listed(host) if s.device == device and stick.writable(s)), None)
    if found is None:
        remedy = "Plug it in again; FAT, exFAT and ext4 are taken."
        raise Refused(Issue("U104", "error", "", f"{device} is no stick that can be written.", remedy))
    return found


def _address(host: Host) -> str:
    """The main one of this host; "" where it has none."""
    from tui.models.facts import main_address
    from tui.services import facts

    main = facts.read(host, files=False).speaking
    return main_address(main).partition("/")[0] if main else ""


def _offered(how: Offered) -> None:
    from tui.models.certificate import groups

    print(f"\nOpen within {how.seconds / 60:.0f} minutes, once:\n\n  {how.url}\n")
    print(f"The browser warns; the certificate has the SHA-256\n\n  {' '.join(groups(how.fingerprint))}\n", flush=True)
