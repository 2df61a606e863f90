"""`onsite install --back` and `onsite uninstall`: which version runs, and whether any does."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine

from tui.commands.options import Usage
from tui.models.change import Refused
from tui.services import installation
from tui.services.host import Host

OK, FAILED, PENDING, DENIED = 0, 1, 3, 5


def install(host: Host, rest: list[str]) -> int:
    """Without an option: which versions there are."""
    if not rest:
        for version in installation.versions(host):
            words = {installation.current(host): "runs now", installation.current(host, "previous"): "the one before"}
            print(f"{version:<12} {words.get(version, '')}".rstrip())
        return OK
    if rest == ["--back"]:
        return _done(installation.back(host))
    if len(rest) == 2 and rest[0] == "--activate":
        return _done(installation.activate(host, rest[1]))
    raise Usage("onsite install [--back]; a new version is installed by the install in its archive.")


def uninstall(host: Host, rest: list[str]) -> int:
    if rest not in ([], ["--yes"]):
        raise Usage("onsite uninstall [--yes]")
    if not rest:
        print(
            "This removes Onsite, its settings, its history and its log from this host. Type yes: ", end="", flush=True
        )
        if sys.stdin.readline().strip() != "yes":
            print("Nothing was removed.")
            return FAILED
    return _done(installation.remove(host))


def _done(work: Coroutine[None, None, str]) -> int:
    if os.geteuid():
        work.close()
        print("onsite: this needs root: use sudo.", file=sys.stderr)
        return DENIED
    try:
        print(asyncio.run(work))
    except Refused as refused:
        for issue in refused.issues:
            print(f"{issue.code} {issue.text}\n  -> {issue.remedy}", file=sys.stderr)
        return PENDING if refused.issues[0].code == "I102" else FAILED
    except OSError as error:
        print(f"onsite: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return FAILED
    return OK
