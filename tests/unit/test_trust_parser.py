"""The parser child gives up what it can, ends in time, and says nothing of what it has read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.certificate_cases import cases
from tui.models.certificate import Judged
from tui.services.parser import run
from tui.services.trust import reading

CODE = Path(__file__).resolve().parents[2]
CONFINED = """
import json, os, socket, sys
from tui.services.parser import certificates
from tui.services.parser.confine import confine
status = open("/proc/self/status")
certificates.warm_up()
confine()
said = {}
for name, act in {
    "open": lambda: open("/etc/passwd"),
    "socket": lambda: socket.socket(),
    "fork": lambda: os.fork() or os._exit(0),
    "memory": lambda: bytearray(300 << 20),
    "become root": lambda: os.setuid(0),
}.items():
    try:
        act()
        said[name] = "worked"
    except (OSError, MemoryError) as error:
        said[name] = type(error).__name__
said["status"] = dict(line.split(":\\t", 1) for line in status.read().splitlines() if ":\\t" in line)
print(json.dumps(said))
"""


def confined() -> dict[str, object]:
    ended = subprocess.run([sys.executable, "-c", CONFINED], cwd=CODE, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    said: dict[str, object] = json.loads(ended.stdout)
    return said


def test_the_child_can_compute_and_nothing_else() -> None:
    said = confined()
    assert said["open"] == said["socket"] == "OSError"
    assert said["memory"] == "MemoryError"
    status = said["status"]
    assert isinstance(status, dict)
    assert status["NoNewPrivs"].strip() == "1"
    if os.geteuid() == 0:
        assert status["Uid"].split() == ["65534"] * 4
        assert status["Gid"].split() == ["65534"] * 4
        assert status["Groups"].strip() == ""
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert said["fork"] == "BlockingIOError"
        assert said["become root"] == "PermissionError"


def test_every_input_through_the_child_is_as_in_process() -> None:
    """The child can import nothing after it gave up its rights; every kind of input has to find all it needs."""
    table = cases()
    for name in ("pem", "der", "pkcs7 pem", "pkcs12", "pkcs12 wrong passphrase", "rsa root", "ed25519 root", "chain",
                 "utf-16 of notepad", "revocation list", "request in der", "encrypted key in der", "sha-1 root",
                 "java key store", "base64 of pem", "name with control characters", "private key"):  # fmt: skip
        case = table[name]
        found = Judged.from_dict(run.parse("certificates", case.data, **case.details))
        assert (len(found.usable), found.codes) == (case.usable, case.codes), name


def test_what_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SECONDS", 0.01)
    with pytest.raises(run.ParserFailed):
        run.parse("certificates", b"", now=0)
    found = reading.judge(b"something", 0)
    assert found.codes == ("S156",)
    assert found.usable == ()


def test_an_unknown_reader_fails_without_a_word() -> None:
    with pytest.raises(run.ParserFailed, match=r"^could not cope with it$"):
        run.parse("secrets", b"x")


def test_a_private_key_is_not_remembered() -> None:
    reading._memory.clear()
    table = cases()
    assert reading.judge(table["key behind the certificate"].data, 1.8e9).codes == ("S111",)
    assert reading._memory == {}
    assert len(reading.judge(table["pem"].data, 1.8e9).certificates) == 1
    assert len(reading._memory) == 1
    case = table["pkcs12"]
    assert len(reading.judge(case.data, 1.8e9, passphrase=str(case.details["passphrase"])).certificates) == 1
    assert len(reading._memory) == 1
