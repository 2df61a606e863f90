"""A practice host for tests: real links in a namespace, a sandbox folder, and the peers at the cables' other ends.

`PracticeHost.run` puts a command inside; `kernel` reads back what the kernel has there, by iproute2, which shares no
code with what is tested.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tui import demo

CODE = Path(__file__).resolve().parents[1]
PREFIX = "onsite-practice-"


def control(folder: Path, *options: str, check: bool = True, **more: Any) -> subprocess.CompletedProcess[str]:
    """`python -m agent.practice` on that state folder."""
    command = [sys.executable, "-m", "agent.practice", "--state", str(folder), *options]
    return subprocess.run(command, cwd=CODE, text=True, capture_output=True, timeout=90, check=check, **more)


@dataclass(frozen=True, slots=True)
class Kernel:
    """What `ip -json` says inside: links, addresses and routes."""

    links: list[dict[str, Any]]
    routes: list[dict[str, Any]]

    def link(self, name: str) -> dict[str, Any]:
        return next(x for x in self.links if x["ifname"] == name)

    def addresses(self, name: str) -> set[str]:
        """Addresses with prefix length, without those that the kernel makes itself (link-local)."""
        found = self.link(name)["addr_info"]
        return {f"{a['local']}/{a['prefixlen']}" for a in found if a.get("scope") != "link"}

    def gateways(self, name: str) -> set[str]:
        """Next hops of the default routes that leave by that link."""
        return {r["gateway"] for r in self.routes if r["dst"] == "default" and r["dev"] == name and "gateway" in r}


@dataclass(slots=True)
class PracticeHost:
    folder: Path
    state: dict[str, Any]

    @property
    def root(self) -> Path:
        """The folder that stands for "/"."""
        return Path(self.state["root"])

    @property
    def kind(self) -> str:
        return str(self.state["kind"])

    @property
    def pid(self) -> int:
        """The process whose namespaces are the host's, for `tui.namespaces.enter`; changes at a reboot."""
        return int(self.state["host"])

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "ONSITE_PRACTICE": str(self.folder), "LC_ALL": "C.UTF-8"}

    def inside(self, argv: Sequence[str]) -> list[str]:
        """The command that runs `argv` in the namespaces of the host; for Popen or a pty."""
        return [sys.executable, "-m", "tui.namespaces", str(self.pid), *argv]

    def run(
        self, *argv: str, check: bool = True, timeout: float = 60, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, with the project importable and its output as text."""
        return subprocess.run(
            self.inside(argv), cwd=CODE, env=self.environment, text=True, capture_output=True,
            check=check, timeout=timeout, input=input,
        )  # fmt: skip

    def python(self, program: str, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a short program inside."""
        return self.run(sys.executable, "-c", program, *arguments, **more)

    def onsite(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run `onsite --root ROOT ARGUMENTS` inside."""
        return self.run(sys.executable, "-m", "tui", "--root", str(self.root), *arguments, **more)

    def kernel(self) -> Kernel:
        links = json.loads(self.run("ip", "-json", "-details", "address").stdout)
        routes = json.loads(self.run("ip", "-json", "-4", "route").stdout or "[]")
        routes += json.loads(self.run("ip", "-json", "-6", "route").stdout or "[]")
        return Kernel(links, routes)

    def reboot(self) -> None:
        """Cut the power and boot: the kernel's state and /run are gone, processes killed."""
        self.state = json.loads(control(self.folder, "--reboot").stdout)

    def log(self) -> str:
        return (self.folder / "log").read_text()


@cache
def _end_left_over() -> None:
    """Practice hosts of test runs that were killed: they live on, and so do their folders."""
    for folder in demo.left_over(PREFIX):
        control(folder, "--stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def practice_host() -> Iterator[PracticeHost]:
    """A fresh practice host of its own, ended afterwards; several at once do not meet.

    Raises:
        subprocess.CalledProcessError: none can be had here; code 3 where namespaces are refused.
    """
    # Not below pytest's tmp_path: the path of a Unix socket may have 107 bytes only.
    _end_left_over()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        started = control(folder)
        yield PracticeHost(folder, json.loads(started.stdout))
    finally:
        control(folder, "--stop", check=False)
