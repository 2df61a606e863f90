"""The first administrator of a real host, and the real PAM after it: useradd, chpasswd, shadow, groups."""

from __future__ import annotations

from tests.host.box import Box
from tui.services.login import service

TRY = """
import asyncio, sys, time
from pathlib import Path
from tui.models.change import Refused
from tui.services.host import Host
from tui.services.login import administrators, first, gate
host, door = Host(Path("/"), None), gate.Gate(asked=True, failures=3)
async def main():
    for line in sys.stdin:
        verb, user, password = line.rstrip("\\n").split("|")
        began = time.monotonic()
        try:
            if verb == "create":
                await first.create(host, user, password, line="tty1")
            else:
                await gate.log_in(host, door, "tty1", user, password)
            said = "ok"
        except Refused as refused:
            said = refused.issues[0].code
        print(said, administrators.exist(host), round(time.monotonic() - began, 1))
asyncio.run(main())
"""


def tried(box: Box, *lines: str) -> list[list[str]]:
    done = box.run("python3", "-c", TRY, input="".join(f"{line}\n" for line in lines))
    return [line.split() for line in done.stdout.splitlines()]


def test_the_first_administrator_is_made_and_logs_in(box: Box) -> None:
    box.write(service.PATH, service.text(box.root))
    secret = "four grey: lorries $HOME 'x'"
    found = tried(
        box,
        f"login|carol|{secret}",
        "create|carol|carol1234567",
        f"create|root|{secret}",
        f"create|carol|{secret}",
        f"create|dave|{secret}",
        f"login|carol|{secret}",
        "login|carol|wrong",
        "login|nobody|",
    )
    assert [row[:2] for row in found] == [
        ["A501", "False"], ["A512", "False"], ["A522", "False"], ["ok", "True"], ["A523", "True"], ["ok", "True"],
        ["A501", "True"], ["A501", "True"],
    ]  # fmt: skip
    assert float(found[6][2]) >= 1.0, "a wrong password takes its time"
    groups = box.run("id", "-nG", "carol").stdout.split()
    assert "sudo" in groups
    assert box.run("su", "carol", "-c", "echo $HOME").stdout.strip() == "/home/carol"
    assert secret not in box.run("cat", "/var/lib/onsite/audit.log").stdout
    assert box.run("stat", "-c", "%a", "/var/lib/onsite/login.json").stdout.strip() == "600"


def test_an_account_that_has_ended_does_not_open(box: Box) -> None:
    box.run("rm", "-f", "/var/lib/onsite/login.json")
    box.run("useradd", "-m", "-G", "sudo", "erin")
    box.run("chpasswd", input="erin:seven slow trams wait\n")
    box.run("chage", "-E", "2020-01-01", "erin")
    assert tried(box, "login|erin|seven slow trams wait")[0][0] == "A504"


def test_whoever_is_no_administrator_is_told_so(box: Box) -> None:
    box.run("useradd", "-m", "frank")
    box.run("chpasswd", input="frank:seven slow trams wait\n")
    box.run("rm", "-f", "/var/lib/onsite/login.json")
    assert tried(box, "login|frank|seven slow trams wait")[0][0] == "A503"


FAILLOCK = """\
auth required pam_faillock.so preauth silent deny=3 unlock_time=600
auth [success=1 default=ignore] pam_unix.so nullok
auth [default=die] pam_faillock.so authfail deny=3 unlock_time=600
auth required pam_permit.so
"""


def test_a_lock_of_the_hosts_own_stack_counts_here_too(box: Box) -> None:
    """Where the administrator has pam_faillock, a wrong password here is one of its failures, and its lock holds."""
    stacks = [box.root / "etc/pam.d" / name for name in ("common-auth", "common-account")]
    before = [path.read_text() for path in stacks]
    box.run("useradd", "-m", "-G", "sudo", "gina")
    box.run("chpasswd", input="gina:seven slow trams wait\n")
    stacks[0].write_text(FAILLOCK)
    stacks[1].write_text("account required pam_faillock.so\n" + before[1])
    try:
        for number in range(1, 4):
            box.run("rm", "-f", "/var/lib/onsite/login.json")  # ours shuts the line, which is another matter
            assert tried(box, "login|gina|wrong")[0][0] == "A501"
            assert failures(box) == number
        box.run("rm", "-f", "/var/lib/onsite/login.json")
        assert tried(box, "login|gina|seven slow trams wait")[0][0] == "A501", "right, and locked by the host"
        box.run("faillock", "--user", "gina", "--reset")
        assert tried(box, "login|gina|wrong", "login|gina|seven slow trams wait")[1][0] == "ok"
        assert failures(box) == 0, "who is let in has no failures any more"
    finally:
        for path, text in zip(stacks, before, strict=True):
            path.write_text(text)


def failures(box: Box) -> int:
    """Valid failures of gina, as pam_faillock's own program has them."""
    return sum(line.rstrip().endswith(" V") for line in box.run("faillock", "--user", "gina").stdout.splitlines())
