"""Every bare container, tried; `make dev-table` writes what each got to docs/measured/dev-environments.md."""

from __future__ import annotations

import datetime
import re
import sys
import time
from pathlib import Path

from tests.dev import cases, container
from tools.environment import ROOT, say

PAGE = ROOT / "docs" / "measured" / "dev-environments.md"
HEAD = """# What `dev.py demo` gets where things are missing

Measured by `make dev-table` on {day}: a minimal {system} under an overlay, with what the first column says taken away
or refused, and no package index: the wheels of the lock in a folder are all that there is. The command is
`python3 dev.py demo -- status --json` (`make demo` in the first row). Seconds: all of it, with the set-up.
Practice host: links in an unprivileged user namespace, in a network namespace of root, or a recorded host. Where no
environment can be had, one sentence says what to install, and the exit status is 2.

| container | environment made by | practice host | status | seconds | as expected |
| --- | --- | --- | --- | ---: | --- |
"""


def main() -> int:
    if reason := container.missing():
        say(reason)
        return 2
    container.debian(), container.wheels()
    rows, wrong = [], 0
    for case in cases.CASES:
        began = time.monotonic()
        got = cases.try_out(case)
        seconds = time.monotonic() - began
        good = (got.way, got.host) == (case.way, case.host)
        wrong += not good
        row = (
            f"| {case.about} | {got.way} | {got.host} | {got.status} | {seconds:.0f} | {'yes' if good else '**no**'} |"
        )
        print(row, flush=True)
        if not good:
            print(got.said, flush=True)
        rows.append(row)
    system = re.search(r'PRETTY_NAME="(.*)"', Path(container.debian(), "etc/os-release").read_text(encoding="utf-8"))
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    head = HEAD.format(day=datetime.date.today().isoformat(), system=system[1] if system else "Debian")
    PAGE.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    say(f"{len(rows)} containers, {wrong} not as expected: {PAGE.relative_to(ROOT)}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
