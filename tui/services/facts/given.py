"""What installer ("factory") and site have given this host: user data, read and never written.

The order is that of the installer: its own files under /oem by name, then what came with the site; and what is set
at the console counts before both (palette-tui: user data < TUI < management). The files are looked into by the parser
child, once for each state of theirs: facts are read at every event of the kernel.
"""

from __future__ import annotations

import os
from dataclasses import replace

from tui.models.facts import Facts, Given, Link, Origin
from tui.services import reading
from tui.services.host import Host

_FACTORY = ("/oem",)
_SITE = ("/oem", "/run/stylus", "/var/lib/cloud/seed/nocloud", "/var/lib/cloud/seed/nocloud-net")
_MOST = 40
"""Files that are looked at."""
_read: dict[tuple[tuple[str, int, int, int], ...], tuple[Given, ...]] = {}
"""By path, size, time and number of each file; one entry."""


def read(host: Host) -> tuple[Given, ...]:
    """Every value, in the order in which they count; nothing where there are no such files, or the child failed."""
    if not (files := _files(host)):
        return ()
    state = []
    for path, _ in files:
        try:
            status = os.stat(host.path(path))  # noqa: PTH116
        except OSError:
            return ()
        state.append((str(host.path(path)), status.st_size, status.st_mtime_ns, status.st_ino))
    key = tuple(state)
    if key not in _read:
        _read.clear()
        _read[key] = _parsed(host, files)
    return _read[key]


def winner(facts: Facts, key: str) -> Given | None:
    """The one that counts among those of a key."""
    return next((g for g in reversed(facts.given) if g.key == key), None)


def words(facts: Facts, key: str, now: str) -> str:
    """Where a value comes from that is `now`, or what a file says in its place; "" where no file speaks of it."""
    if (last := winner(facts, key)) is None:
        return ""
    source = "site file" if last.origin == "site" else "factory file"
    if last.value == now:
        return f"from the {source} {last.path}"
    return f"set here; the {source} {last.path} says {last.value}"


def marked(link: Link, given: tuple[Given, ...]) -> Link:
    """The link with the true origin of what nobody has set at the console."""
    prefix = f"links.{link.name}."
    mine = [g for g in given if g.key.startswith(prefix)]
    if not mine or link.origin == "console":
        return link
    by_address = {g.value.partition("/")[0]: g.origin for g in mine if g.key == f"{prefix}address"}
    addresses = tuple(
        replace(a, origin=by_address.get(a.address.partition("/")[0], a.origin))
        if a.origin in ("other", "program")
        else a
        for a in link.addresses
    )
    return replace(link, addresses=addresses, origin=mine[-1].origin if link.method4 or link.method6 else link.origin)


def _files(host: Host) -> list[tuple[str, Origin]]:
    """Path and origin of each file, in the order in which they count."""
    found: list[tuple[str, Origin]] = [
        (f"{folder}/{name}", "factory")
        for folder in _FACTORY
        for name in reading.names(host, folder)
        if name.endswith((".yaml", ".yml")) and not name.startswith("user-data") and "onsite" not in name
    ]
    found += [
        (f"{folder}/{name}", "site")
        for folder in _SITE
        for name in reading.names(host, folder)
        if name.removesuffix(".yaml") == "user-data"
    ]
    return found[:_MOST]


def _parsed(host: Host, files: list[tuple[str, Origin]]) -> tuple[Given, ...]:
    import json

    from tui.services.parser.run import ParserFailed, parse

    texts = [(path, text) for path, _ in files if (text := reading.text(host, path)) is not None]
    try:
        answer = parse("userdata", json.dumps(texts).encode())
        origins = dict(files)
        return tuple(
            Given(str(key), str(value), origins[path], path) for path, pairs in answer["files"] for key, value in pairs
        )
    except (ParserFailed, KeyError, TypeError, ValueError):
        return ()
