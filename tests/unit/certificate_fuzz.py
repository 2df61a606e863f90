"""Mutations of the table of certificate inputs, from a seed: `python -m tests.unit.certificate_fuzz SECONDS [SEED]`.

The reader runs with the limits of the parser child and has to answer everything: no exception, at most 200 MB. What
fails is written to a file beside tests/unit/data/certs/fuzz, whose files are tried first by every run.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.unit.certificate_cases import cases
from tui.models.certificate import Judged
from tui.services.parser import certificates

SEEDS = Path(__file__).with_name("data") / "certs" / "fuzz"
LARGEST_RSS = 200 << 20
_DETAILS = ({"now": 1.8e9}, {"now": 1.8e9, "passphrase": "x"}, {"now": -1.0}, {"now": 1e18, "trusted": "-----BEGIN"})


def inputs(seed: int) -> Iterator[bytes]:
    """The seeds that are kept, the table, then mutations of them without end."""
    kept = [path.read_bytes() for path in sorted(SEEDS.glob("*"))]
    table = [case.data for case in cases().values() if len(case.data) < 20_000]
    yield from kept
    yield from table
    dice = random.Random(seed)
    pool = kept + table
    while True:
        yield mutated(dice, pool)


def mutated(dice: random.Random, pool: list[bytes]) -> bytes:
    data = bytearray(dice.choice(pool))
    for _ in range(dice.choice((1, 1, 2, 3, 8, 30))):
        at = dice.randrange(len(data) + 1)
        span = dice.choice((1, 1, 2, 4, 20, 200))
        kind = dice.randrange(7)
        if kind == 0:
            data[at : at + span] = b""
        elif kind == 1:
            data[at:at] = dice.randbytes(span)
        elif kind == 2 and data:
            data[at % len(data)] ^= 1 << dice.randrange(8)
        elif kind == 3:
            data[at:at] = data[at : at + span]
        elif kind == 4:
            other = dice.choice(pool)
            start = dice.randrange(len(other) + 1)
            data[at : at + span] = other[start : start + span]
        elif kind == 5 and data:
            data[at % len(data)] = dice.choice((0x00, 0x30, 0x80, 0x7F, 0xFF, 0x0A, 0x2D, 0x84))
        else:
            del data[at:]
    return bytes(data)


def fuzz(seconds: float, seed: int) -> int:
    """Try inputs for some seconds; the number of them.

    Raises:
        AssertionError: one was not answered, or the memory is more; the input is kept in a file.
    """
    certificates.warm_up()
    end = time.monotonic() + seconds
    for number, data in enumerate(inputs(seed)):
        if time.monotonic() > end:
            return number
        try:
            found = Judged.from_dict(certificates.read(data, dict(_DETAILS[number % len(_DETAILS)])))
            assert found.issues or found.certificates, "nothing is said of it"
            assert all(i.text.isprintable() for i in found.issues)
        except Exception as error:
            SEEDS.mkdir(parents=True, exist_ok=True)
            path = SEEDS / hashlib.sha256(data).hexdigest()[:16]
            path.write_bytes(data)
            raise AssertionError(f"{type(error).__name__} for {path}") from error
        assert (rss := peak_rss()) < LARGEST_RSS, f"{rss >> 20} MB after {number} inputs"
    raise AssertionError("inputs end")


def peak_rss() -> int:
    """Bytes. Of this program alone: ru_maxrss of getrusage(2) also counts the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


if __name__ == "__main__":
    tried = fuzz(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2026)
    print(f"{tried} inputs in {float(sys.argv[1]):.0f} s, every one answered, {peak_rss() >> 20} MB at most")
