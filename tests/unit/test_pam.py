"""The real libpam, with service files of the test's own: pam_debug answers what its line says, pam_exec sees more."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tui.services.login import service
from tui.services.login.pam import check


def stack(folder: Path, *lines: str) -> Path:
    (folder / "onsite").write_text("".join(f"{line}\n" for line in lines))
    return folder


@pytest.mark.parametrize(
    ("auth", "account", "verdict"),
    [
        ("success", "success", "accepted"),
        ("auth_err", "success", "refused"),
        ("user_unknown", "success", "refused"),
        ("maxtries", "success", "locked"),
        ("authinfo_unavail", "success", "unavailable"),
        ("success", "acct_expired", "expired"),
        ("success", "new_authtok_reqd", "expired"),
        ("success", "perm_denied", "expired"),
    ],
)
def test_verdict(auth: str, account: str, verdict: str, tmp_path: Path) -> None:
    lines = (f"auth required pam_debug.so auth={auth}", f"account required pam_debug.so acct={account}")
    assert check("onsite", "alice", "secret", folder=stack(tmp_path, *lines)) == verdict


def test_password_and_line_arrive_whole(tmp_path: Path) -> None:
    """pam_exec hands the password to a program on its standard input, and the items in its environment."""
    seen = tmp_path / "seen"
    program = tmp_path / "look"
    program.write_text(f'#!/bin/sh\n{{ cat | tr -d "\\000"; echo " $PAM_USER $PAM_TTY $PAM_RHOST"; }} >{seen}\n')
    program.chmod(0o755)
    folder = stack(
        tmp_path, f"auth required pam_exec.so expose_authtok quiet {program}", "account required pam_permit.so"
    )
    password = "p %s 'q' \"r\" \\ zoë"
    assert check("onsite", "alice", password, line="tty1", peer="192.0.2.7", folder=folder) == "accepted"
    assert seen.read_text() == f"{password} alice tty1 192.0.2.7\n"


@pytest.mark.parametrize(("user", "password"), [("", "x"), ("a\nb", "x"), ("alice", "x\0y"), ("alice", "x" * 600)])
def test_what_no_user_types_never_reaches_pam(user: str, password: str, tmp_path: Path) -> None:
    permit = stack(tmp_path, "auth required pam_permit.so", "account required pam_permit.so")
    assert check("onsite", user, password, folder=permit) == "refused"


def test_no_service_is_no_entry(tmp_path: Path) -> None:
    assert check("onsite", "alice", "secret", folder=tmp_path) != "accepted"


def test_a_wrong_password_takes_its_time(tmp_path: Path) -> None:
    lines = ("auth optional pam_faildelay.so delay=300000", "auth required pam_deny.so")
    before = time.monotonic()
    assert check("onsite", "alice", "secret", folder=stack(tmp_path, *lines)) == "refused"
    assert time.monotonic() - before > 0.15, "pam_fail_delay(3) varies by half"


def test_nothing_leaks_over_many_questions(tmp_path: Path) -> None:
    """In a process of its own: resident memory after 4,000 questions is what it was after 400."""
    stack(tmp_path, "auth required pam_debug.so auth=auth_err")
    program = (
        "import sys, resource\nfrom pathlib import Path\nfrom tui.services.login.pam import check\n"
        "def ask(n):\n    for _ in range(n): check('onsite', 'alice', 's' * 500, folder=Path(sys.argv[1]))\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = ask(400)\nprint(ask(3600) - before)"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1500, "KiB"


@pytest.mark.parametrize(
    ("stacks", "auth"),
    [
        (("common-auth", "common-account"), "auth substack common-auth"),
        (("system-auth",), "auth substack system-auth"),
        ((), "auth required pam_unix.so"),
    ],
)
def test_service_file_includes_the_stack_of_the_host(stacks: tuple[str, ...], auth: str, tmp_path: Path) -> None:
    (tmp_path / "etc/pam.d").mkdir(parents=True)
    for name in stacks:
        (tmp_path / "etc/pam.d" / name).touch()
    assert auth in service.text(tmp_path).splitlines()
    assert "faildelay" not in service.text(tmp_path)


def test_service_file_of_this_machine_refuses_and_delays() -> None:
    text = service.text(Path("/"))
    assert "pam_faildelay.so" in text
