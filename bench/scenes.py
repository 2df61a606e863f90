"""What is done with the console to measure it: the same keys on every terminal."""

import copy
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Measured, cpu
from bench.terminal import Program, key

ROOT = Path(__file__).resolve().parents[1]
MACHINE = ROOT / "assets" / "machines" / "factory.json"
HOST, ADDRESS = "press-line-4", "198.51.100.20"
PLACES = {"1": "Home", "2": "Network", "3": "Proxy", "4": "Certs", "5": "Name & time", "6": "Register",
          "7": "Content", "8": "Hosts", "9": "Cluster", "0": "Checks", "v": "Review", "l": "Log", "p": "Power",
          "?": "Help"}  # fmt: skip
EDITED = "example.org, lab.example.org, plant-2.example"
FIELDS = 8
SPARED = b"\r\n\x03\x04\x11\x1a\x1c"
"""Enter, and the control letters that quit, stop or end something."""


def environ() -> dict[str, str]:
    """A login's environment, and nothing of whoever runs this."""
    return {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), "TERM": "vt100", "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT)}  # fmt: skip


def console(terminal: str, machine: Path = MACHINE, module: str = "tui", speed: int = 0, term: str = "") -> Measured:
    """The console on a recorded host, on one terminal."""
    forced = [] if term else ["--terminal", terminal]
    command = [sys.executable, "-m", module, "demo", "--machine", str(machine), *forced]
    env = environ() | ({"TERM": term} if term else {})
    return Measured(Program(command, terminal, environ=env, speed=speed), terminal)


def many_links(folder: Path, count: int = 40) -> Path:
    """A recorded host with more interfaces than a screen has rows, no two of them alike."""
    facts = json.loads(MACHINE.read_text("utf-8"))
    models = copy.deepcopy(facts["links"])
    chance = random.Random(3)
    for n in range(len(models), count):
        link = copy.deepcopy(chance.choice(models))
        mac = f"00:00:5e:00:54:{n:02x}"
        name = chance.choice(("eno{}", "ens{}f0", "enp{}s0", "wlp{}s0", "bond{}", "br-{}")).format(n)
        link |= {"index": 100 + n, "name": name, "mac": mac, "permanent_mac": mac}
        link["speed_mbps"] = chance.choice((100, 1000, 2500, 10000, 25000))
        for address in link["addresses"]:
            if "." in address["address"]:
                address["address"] = (
                    f"10.{chance.randrange(256)}.{chance.randrange(256)}.{n}/{chance.randrange(16, 28)}"
                )
        facts["links"].append(link)
    path = folder / "many.json"
    path.write_text(json.dumps(facts), "utf-8")
    return path


def editor(measured: Measured) -> None:
    """Home, Network, its editor: all fields, some typing, and the dialog that asks before typed text is lost."""
    measured.start()
    assert first_screen_complete(measured), "\n".join(measured.program.model.text())
    measured.press("open Network", "2")
    measured.press("open editor", "enter")
    measured.press("Tab", *["tab"] * (FIELDS - 1))
    measured.press("back to the first", "up")
    for _ in range(3):
        measured.press("clear field", "^U")
        measured.press("type", *EDITED)
        measured.press("rub out", *["backspace"] * 5)
    measured.press("open dialog", "escape", quiet=0.6)
    measured.press("close dialog", "escape", quiet=0.6)


def first_screen_complete(measured: Measured) -> bool:
    """Whether the screen holds host name, address, all places and the line of keys."""
    lines = measured.program.model.text()
    return (
        HOST in lines[0]
        and ADDRESS in lines[0]
        and all(any(f"{key} {place}" in line for line in lines[1:-1]) for key, place in PLACES.items())
        and "q quit" in lines[-1]
    )


def listing(measured: Measured) -> None:
    """Down a list that is longer than the screen."""
    measured.program.settle(1.5, 30)
    measured.press("open list", "2")
    seen = ""
    for _ in range(30):
        before = measured.program.model.text()
        measured.press("Down", "down")
        after = measured.program.model.text()
        step = measured.steps["Down"].pop()
        scrolled = sum(a[16:] != b[16:] for a, b in zip(before, after, strict=True)) > 4
        after_one = "Down after a scroll" if measured.steps.get("Down, scrolling") else "Down"
        measured.steps["Down, scrolling" if scrolled else after_one].append(step)
        seen = "\n".join(after)
    assert "ens" in seen


CLUSTER_LISTS = {"nodes": 100, "packs": 500, "events": 10_000}
"""The lists of a cluster, and how many each has."""


@contextmanager
def clustered(terminal: str) -> Iterator[Measured]:
    """The console on a host whose agent tells of a large cluster."""
    with tempfile.TemporaryDirectory() as root:
        address = Path(root, "run/onsite/agent.sock")
        address.parent.mkdir(parents=True)
        serve = [sys.executable, "-m", "tests.recorded_agent", str(address), "healthy"]
        serve += map(str, CLUSTER_LISTS.values())
        command = [sys.executable, "-m", "tui", "--root", root, "--practice", "recorded", "--machine", str(MACHINE)]
        with subprocess.Popen(serve, cwd=ROOT) as agent:
            try:
                while not address.exists() and agent.poll() is None:
                    time.sleep(0.02)
                with Program([*command, "--terminal", terminal], terminal, environ=environ()) as program:
                    yield Measured(program, terminal)
            finally:
                agent.kill()


def cluster_lists(measured: Measured) -> None:
    """Each list of a cluster: opened, and forty times Down."""
    lines = measured.program.model.text
    measured.program.expect("healthy", 30)
    for name in CLUSTER_LISTS:
        measured.press("other places", "2", "9", quiet=0.6)
        while not any(">" in line[13:17] and name.capitalize() in line for line in lines()):
            measured.press("other places", "down")
        measured.press(f"open {name}", "enter", quiet=1.0)
        measured.press(f"Down in {name}", *["down"] * 40)
        measured.press("other places", "escape", quiet=1.0)


def idle(terminal: str, seconds: float) -> tuple[int, float]:
    """Bytes and share of a processor while nobody does anything at Home."""
    measured = console(terminal)
    with measured.program as program:
        program.settle(2.0, 30)
        assert first_screen_complete(measured), bytes(program.data)
        return resting(program, seconds)


def idle_beside_agent(terminal: str, seconds: float) -> tuple[int, float]:
    """The same on a host that is in a cluster, of which the console asks the agent every three seconds."""
    with clustered(terminal) as measured:
        measured.program.expect("healthy", 30)
        measured.program.settle(2.0, 30)
        return resting(measured.program, seconds)


def resting(program: Program, seconds: float) -> tuple[int, float]:
    """Bytes and share of a processor from now on, while nobody presses anything."""
    mark, spent, began = len(program.data), cpu(program.pid), time.monotonic()
    while (left := began + seconds - time.monotonic()) > 0:
        program.read(left)
    return len(program.data) - mark, (cpu(program.pid) - spent) / seconds


def countdown(terminal: str, speed: int, seconds: float = 20.0) -> float:
    """Bytes a second while a change waits to be kept."""
    measured = console(terminal, speed=speed)
    with measured.program as program:
        program.settle(2.0, 30)
        measured.press("", "2", "enter", *["tab"] * FIELDS, *"1400", quiet=0.5)
        measured.press("", "^X", "a", "tab", quiet=0.6)
        program.send(key("enter", terminal))
        program.expect("Time left")
        program.settle(0.3, 6)
        mark, began = len(program.data), time.monotonic()
        while (left := began + seconds - time.monotonic()) > 0:
            program.read(left)
        assert "Time left" in "\n".join(program.model.text())
        return (len(program.data) - mark) / seconds


def noise(terminal: str, everything: bool) -> str:
    """A megabyte of bytes while the editor is open; in one word what became of the program.

    Args:
        everything: All 256 bytes; else none that types, confirms or quits.
    """
    allowed = range(256) if everything else [b for b in range(256) if not 0x20 <= b < 0x7F and b not in SPARED]
    data = bytes(random.Random(11).choices(allowed, k=1_000_000))
    with console(terminal).program as program:
        program.settle(1.5, 30)
        program.press("2", "enter", "tab")
        assert program.status is None, bytes(program.data)
        shown = program.model.text()
        program.send(data)
        program.settle(1.0, 3.0)
        program.press("^L", quiet=0.6)
        if program.status is not None:
            return "left through its dialog" if program.status == 0 else f"died with {program.status}"
        text = "\n".join(program.model.text())
        if everything:
            applied = "Time left" in text or "not kept yet" in text
            return "applied something" if applied else "alive"
        return "alive, same screen" if program.model.text() == shown else "alive, another screen"
