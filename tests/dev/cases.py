"""The bare containers of the table in docs/measured/dev-environments.md, and what each is expected to get."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass

from tests.dev.container import Container

NO_PIP = ("/usr/lib/python3/dist-packages/pip", "/usr/bin/pip*")
NO_ENSUREPIP = ("/usr/lib/python3*/ensurepip",)
NO_WHEEL = ("/usr/share/python-wheels/pip-*",)
NO_VENV = ("/usr/lib/python3*/venv",)
NO_MAKE = ("/usr/bin/make",)

OWN_PIP = "python3 -m venv"
SYSTEM_PIP = "python3 -m venv --without-pip, and the system's pip"
ZIPPED_PIP = "python3 -m venv --without-pip, and the wheel of pip run as a zip"
NOTHING = "none"


@dataclass(frozen=True)
class Case:
    """One container, the environment and the practice host that it is expected to get."""

    about: str
    container: Container
    way: str
    host: str = "user"
    make: bool = False
    quick: bool = False
    """Whether the test command runs it; the table has all."""


@dataclass(frozen=True)
class Outcome:
    """What a container got. `said` is all that was printed for people."""

    way: str
    host: str
    status: int
    said: str


CASES = (
    Case("nothing missing, nobody", Container(), OWN_PIP, make=True, quick=True),
    Case("no make", Container(hidden=NO_MAKE), OWN_PIP),
    Case("no pip", Container(hidden=NO_PIP), OWN_PIP),
    Case("no ensurepip", Container(hidden=NO_ENSUREPIP), SYSTEM_PIP),
    Case("no ensurepip, no pip", Container(hidden=(*NO_ENSUREPIP, *NO_PIP)), ZIPPED_PIP),
    Case(
        "no ensurepip, no pip, no wheel of pip",
        Container(hidden=(*NO_ENSUREPIP, *NO_PIP, *NO_WHEEL)),
        NOTHING,
        "none",
        quick=True,
    ),
    Case("no venv module", Container(hidden=NO_VENV), NOTHING, "none"),
    Case("no venv module, uv", Container(hidden=NO_VENV, uv=True), "uv"),
    Case("a half-made .venv", Container(folders=("/checkout/.venv/bin",)), OWN_PIP),
    Case("a checkout that can only be read", Container(own_checkout=False), OWN_PIP),
    Case("root", Container(user="root"), OWN_PIP),
    Case("nobody, user namespaces refused", Container(user_namespaces=False), OWN_PIP, "recorded"),
    Case("root, user namespaces refused", Container(user="root", user_namespaces=False), OWN_PIP, "network"),
    Case(
        "root as a container engine gives it: no CAP_SYS_ADMIN, no CAP_NET_ADMIN, user namespaces refused",
        Container(user="root", user_namespaces=False, without=("CAP_SYS_ADMIN", "CAP_NET_ADMIN")),
        OWN_PIP,
        "recorded",
    ),
    # One set-up shows three things, so that the test command stays short.
    Case(
        "no make, no ensurepip, no pip, a checkout that can only be read, nobody, user namespaces refused",
        Container(hidden=(*NO_MAKE, *NO_ENSUREPIP, *NO_PIP), own_checkout=False, user_namespaces=False),
        ZIPPED_PIP,
        "recorded",
        quick=True,
    ),
)


def try_out(case: Case) -> Outcome:
    """Run `demo -- status --json` in the container, and see which way the environment and the host came about."""
    status = ["-- status --json"]
    command = ["make", "demo", f"ARGS={status[0]}"] if case.make else ["python3", "dev.py", "demo", *status[0].split()]
    done = case.container.run(*command)
    way = re.search(r"^onsite: environment: [^,]+, (.*)$", done.stderr, re.MULTILINE)
    return Outcome(way[1] if way else NOTHING, practice_host(done), done.returncode, done.stdout + done.stderr)


def practice_host(done: subprocess.CompletedProcess[str]) -> str:
    """Which kind of practice host answered; the best kind says nothing about itself, the others say why."""
    if done.returncode:
        return "none"
    json.loads(done.stdout)
    kinds = {"Practice on a recorded host: ": "recorded", "Practice in a network namespace of root: ": "network"}
    return next((kind for words, kind in kinds.items() if words in done.stderr), "user")
