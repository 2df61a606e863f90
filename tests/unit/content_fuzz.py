"""Mutations of archives, good and hostile, from a seed: `python -m tests.unit.content_fuzz SECONDS [SEED]`.

Each is imported as it would be, but in this process: compressed bytes are damaged, and plain ones that are then packed.
Every one has to be taken or refused in a sentence, at most 150 MB, and nothing but the content folder touched. What
fails is written to a file beside tests/unit/data/content/fuzz, whose files are tried first by every run.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import archives
from tests.unit.certificate_fuzz import mutated, peak_rss
from tui.models.change import Refused
from tui.services.content import importing, store
from tui.services.content.stream import in_process
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.services.parser import manifest

SEEDS = Path(__file__).with_name("data") / "content" / "fuzz"
LARGEST_RSS = 150 << 20


def inputs(seed: int) -> Iterator[bytes]:
    """The seeds that are kept, the table, then mutations of them without end."""
    kept = [path.read_bytes() for path in sorted(SEEDS.glob("*"))]
    table = [data for make, _ in archives.HOSTILE.values() if len(data := make()) < 20_000]
    yield from kept
    yield from table
    dice = random.Random(seed)
    pool = [*kept, *table, archives.good(), archives.definition()]
    plain = [archives.plain(), gzip.decompress(archives.definition())]
    heads = [json.dumps(archives.manifest()).encode()]
    while True:
        kind = dice.randrange(4)
        if kind == 0:
            yield mutated(dice, pool)
        elif kind == 1:
            yield gzip.compress(mutated(dice, plain), 1)
        elif kind == 2:
            yield archives.packed(mutated(dice, plain))
        else:
            yield archives.packed(archives.plain(head=mutated(dice, heads)))


def fuzz(seconds: float, seed: int, root: Path) -> tuple[int, int]:
    """Try inputs for some seconds; how many there were, and how many were taken.

    Raises:
        AssertionError: one was not answered, touched something, or the memory is more; the input is kept in a file.
    """
    importing.parse = _parsed
    host, archive, taken = Host(root / "host", NetlinkKernel(), "user"), root / "archive", 0
    (root / "host/etc").mkdir(parents=True)
    (root / "host/etc/passwd").write_text("root\n")
    before = beside(root)
    end = time.monotonic() + seconds
    for number, data in enumerate(inputs(seed)):
        if time.monotonic() > end:
            return number, taken
        archive.write_bytes(data)
        try:
            taken += tried(host, archive)
            assert beside(root) == before, "something beside the content folder was touched"
        except Exception as error:
            SEEDS.mkdir(parents=True, exist_ok=True)
            path = SEEDS / hashlib.sha256(data).hexdigest()[:16]
            path.write_bytes(data)
            raise AssertionError(f"{type(error).__name__} for {path}: {error}") from error
        assert (rss := peak_rss()) < LARGEST_RSS, f"{rss >> 20} MB after {number} inputs"
    raise AssertionError("inputs end")


def tried(host: Host, archive: Path) -> int:
    """1 where it was taken: it is whole then, and deleted again; 0 where it was refused in a sentence."""
    try:
        with importing.plain_file(archive) as source:
            item = importing.imported(host, source, opener=in_process)
    except Refused as why:
        (issue,) = why.issues
        assert issue.text.isprintable(), issue.text
        assert issue.text.endswith("."), issue.text
        assert issue.code[0] == "B", issue
        assert not list((store.folder(host) / "blobs").glob("*")), "a part of it is left"
        return 0
    store.verified(host, item.digest)
    for one in store.items(host):
        store.delete(host, one.digest)
    return 1


def beside(root: Path) -> dict[str, int]:
    """Everything but the content folder and the archive itself: names, and times of change of files."""
    found = {}
    for top, folders, names in os.walk(root):
        folders[:] = [n for n in folders if n != "content"]
        found |= {str(Path(top, n)): os.lstat(Path(top, n)).st_mtime_ns for n in names if n != "archive"}
    return found


def _parsed(what: str, data: bytes, **details: Any) -> dict[str, Any]:
    """The reader of manifests without its child: a thousand of them a second instead of four."""
    assert what == "manifest"
    return dict(manifest.read(data, details))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="onsite-fuzz-") as folder:
        number, taken = fuzz(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2026, Path(folder))
    print(
        f"{number} archives in {float(sys.argv[1]):.0f} s, every one answered ({taken} taken), "
        f"{peak_rss() >> 20} MB at most"
    )
