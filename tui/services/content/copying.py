"""A bundle or a definition brought over from another host, part by part, into the same store and by the same rules.

Nothing is believed of the other host: the manifest goes through the parser child and has to be signed where this host
has a key, and each part is taken only with the size and the SHA-256 that the manifest gives it. A part that was cut
off goes on where it stopped; where what was there is damaged, it is brought once more from its beginning.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from tui.models.content import Item, Manifest, Member, Progress
from tui.services.change.files import make_folder
from tui.services.content import importing, signing, store
from tui.services.content.importing import Head, Run
from tui.services.content.stream import opened, refused
from tui.services.host import Host

Fetch = Callable[[Member, int], AsyncIterator[bytes]]
"""The bytes of a part from an offset on."""
Told = Callable[[Progress], None]


async def copied(host: Host, raw: bytes, signature: bytes, fetch: Fetch, told: Told) -> Item:
    """Take over the item that has this manifest.

    Raises:
        Refused: B103, B107, B110 and others as `importing.imported`; B120 no room, B122 the disk, B125 another import.
        What `fetch` raises: parts that were brought stay for the next try.
    """
    manifest = await asyncio.to_thread(importing.parsed, raw)
    trust = signing.judged(raw, signature, signing.trusted_key(host))
    head = Head(manifest, hashlib.sha256(raw).hexdigest(), raw, signature, trust, None)
    run = Run(host, -1, manifest.size, head, None, threading.Event(), opened)
    with store.locked(host):
        there = next((i for i in store.items(host) if i.digest == head.digest), None)
        if there is not None:
            return there
        try:
            await _parts(host, run, manifest, fetch, told)
            item = Item.of(
                manifest, head.digest, signature=trust, origin="imported", imported=host.clock.now(),
                file_name="", file_size=manifest.size,
            )  # fmt: skip
            await asyncio.to_thread(run.finish, item)
        except OSError as error:
            raise store.unwritable(error) from error
    return item


async def _parts(host: Host, run: Run, manifest: Manifest, fetch: Fetch, told: Told) -> None:
    missing = {m.sha256: m for m in manifest.members if not run.has(m)}
    store.fits(host, sum(m.size for m in missing.values()))
    make_folder(run.folder, 0o700)
    done = manifest.size - sum(m.size for m in manifest.members if m.sha256 in missing)
    for member in missing.values():
        place = run.folder / f"part-{member.sha256}"
        if not await _part(place, member, fetch, done, manifest.size, told):
            place.unlink(missing_ok=True)
            if not await _part(place, member, fetch, done, manifest.size, told):
                place.unlink(missing_ok=True)
                text = f"{member.path} came over with another SHA-256 than its manifest says."
                raise refused("B107", text, "Delete it on the other host and import it there again.")
        place.replace(run.blobs / member.sha256)
        done += member.size


async def _part(place: Path, member: Member, fetch: Fetch, done: int, total: int, told: Told) -> bool:
    """One part to the end of its file. Returns whether it is whole, and then it is synced."""
    fd = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "r+b") as file:  # noqa: ASYNC230 - a plain file, opened already
        digest = await asyncio.to_thread(hashlib.file_digest, file, "sha256")
        at = file.tell()
        if at < member.size:
            async for piece in fetch(member, at):
                at += len(piece)
                if at > member.size:
                    return False
                digest.update(piece)
                file.write(piece)
                told(Progress(done + at, total, member.path))
        if at != member.size or digest.hexdigest() != member.sha256:
            return False
        os.fchmod(fd, 0o555 if member.executable else 0o444)
        file.flush()
        await asyncio.to_thread(os.fsync, fd)
    return True
