"""One machine with a screen and a serial line: both consoles by themselves, and no way past the login.

Minutes of emulation, so only with ONSITE_FULL=1 (`python3 dev.py consoles-full`); it writes docs/measured/consoles.md
and the pictures that the guides show. One boot; every case begins at the moment at which both consoles stood.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.host import box, image, vm
from tests.host.vm import Machine
from tools.environment import ROOT

SECRET = "Hidden-7Kw9-pass"
DRAFT = f"""version: 1
links: []
proxy:
  method: one
  http: {{scheme: http, host: proxy.site.example, port: 3128, user: edge, password: {SECRET}}}
  exceptions: []
"""
pytestmark = [
    pytest.mark.skipif(
        os.environ.get("ONSITE_FULL") != "1", reason="minutes of emulation: python3 dev.py consoles-full"
    ),
    pytest.mark.timeout(3600),
]
PLACES = {**{str(n): "Log in" for n in range(2, 10)}, "v": "Log in", "l": "Log in", "p": "Log in"}
FUNCTION = tuple(f"f{n}" for n in range(1, 13))
rows: list[tuple[str, str, str]] = []
"""What was tried, where, and what came of it: the table."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if reason := vm.missing() or box.missing():
        pytest.skip(reason)
    with Machine(image.make(tmp_path_factory.mktemp("image"))) as found:
        box.wait_for("the guest agent", found.up, 900)
        found.serial_shows("Steps", 900)
        found.screen_shows("Steps", seconds=600)
        rows.append(
            ("power on", "tty1, ttyS0", f"both consoles by themselves, {time.monotonic() - found.began:.0f} s emulated")
        )
        draft = f"umask 077; cat >/var/lib/onsite/draft.yaml <<'X'\n{DRAFT}X\n"
        found.run(draft + "sleep 1; touch /run/before")
        found.serial_shows("not applied", 60)
        found.freeze()
        yield found
        _write_table()


@pytest.fixture
def fresh(machine: Machine) -> Machine:
    """The machine at that moment; what it said since is forgotten."""
    machine.restore()
    machine.said.clear()
    machine.press("^L")
    machine.serial_shows("Steps", 120)
    return machine


class Line:
    """One of the two consoles, by the same words."""

    def __init__(self, machine: Machine, name: str) -> None:
        self.machine, self.name = machine, name
        serial = name == "ttyS0"
        self.press: Callable[..., None] = machine.press if serial else machine.type
        self.text: Callable[[], str] = machine.serial_text if serial else machine.screen_text

    def shows(self, words: str, seconds: float = 600) -> None:
        if self.name == "ttyS0":
            self.machine.serial_shows(words, seconds)
        else:
            self.machine.screen_shows(words, seconds=seconds)

    def log_in(self, user: str = "alice", password: str = image.PASSWORD) -> None:
        self.press("2")
        self.shows("Log in")
        self.enter(user, user)
        self.shows("> Password")
        self.enter(password, "*" * len(password))

    def enter(self, text: str, shown: str) -> None:
        """Type, look that it stands there, and press Enter: in a burst an Enter is a part of a paste."""
        self.press(*text)
        self.shows(shown)
        self.press("enter")


@pytest.fixture(params=["tty1", "ttyS0"])
def line(request: pytest.FixtureRequest, fresh: Machine) -> Line:
    return Line(fresh, request.param)


def untouched(machine: Machine) -> str:
    """Nothing of the host is changed, no secret was shown, and nobody has a shell on a console."""
    changed = machine.run(
        "find /etc /home /root /usr /opt /boot /srv -xdev -newer /run/before \\( -type f -o -type l \\) 2>/dev/null; "
        "find /var/lib/onsite -newer /run/before -type f ! -name login.json ! -name login.lock ! -name audit.log "
        "! -name onsite.log ! -name checks.json"
    )
    assert changed == ""
    shells = machine.run(
        "ps -e -o tty=,args= | grep -E '^(tty|pts|ttyS)' | grep -vE 'agetty|onsite|login|ps -e|grep' || true"
    )
    assert shells == "", shells
    assert SECRET.encode() not in machine.said
    assert SECRET not in machine.serial_text() + machine.screen_text()
    return "no file changed, no secret shown, no shell"


def test_both_are_usable_at_once_and_one_edits(fresh: Machine) -> None:
    serial, screen = Line(fresh, "ttyS0"), Line(fresh, "tty1")
    fresh.picture(ROOT / "docs/pictures/vt-console-home.png")
    screen.log_in("root")
    screen.shows("Interface")
    screen.press("5")
    screen.shows("Host name")
    screen.press("enter")
    screen.shows("[ Done ]")
    serial.shows("tty1, root, since")
    fresh.picture(ROOT / "docs/pictures/vt-console-editor.png")
    serial.log_in("alice")
    serial.shows("Interface")
    serial.press("5")
    serial.shows("Host name")
    serial.press("enter")
    serial.shows("Take over?")
    (ROOT / "docs/pictures/serial-console-lease.txt").write_text(serial.text().rstrip() + "\n")
    serial.press("y")
    screen.shows("Taken over: ttyS0, alice, since")
    fresh.picture(ROOT / "docs/pictures/vt-console-taken-over.png")
    rows.append(
        ("edit on tty1, then on ttyS0", "tty1, ttyS0", "title line says who; take over asked, the other is told")
    )


def test_no_place_without_a_login(line: Line) -> None:
    for key, words in PLACES.items():
        line.press(key)
        line.shows(words, 60)
        line.press("escape")
        line.shows("Steps", 60)
    rows.append(
        (
            "the key of every place, Enter on a step",
            line.name,
            f"login asked {len(PLACES)} times; {untouched(line.machine)}",
        )
    )


def test_keys_that_end_programs(line: Line) -> None:
    for key in ("^C", "^Z", "^\\", "^D", "^Q", "^S", "^Q") if line.name == "ttyS0" else ():
        line.press(key)
    for key in ("ctrl-c", "ctrl-z", "ctrl-backslash", "ctrl-d", "ctrl-q") if line.name == "tty1" else ():
        line.press(key)
    line.press(*("escape",) * 4)
    line.shows("Steps", 60)
    rows.append(("Ctrl-C, Ctrl-Z, Ctrl-\\, Ctrl-D, Ctrl-Q, Esc", line.name, untouched(line.machine)))


def test_function_keys_and_noise(line: Line) -> None:
    chance = random.Random(7)
    if line.name == "tty1":
        line.press(*FUNCTION[:1], *FUNCTION[2:])
        keys = [
            *"abcdefghijklmnorstuwxyz0123456789?!;|&$`'\"\\<>",
            "enter",
            "escape",
            "tab",
            "up",
            "down",
            "left",
            "right",
        ]
        line.press(*chance.choices(keys, k=300))
        line.machine.quiet()
        rows.append(("F1 to F12, 300 keys by chance", line.name, untouched(line.machine)))
        return
    line.machine.send(bytes(chance.choices(range(256), k=8000)))
    line.machine.send(b"\x1b[A;id>/tmp/x\r`id`\r$(id)\r\x1b]0;x\x07\x1bP1$r\x1b\\\x00\xff" * 20)
    line.machine.quiet()
    rows.append(("8,000 bytes by chance, sequences and shell words", line.name, untouched(line.machine)))


def _refusals(machine: Machine) -> int:
    return int(machine.run("grep -c refused /var/lib/onsite/audit.log || true"))


def test_wrong_passwords_shut_the_line(line: Line) -> None:
    line.log_in(password="wrong")
    line.shows("A501")
    for _ in range(4):
        before = _refusals(line.machine)
        line.enter("wrong", "*****")
        box.wait_for("one more refusal", lambda: _refusals(line.machine) > before, 90)  # noqa: B023 - of this turn
    line.shows("A502", 60)
    line.enter(image.PASSWORD, "*" * len(image.PASSWORD))
    line.shows("A502", 60)
    other = Line(line.machine, "ttyS0" if line.name == "tty1" else "tty1")
    other.log_in()
    other.shows("Interface")
    rows.append(
        (
            "5 wrong passwords, then the right one",
            line.name,
            f"shut (A502), {other.name} still open; {untouched(line.machine)}",
        )
    )


def test_a_user_who_is_no_administrator(line: Line) -> None:
    line.log_in("bob")
    line.shows("A503")
    rows.append(("a user who is no administrator", line.name, f"refused (A503); {untouched(line.machine)}"))


def test_the_key_that_leaves_gives_the_hosts_own_login(line: Line) -> None:
    line.press("q")
    line.shows("Quit the console?")
    line.press("y")
    line.shows("login:")
    line.enter("root", "login: root")
    line.shows("Password:")
    line.press(*"wrong", "enter")
    line.shows("incorrect")
    rows.append(("q, y: the console is left", line.name, f"the host's own login prompt; {untouched(line.machine)}"))
    line.shows("Steps", 400)
    rows.append(("nobody logs in at that prompt", line.name, "after a minute the console is back"))


def test_a_console_that_is_killed_comes_back(line: Line) -> None:
    line.machine.run(f"pkill -9 -t {line.name} -f bin/onsite")
    line.shows("login:", 120)
    rows.append(("its process is killed", line.name, f"the host's own login prompt; {untouched(line.machine)}"))


def test_kernel_messages_do_not_paint_over_the_screen(fresh: Machine) -> None:
    fresh.run('for n in 1 2 3; do echo "<3>painted over $n" >/dev/kmsg; done; sleep 1')
    assert "painted over" not in fresh.screen_text()
    assert "painted over" not in fresh.serial_text()
    rows.append(("three kernel errors in /dev/kmsg", "tty1, ttyS0", "neither screen shows them"))


def test_the_other_terminals_keep_their_login(fresh: Machine) -> None:
    fresh.type("ctrl-alt-f2")
    fresh.screen_shows("login:", 2)
    fresh.type("ctrl-alt-f1")
    rows.append(("Ctrl-Alt-F2", "tty2", "the host's own login prompt"))


def _write_table() -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    lines = [
        "# Consoles of a machine", "",
        "A virtual machine (Debian 12, emulated) with a screen and a serial line, Onsite installed from its archive.",
        f"`python3 dev.py consoles-full`, on commit {commit}, {time.strftime('%Y-%m-%d')}.", "",
        "After each case: files below /etc, /home, /root, /usr, /opt, /boot, /srv and /var/lib/onsite (without the",
        "count of logins, the audit and the log) compared by time; processes on the terminals listed; everything that",
        "was sent to the lines searched for the password of a proxy that stands in the draft.", "",
        "| tried | where | result |", "| --- | --- | --- |",
        *(f"| {tried} | {where} | {result} |" for tried, where, result in rows), "",
    ]  # fmt: skip
    (ROOT / "docs/measured/consoles.md").write_text("\n".join(lines), encoding="utf-8")
