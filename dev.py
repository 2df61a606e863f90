#!/usr/bin/env python3
"""One command for everything a developer does here; `make X` calls `python3 dev.py X` and nothing else.

    python3 dev.py demo [ARGS]         the console on a practice host (the set-up is done first)
    python3 dev.py test [ARGS]         every test group and a report of what ran; with ARGS, pytest on just those
    python3 dev.py lint                formatting, lint, types, import arrows
    python3 dev.py check               lint, then the tests
    python3 dev.py snapshots [ARGS]    the snapshot tests, and one HTML report: before, after, difference
    python3 dev.py snapshots-update    accept what the screens look like now
    python3 dev.py bench [NAME ARGS]   what the program costs
    python3 dev.py fuzz [SECONDS]      foreign bytes into the reader of certificates and into imports, ten minutes each
    python3 dev.py host-full [ARGS]    the tests on real links and hosts, with every kill point and every race
    python3 dev.py layers-full         VLANs, bonds and bridges with every manager; writes docs/measured/layers.md
    python3 dev.py api-full [ARGS]     every operation of the agent, 60 times; writes docs/measured/agent-api.md
    python3 dev.py checks-full [ARGS]  every fault, 20 pairs, 200 healthy runs; writes docs/measured/checks.md
    python3 dev.py soak [ARGS]         the air gap for five minutes and for an hour: not one packet outside
    python3 dev.py cluster-full [ARGS] real clusters, made and broken; writes docs/measured/cluster.md
    python3 dev.py console-cluster     a cluster by keys at four consoles; writes docs/measured/console-cluster.md
    python3 dev.py consoles-full       screen and serial line of a virtual machine; writes docs/measured/consoles.md
    python3 dev.py dev-table           this command in bare containers; writes docs/measured/dev-environments.md
    python3 dev.py wheel               wheel and sdist, installed in a fresh environment and started from /
    python3 dev.py dist [ARGS]         the archive that a host is installed from, for amd64 and arm64
    python3 dev.py lock                pin the newest dependencies that pyproject.toml allows (needs uv)

Standard library only. Nothing outside the checkout is changed, nothing is asked, sudo is never used.
ONSITE_VENV names another folder for the Python environment than `.venv`.
"""

import sys

if __name__ == "__main__":
    # Kept in words that a Python of ten years ago understands, so that it can say what is wrong.
    if sys.version_info < (3, 11):  # noqa: UP036  # this very line is for those
        sys.exit("onsite: Onsite needs Python 3.11 or newer: run `python3.11 dev.py`, or another that is newer still.")
    from tools.commands import COMMANDS, run

    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        sys.exit(run(sys.argv[1:]))
    print(__doc__)
    sys.exit(0 if sys.argv[1:2] in (["-h"], ["--help"], ["help"]) else 2)
