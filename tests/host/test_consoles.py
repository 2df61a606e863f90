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

from bench.model import Model
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
PLACES = "23456789vlp"
CONTROL = "cz\\dqsuwvr"
"""Letters that mean something to a terminal's driver or to a shell, with Ctrl."""
CHANGED = """
find / -xdev -newer {since} \\( -type f -o -type l \\) ! -path '/var/log/*' ! -path '/var/lib/systemd/*' \\
    ! -path '/var/lib/onsite/*' 2>/dev/null
find /var/lib/onsite -newer {since} -type f ! -name login.json ! -name login.lock ! -name audit.log \\
    ! -name onsite.log ! -name checks.json ! -path '*/agent/*'
"""
"""Without logs, and without what counts logins and looks."""
SHELLS = "ps -e -o tty=,args= | grep -E '^(tty|pts|ttyS)' | grep -vE 'agetty|onsite|login|ps -e|grep' || true"

FOUND = """\
What these runs found, and was mended: from Checks, which need no login, `S` led to a support bundle, which writes files
and opens a port; Ctrl-Alt-Del restarted the host; an emergency of the kernel painted over the screen; Ctrl-C while a
console starts could end it (seen in the code, not as a row); a console killed while it painted, with the cursor at the
right edge, left the host's login prompt in one column, where nobody can read it."""


class Rows(list[tuple[str, str, str]]):
    """What was tried, where, and what came of it: the table."""

    def append(self, row: tuple[str, str, str]) -> None:
        print(" | ".join(row))
        super().append(row)


rows = Rows()
tried: set[str] = set()


def stand(machine: Machine) -> None:
    """Until both consoles have come up by themselves and the agent answers; a draft with a secret waits on the disk."""
    box.wait_for("the guest agent", machine.up, 900)
    machine.serial_shows("Steps", 900)
    machine.screen_shows("Steps", seconds=600)
    machine.run(f"umask 077; cat >/var/lib/onsite/draft.yaml <<'X'\n{DRAFT}X\n")
    box.wait_for("the agent", lambda: "no agent answers" not in machine.serial_text(), 600)
    machine.serial_shows("not applied", 600)
    machine.screen_shows("not applied", seconds=600)
    machine.quiet(5)
    machine.run("sync; sleep 1; touch /run/before; sleep 1")


@pytest.fixture(scope="module")
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    if reason := vm.missing() or box.missing():
        pytest.skip(reason)
    made = image.make()
    with Machine(made, vm.moment(made, "consoles", stand)) as found:
        yield found
    if tried == {case.name for case in request.node.collect()}:  # a part must not take the place of the whole
        _write_table()


@pytest.fixture
def fresh(machine: Machine) -> Machine:
    """The machine at that moment; what it said since is forgotten, so that what is seen is of now."""
    machine.restore()
    machine.model = Model(80, 24)
    machine.press("^L")
    machine.serial_shows("Steps")
    machine.quiet(1)
    machine.said.clear()
    return machine


@pytest.fixture(autouse=True)
def row(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every case has a row at least, be it that it failed."""
    tried.add(request.node.name)
    before = len(rows)
    yield
    if len(rows) == before:
        rows.append((request.node.name, "", "failed"))


class Line:
    """One of the two consoles, by the same words."""

    def __init__(self, machine: Machine, name: str) -> None:
        self.machine, self.name = machine, name
        serial = name == "ttyS0"
        self.press: Callable[..., None] = machine.press if serial else machine.type
        self.text: Callable[[], str] = machine.serial_text if serial else machine.screen_text

    def shows(self, words: str, seconds: float = 240) -> None:
        if self.name == "ttyS0":
            self.machine.serial_shows(words, seconds)
        else:
            self.machine.screen_shows(words, seconds=seconds)

    def refuses(self, code: str) -> None:
        """Until the password is cleared and the refusal stands there."""
        end = time.monotonic() + 240
        while code not in (text := self.text()) or "**" in text or "Asking" in text:
            assert time.monotonic() < end, f"no {code} on {self.name}:\n{text}"
            time.sleep(0.5)

    def home(self) -> None:
        """Back to Home from wherever keys have led: one at a time, for Esc and a digit at once are a function key."""
        end = time.monotonic() + 300
        while True:
            for key in ("escape", "escape", "1"):
                self.press(key)
                self.machine.quiet(0.7)
            again = time.monotonic() + 20
            while time.monotonic() < again:
                if "Steps" in (seen := self.text()):
                    return
                time.sleep(0.5)
            assert time.monotonic() < end, f"no way back to Home on {self.name}:\n{seen}"

    def log_in(self, user: str = "alice", password: str = image.PASSWORD) -> None:
        self.press("2")
        self.shows("Log in")
        self.enter(user, user, lambda text: "> Password" in text)
        self.enter_password(password)

    def enter_password(self, password: str) -> None:
        stars = "*" * len(password)
        self.enter(password, stars, lambda text: stars not in text or "Asking" in text)

    def enter(self, text: str, shown: str, taken: Callable[[str], bool]) -> None:
        """Type, look that it stands there, and press Enter: in a burst an Enter is a part of a paste.

        A machine that is starved of time may miss a key: Enter comes again where `taken` sees that nothing came of it.
        """
        self.press(*text)
        self.shows(shown)
        end = time.monotonic() + 300
        while True:
            self.press("enter")
            again = time.monotonic() + 60
            while time.monotonic() < again:
                if taken(seen := self.text()):
                    return
                time.sleep(0.5)
            assert time.monotonic() < end, f"Enter does nothing on {self.name}:\n{seen}"


@pytest.fixture(params=["tty1", "ttyS0"])
def line(request: pytest.FixtureRequest, fresh: Machine) -> Line:
    return Line(fresh, request.param)


def untouched(machine: Machine) -> str:
    """Nothing of the host is changed, no secret was shown, and nobody has a shell on a console."""
    assert machine.run(CHANGED.format(since="/run/before"), check=False) == ""
    assert machine.run(SHELLS) == ""
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
    fresh.quiet()
    (ROOT / "docs/pictures/serial-console-lease.txt").write_text(serial.text().rstrip() + "\n")
    serial.press("y")
    screen.shows("Taken over: ttyS0, alice, since")
    fresh.picture(ROOT / "docs/pictures/vt-console-taken-over.png")
    rows.append(
        ("edit on tty1, then on ttyS0", "tty1, ttyS0", "title line says who; take over asked, the other is told")
    )


def test_no_place_without_a_login(line: Line) -> None:
    for key in PLACES:
        line.press(key)
        line.shows("> User")
        line.press("escape")
        line.shows("Steps")
    line.press("enter")
    line.shows("> User")
    line.press("escape")
    line.shows("Steps")
    result = f"login asked {len(PLACES) + 1} times; {untouched(line.machine)}"
    rows.append((f"keys of places, {' '.join(PLACES)}; Enter on a step", line.name, result))


def test_keys_that_end_programs(line: Line) -> None:
    names = [f"^{c}" if line.name == "ttyS0" else f"ctrl-{vm.SIGNS.get(c, c)}" for c in CONTROL]
    for name in names:
        line.press(name)
        line.machine.quiet(0.5)
        line.press(names[CONTROL.index("q")], *("escape",) * 3)  # ^S stops a line until ^Q
    line.machine.quiet(1)
    line.home()
    tried = "Ctrl with " + " ".join(CONTROL.upper())
    rows.append((tried, line.name, f"the console stays; {untouched(line.machine)}"))


def test_function_keys_and_keys_by_chance(fresh: Machine) -> None:
    line, chance = Line(fresh, "tty1"), random.Random(7)
    line.press(*(f"f{n}" for n in range(1, 13)), "escape", "escape")
    keys = [*"abcdefghijklmnorstuwxyz0123456789?!;|&$`'\"\\<>", "enter", "escape", "tab", "up", "down", "left", "right"]
    line.press(*chance.choices(keys, k=300))
    fresh.quiet()
    rows.append(("F1 to F12, 300 keys by chance", "tty1", untouched(fresh)))


def test_bytes_by_chance_and_sequences(fresh: Machine) -> None:
    chance = random.Random(7)
    fresh.send(bytes(chance.choices(range(256), k=8000)))
    fresh.send(b"\x1b[A;id>/tmp/x\r`id`\r$(id)\r\x1b]0;x\x07\x1bP1$r\x1b\\\x00\xff\x1bc\x1b[!p\x1b[5i\x1b[?1049l" * 20)
    fresh.quiet()
    rows.append(("8,000 bytes by chance, sequences and shell words", "ttyS0", untouched(fresh)))


def test_pastes(fresh: Machine) -> None:
    """Into Home, then into the fields of the login, with and without the marks of a paste."""
    line = Line(fresh, "ttyS0")
    flood = b"root\rid; touch /etc/x\r" * 500
    fresh.send(b"\x1b[200~" + flood + b"\x1b[201~")
    fresh.send(flood)
    fresh.quiet()
    line.home()
    fresh.press("2")
    line.shows("> User")
    fresh.send(b"\x1b[200~" + b"A" * 20000 + b"\x00\n-froot\n\x1b[201~")
    fresh.quiet()
    rows.append(("46,000 bytes pasted, with commands in it, also into the login", "ttyS0", untouched(fresh)))


@pytest.mark.parametrize("user", ["-froot", "root\x00", "%s%n", "../root", "root; id", "-h x -f root"])
def test_names_that_mean_something_to_login(fresh: Machine, user: str) -> None:
    line = Line(fresh, "ttyS0")
    line.press("2")
    line.shows("> User")
    line.enter(user, user.strip("\x00"), lambda text: "> Password" in text)
    before = len(fresh.said)
    line.press("enter")
    box.wait_for("an answer", lambda: len(fresh.said) > before and "Asking" not in line.text(), 300)
    fresh.quiet()
    assert "Interface" not in line.text()
    rows.append((f"user {user!r}, no password", "ttyS0", untouched(fresh)))


def test_wrong_passwords_shut_the_line(line: Line) -> None:
    line.log_in(password="wrong")
    for code in ("A501",) * 4 + ("A502",):
        line.refuses(code)
        line.enter_password("wrong" if code == "A501" else image.PASSWORD)
    line.refuses("A502")
    other = Line(line.machine, "ttyS0" if line.name == "tty1" else "tty1")
    other.log_in()
    other.shows("Interface")
    result = f"shut (A502), {other.name} still open; {untouched(line.machine)}"
    rows.append(("5 wrong passwords, then the right one", line.name, result))


def test_a_user_who_is_no_administrator(line: Line) -> None:
    line.log_in("bob")
    line.refuses("A503")
    rows.append(("a user who is no administrator", line.name, f"refused (A503); {untouched(line.machine)}"))


def test_the_key_that_leaves_gives_the_hosts_own_login(line: Line) -> None:
    line.press("q")
    line.shows("Quit the console?")
    line.press("y")
    line.shows("login:")
    line.enter("root", "login: root", lambda text: "Password:" in text)
    line.press(*"wrong", "enter")
    line.shows("incorrect")
    result = f"the host's own login prompt; {untouched(line.machine)}"
    line.shows("Steps")
    rows.append(("q, y: the console is left", line.name, result))
    rows.append(("nobody logs in at that prompt", line.name, "after a minute the console is back"))


@pytest.mark.parametrize("signal", ["KILL", "SEGV", "HUP", "STOP"])
def test_a_console_that_ends_is_no_shell(line: Line, signal: str) -> None:
    # With its cursor at the right edge, as in the middle of painting: on that line nothing wraps.
    line.machine.run(f"printf '\\033[1;79H' >/dev/{line.name}; pkill -{signal} -t {line.name} -f bin/onsite")
    if signal == "STOP":
        line.press(*"23", "enter")
        rows.append(("its process is stopped (SIGSTOP)", line.name, f"it stands; {untouched(line.machine)}"))
        return
    line.shows("login:")
    rows.append((f"its process ends by SIG{signal}", line.name, f"the host's login prompt; {untouched(line.machine)}"))


def test_a_shell_around_it_that_ends(line: Line) -> None:
    """The script that the getty starts is killed: the getty begins anew."""
    line.machine.run(f"pkill -KILL -t {line.name} -f current/bin/console")
    line.machine.quiet(3)
    line.press(*"qy", "enter", "escape")
    line.home()
    rows.append(("the script around it is killed", line.name, f"the console again; {untouched(line.machine)}"))


def test_kernel_messages_do_not_paint_over_the_screen(fresh: Machine) -> None:
    fresh.run('for n in 0 1 2 3; do echo "<$n>painted over $n" >/dev/kmsg; done; sleep 1')
    assert "painted over" not in fresh.screen_text()
    assert "painted over" not in fresh.serial_text()
    rows.append(("messages of the kernel, from an error to an emergency", "tty1, ttyS0", "neither screen shows them"))


def test_the_other_terminals_keep_their_login(fresh: Machine) -> None:
    for number in range(2, 7):
        fresh.type(f"ctrl-alt-f{number}")
        fresh.screen_shows("login:", number)
    fresh.type("ctrl-alt-f7", "alt-right", "alt-right", "alt-left", "shift-pgup", "shift-pgdn", "scroll_lock")
    fresh.type("scroll_lock", "ctrl-alt-f1")
    for number in range(2, 7):
        assert SECRET not in fresh.screen_text(number)
    rows.append(("Ctrl-Alt-F2 to F7, Alt-arrows, Shift-PgUp", "tty1 to tty7", f"login prompts; {untouched(fresh)}"))


def test_sysrq_at_the_keyboard(fresh: Machine) -> None:
    """As Debian allows them (kernel.sysrq 438): K ends what runs on the terminal."""
    for letter in "hreitfclmpqwzk":
        fresh.type(f"alt-sysrq-{letter}")
    fresh.quiet(3)
    Line(fresh, "tty1").shows("Steps")
    rows.append(("Alt-SysRq with H R E I T F C L M P Q W Z K", "tty1", f"the console again; {untouched(fresh)}"))


def test_break_on_the_serial_line(fresh: Machine) -> None:
    for letter in "hreitfclmpqwzgk":
        fresh.qmp("chardev-send-break", id="serial")
        fresh.send(letter.encode())
        fresh.quiet(0.5)
    fresh.quiet(3)
    fresh.press("^L")
    Line(fresh, "ttyS0").home()
    rows.append(("Break, then H R E I T F C L M P Q W Z G K", "ttyS0", f"the console stays; {untouched(fresh)}"))


def test_ctrl_alt_delete(fresh: Machine) -> None:
    """Pressed, and held down until it repeats, for which systemd would restart at once: nothing happens."""
    line = Line(fresh, "tty1")
    before = fresh.run("cat /proc/sys/kernel/random/boot_id")
    fresh.type("ctrl-alt-delete")
    three = [{"type": "qcode", "data": k} for k in ("ctrl", "alt", "delete")]
    fresh.qmp("send-key", **{"keys": three, "hold-time": 3000})
    box.wait_for("the target", lambda: "active" in fresh.run("systemctl is-active ctrl-alt-del.target || true"), 120)
    fresh.run("sleep 10")
    assert fresh.run("systemctl list-jobs --no-legend") == ""
    line.press("0")
    line.shows("*0 Checks")
    assert fresh.run("cat /proc/sys/kernel/random/boot_id") == before
    rows.append(("Ctrl-Alt-Del, pressed and held down", "tty1", f"nothing; {untouched(fresh)}"))


def test_a_support_bundle_asks_too(line: Line) -> None:
    """Checks need no login; what is offered after they failed does: it writes files and opens a port."""
    line.press("0")
    line.shows("*0 Checks")
    line.press("r")
    line.shows("S support", 600)
    line.press("s")
    line.shows("> User")
    line.press("escape")
    line.shows("*0 Checks")
    result = f"login asked; {untouched(line.machine)}"
    rows.append(("checks that fail, then S for a support bundle", line.name, result))


def test_answers_that_no_question_had(fresh: Machine) -> None:
    """Sizes, names and settings that a terminal was not asked for, on Home and in the field of the name."""
    line = Line(fresh, "ttyS0")
    answers = (
        b"\x1b[9999;9999R\x1b[1;1R\x1b[0;0R\x1b[24;80R\x1b[?62;1;6c\x1b[>41;330;0c\x1b[0n\x1b[8;500;500t\x1b[?1;2c"
        b"\x1bP1+r544e=78\x1b\\\x1bP!|00000000\x1b\\\x1b]52;c;aWQK\x07\x1b[3;5~\x1b[M !!\x1b[<0;5;5M\x1b[I\x1b[O"
    )
    for _ in range(20):
        fresh.send(answers)
        fresh.press("^L")
        fresh.send(answers)
    fresh.quiet()
    line.home()
    fresh.press("2")
    line.shows("> User")
    for _ in range(5):
        fresh.send(answers)
    fresh.quiet()
    fresh.press("^L")
    line.home()
    rows.append(("answers of a terminal that nobody asked for", "ttyS0", untouched(fresh)))


def test_a_name_of_control_keys_and_a_long_one(line: Line) -> None:
    line.press("2")
    line.shows("> User")
    serial = line.name == "ttyS0"
    for c in "abdefhijknoprstuvwxz":
        line.press(f"^{c}" if serial else f"ctrl-{c}")
    line.machine.quiet(1)
    line.home()
    line.press("2")
    line.shows("> User")
    name = "r" * 600
    line.press(*name)
    line.shows("r" * 30)
    line.machine.quiet(2)
    line.enter("", "r" * 30, lambda text: "> Password" in text)
    line.enter_password("wrong")
    line.refuses("A501")
    rows.append(("control keys in the name; a name of 600 letters", line.name, f"refused; {untouched(line.machine)}"))


def test_keys_that_end_the_hosts_own_login(line: Line) -> None:
    """The prompt that follows `q`, ended by its own keys again and again: the getty begins anew, and no shell."""
    for c in "cz\\d" * 2:
        box.wait_for("prompt or console", lambda: "login:" in line.text() or "Steps" in line.text(), 300)
        if "Steps" in line.text():
            line.press("q")
            line.shows("Quit the console?")
            line.press("y")
            line.shows("login:")
        line.press(f"^{c}" if line.name == "ttyS0" else f"ctrl-{vm.SIGNS.get(c, c)}")
        line.machine.run("sleep 4")  # a getty begins anew after two
    box.wait_for("prompt or console", lambda: "login:" in line.text() or "Steps" in line.text(), 300)
    tried = "q, y, then Ctrl with C Z \\ D at the host's login prompt"
    rows.append((tried, line.name, f"the prompt or the console again; {untouched(line.machine)}"))


def test_keys_from_power_on(machine: Machine) -> None:
    """On both lines all the time, until the consoles stand: firmware, initramfs, systemd, getty."""
    made = machine.image
    machine.power_cut()
    letters = "cz\\d"
    with Machine(made) as cold:
        pressed = 0
        while not (cold.up() and "1 Home" in cold.serial_text() and "1 Home" in cold.screen_text()):
            assert time.monotonic() - cold.began < 900, f"{cold.serial_text()}\n{cold.screen_text()}"
            cold.press(*(f"^{c}" for c in letters), "escape", "enter", "e", "enter")
            cold.type(*(f"ctrl-{vm.SIGNS.get(c, c)}" for c in letters), "escape", "enter", "e", "enter")
            pressed += 16
        seconds = time.monotonic() - cold.began
        cold.press("^L")
        for name in ("ttyS0", "tty1"):
            Line(cold, name).home()
        _agent_answers(cold)
        changed = set(cold.run(CHANGED.format(since="/proc/1"), check=False).splitlines())
        assert cold.run(SHELLS) == ""
        result = f"both consoles after {seconds:.0f} s emulated, no shell"
    with Machine(made) as quiet:
        box.wait_for("the guest agent", quiet.up, 900)
        quiet.serial_shows("Steps", 900)
        quiet.screen_shows("Steps", seconds=900)
        _agent_answers(quiet)
        usual = set(quiet.run(CHANGED.format(since="/proc/1"), check=False).splitlines())
        seconds = time.monotonic() - quiet.began
    assert changed <= usual, changed - usual
    result += f"; no file changed but the {len(usual)} of a boot without keys"
    rows.insert(0, (f"{pressed} keys from power on: Ctrl with C Z \\ D, Esc, Enter, e", "tty1, ttyS0", result))
    rows.insert(0, ("power on", "tty1, ttyS0", f"both consoles by themselves after {seconds:.0f} s emulated"))


def _agent_answers(machine: Machine) -> None:
    """It makes its own files when it starts, which may be after the consoles."""
    box.wait_for("the agent", lambda: "no agent answers" not in machine.serial_text(), 600)


def _write_table() -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    failed = sum(result == "failed" for _, _, result in rows)
    lines = [
        "# Consoles of a machine", "",
        "A virtual machine (Debian 12, emulated) with a screen and a serial line, Onsite installed from its archive.",
        f"`python3 dev.py consoles-full`, on commit {commit}, {time.strftime('%Y-%m-%d')}, in one run:",
        f"{len(tried) - failed} of {len(tried)} cases passed.", "",
        "After each case: every file of the host (without /var/log, /var/lib/systemd, the count of logins, the audit,",
        "the log and the agent's own state) compared by time; processes on the terminals listed; everything that was",
        "sent to the lines searched for the password of a proxy that stands in the draft.", "",
        "| tried | where | result |", "| --- | --- | --- |",
        *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows), "",
        *FOUND.splitlines(), "",
    ]  # fmt: skip
    (ROOT / "docs/measured/consoles.md").write_text("\n".join(lines), encoding="utf-8")
