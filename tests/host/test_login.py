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
