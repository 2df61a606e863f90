"""`onsite keep`, `revert` and `recover`: how a change ends."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from tui.commands import words
from tui.models.change import Refused
from tui.services.change import transaction
from tui.services.change.transaction import Outcome
from tui.services.host import Host
from tui.services.network import backends

_TRIES = 3
"""At boot, where nobody stands there to call it again and the network waits for it."""


def keep(host: Host, arguments: list[str]) -> int:
    """Exit code 0 kept, 4 where it was taken back instead, 1 where nothing waits."""
    parser = argparse.ArgumentParser("onsite keep", description="Keep the change that waits; it survives a restart.")
    parser.add_argument("change", nargs="?", default="", metavar="CHANGE", help="only if it is still this one")
    given = parser.parse_args(arguments)
    before = words.endings(host)
    try:
        outcome = asyncio.run(transaction.keep(host, backends(), given.change))
    except Refused as refused:
        words.complain(refused.issues)
        late = any(i.code == "C107" for i in refused.issues)
        return 4 if late or words.taken_back(host, before) else words.exit_code(refused.issues)
    return _told(outcome)


def revert(host: Host, arguments: list[str]) -> int:
    """Exit code 0 when the change that waited has been taken back; with --last, as `apply`."""
    parser = argparse.ArgumentParser("onsite revert", description="Take the change back that waits.")
    parser.add_argument("--last", action="store_true", help="put back what the last kept change replaced")
    parser.add_argument("change", nargs="?", default="", metavar="CHANGE", help="only if it is still this one")
    given = parser.parse_args(arguments)
    try:
        if given.last:
            return _revert_last(host)
        outcome = asyncio.run(transaction.revert(host, backends(), "onsite revert was called", given.change))
    except Refused as refused:
        words.complain(refused.issues)
        return words.exit_code(refused.issues)
    except OSError as error:
        print(f"C104 The change could not be taken back yet: {error.strerror or error}.", file=sys.stderr)
        print("  -> The host goes on trying by itself; restart it if that does not end.", file=sys.stderr)
        return 1
    return _told(outcome)


def recover(host: Host, arguments: list[str]) -> int:
    """Exit code 0 where nothing was interrupted, or what was has been taken back and looked at."""
    parser = argparse.ArgumentParser("onsite recover", description="Take an interrupted change back.")
    parser.add_argument("--boot", action="store_true", help="no network manager runs yet")
    given = parser.parse_args(arguments)
    for number in range(_TRIES if given.boot else 1):
        if number:
            time.sleep(1)
        try:
            outcome = asyncio.run(transaction.recover(host, backends(), early=given.boot))
            break
        except Refused as refused:
            words.complain(refused.issues)
            return words.exit_code(refused.issues)
        except OSError as error:
            print(f"C104 The change could not be taken back yet: {error.strerror or error}.", file=sys.stderr)
    else:
        return 1
    if outcome is None:
        print("Nothing was interrupted.")
        return 0
    return _told(outcome)


def _revert_last(host: Host) -> int:
    from tui import settings
    from tui.commands import plan as planning
    from tui.services import facts as reading
    from tui.services.change import history

    plan, change_id = history.revert_last(host)
    print("\n".join(words.planned(plan, reading.read(host))), flush=True)
    return planning.start(host, plan, settings.load(host.root).keep_within, change_id)


def _told(outcome: Outcome) -> int:
    print(outcome.text, flush=True)
    words.complain(outcome.issues)
    return 0 if outcome.verified else 1
