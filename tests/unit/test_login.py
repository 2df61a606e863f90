"""Who may change a host: administrators by its files, new passwords, and how often somebody may be wrong."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screens.machine import NOON, machine
from tui import settings
from tui.models.change import Refused
from tui.services import recording
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.login import administrators, first, gate, lockout, password


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return recording.host(machine(), tmp_path, FixedClock(NOON))


def users(host: Host, shadow: str, group: str = "sudo:x:27:\n", passwd: str = "") -> None:
    etc = host.path("/etc")
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text(passwd or "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n")
    (etc / "shadow").write_text(shadow)
    (etc / "group").write_text(group)


@pytest.mark.parametrize(
    ("shadow", "group", "there"),
    [
        ("root:*:1::::::\n", "sudo:x:27:\n", False),
        ("root:!$y$x:1::::::\nalice:$y$x:1::::::\n", "sudo:x:27:\n", False),
        ("root:$y$x:1::::::\n", "sudo:x:27:\n", True),
        ("root::1::::::\n", "sudo:x:27:\n", False),
        ("root:*:1\nalice:$y$x:1\n", "sudo:x:27:alice\n", True),
        ("root:*:1\nalice:!:1\n", "sudo:x:27:alice\n", False),
        ("root:*:1\nalice:$y$x:1\n", "wheel:x:1000:\n", True),  # her first group, which lists nobody
        ("root:*:1\n", "sudo:x:27:carol\n", True),  # from a directory: not in the host's own files
        ("", "", False),
    ],
)
def test_whether_anybody_could_log_in(shadow: str, group: str, there: bool, host: Host) -> None:
    users(host, shadow, group)
    assert administrators.exist(host) is there


def test_root_may_and_nobody_may_not() -> None:
    assert administrators.may("root")
    assert not administrators.may("nobody")
    assert not administrators.may("there is no such user")
    assert not administrators.may("a\0b")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("short", "A511"),
        ("x" * 201, "A511"),
        ("aaaaaaaaaaaa", "A512"),
        ("password1234", "A512"),
        ("P4ssw0rd!2026", "A512"),
        ("Admin123456789", "A512"),
        ("qwertyuiop12", "A512"),
        ("changeme-changeme", "A512"),
        ("alice-edge-7c21!", "A512"),
        ("abababababab", "A512"),
        ("pässword-und-mehr", "A513"),
        ("tab\tin the password", "A513"),
    ],
)
def test_password_that_will_not_do(text: str, code: str) -> None:
    issue = password.wrong(text, "alice", "edge-7c21")
    assert issue is not None
    assert issue.code == code
    assert text not in issue.text


@pytest.mark.parametrize("text", ["correct horse battery", "Vq7#mLw2xRt9", "seven grey lorries wait", "k9!Zr_w.Tq3h"])
def test_password_that_will_do(text: str) -> None:
    assert password.wrong(text, "alice", "edge-7c21") is None


@given(st.integers(0, 2**32))
def test_what_a_generator_makes_will_do(seed: int) -> None:
    alphabet = string.ascii_letters + string.digits + "-_.!+"
    made = "".join(random.Random(seed).choices(alphabet, k=16))
    assert len(set(made)) < password.FEWEST or password.wrong(made, "alice") is None


@given(st.text(max_size=300), st.text(max_size=40))
def test_any_text_gets_an_answer(text: str, name: str) -> None:
    issue = password.wrong(text, name)
    assert issue is None or issue.code in ("A511", "A512", "A513")


@pytest.mark.parametrize(
    ("name", "code"), [("alice", "A522"), ("Al", "A521"), ("", "A521"), ("-x", "A521"), ("bob", "")]
)
def test_name_of_the_first_administrator(name: str, code: str, host: Host) -> None:
    users(host, "")
    issue = first.wrong_name(name, host)
    assert (issue.code if issue else "") == code


async def test_the_first_administrator_is_made_once(host: Host) -> None:
    users(host, "root:$y$x:1::::::\n")
    with pytest.raises(Refused) as refused:
        await first.create(host, "bob", "correct horse battery", line="tty1")
    assert refused.value.issues[0].code == "A523"


# --- how often ---


def move(host: Host, seconds: float) -> None:
    assert isinstance(host.clock, FixedClock)
    host.clock.move(seconds)


def test_a_line_is_shut_after_that_many_and_others_are_not(host: Host) -> None:
    assert [lockout.failed(host, "tty1", 3) for _ in range(3)] == [0, 0, lockout.SECONDS]
    assert lockout.left(host, "ttyS0") == 0
    move(host, lockout.SECONDS - 1)
    assert lockout.left(host, "tty1") == pytest.approx(1)
    move(host, 1)
    assert lockout.left(host, "tty1") == 0
    assert lockout.failed(host, "tty1", 3) == 0, "counted from one again"


def test_a_success_forgets_and_so_does_time(host: Host) -> None:
    lockout.failed(host, "tty1", 2)
    lockout.succeeded(host, "tty1")
    assert lockout.failed(host, "tty1", 2) == 0
    move(host, lockout.SECONDS)
    assert lockout.failed(host, "tty1", 2) == 0


def test_a_power_cut_and_a_clock_that_jumps_shorten_nothing_and_shut_nobody_for_ever(
    host: Host, tmp_path: Path
) -> None:
    lockout.failed(host, "tty1", 1)
    again = recording.host(machine(), tmp_path, FixedClock(NOON + 5, 3.0))
    assert lockout.left(again, "tty1") == lockout.SECONDS - 5
    years_back = recording.host(machine(), tmp_path, FixedClock(0.0))
    assert lockout.left(years_back, "tty1") == lockout.SECONDS


@pytest.mark.parametrize("content", [b"", b"[]", b'{"tty1": 3}', b'{"tty1": [1, 2]}', b"\xff"])
def test_a_torn_count_is_counted_anew(content: bytes, host: Host) -> None:
    host.path(lockout.PATH).parent.mkdir(parents=True)
    host.path(lockout.PATH).write_bytes(content)
    assert lockout.failed(host, "tty1", 2) == 0
    assert lockout.failed(host, "tty1", 2) == lockout.SECONDS


# --- the door ---


def test_where_a_login_is_asked(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_logged_in", lambda: False)
    host.kind = "real"
    assert gate.of(host, "vt").asked
    assert gate.of(host, "serial").asked
    assert not gate.of(host, "pty").asked, "sshd has asked"
    monkeypatch.setattr(gate, "_logged_in", lambda: True)
    assert not gate.of(host, "vt").asked, "login has asked"
    monkeypatch.setattr(gate, "_logged_in", lambda: False)
    host.kind = "user"
    assert not gate.of(host, "vt").asked, "practice"


@pytest.mark.parametrize(
    ("text", "asked"), [("[console]\nlogin = false\n", False), ("[console]\nlogin = 'no'\n", True), ("[consol", True)]
)
def test_settings_switch_it_off_and_a_broken_file_does_not(
    text: str, asked: bool, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "_logged_in", lambda: False)
    host.kind = "real"
    path = host.path(settings.PATH)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert gate.of(host, "vt").asked is asked
    assert gate.of(host, "vt").off is not asked
