"""The command line as a process: words, exit codes, what it imports, and hostile files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import __version__, settings
from tui.models.change import Issue, Refused
from tui.models.host import HostConfig
from tui.services import document

CODE = Path(__file__).resolve().parents[2]
SHOP = CODE / "assets" / "machines" / "shop.json"
HEAVY = {"textual", "rich", "pydantic", "pyroute2", "asyncio", "httpx", "yaml", "argparse", "subprocess", "logging"}
STATIC = """\
version: 1
links:
- mac: 00:00:5e:00:53:01
  name: enp1s0
  ipv4: {method: static, addresses: [192.0.2.10/24], gateway: 192.0.2.1}
  nameservers: [192.0.2.53, 198.51.100.53]
"""


def onsite(*arguments: str, check: int | None = 0, **environ: str) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [sys.executable, "-m", "tui", *arguments], cwd=CODE, env={**os.environ, **environ}, text=True,
        capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in ended.stderr + ended.stdout
    assert check is None or ended.returncode == check, ended.stderr + ended.stdout
    return ended


def on_shop(*arguments: str, check: int | None = 0) -> subprocess.CompletedProcess[str]:
    return onsite("demo", "--machine", str(SHOP), "--", *arguments, check=check)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["status"], ["status", "--json"]], ids=" ".join)
def test_the_quick_verbs_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    program = (
        "import sys; from tui.cli import run; code = run(sys.argv[1:]); "
        "print(code, *sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "--root", str(tmp_path), *arguments],
        cwd=CODE, text=True, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    code, *modules = ended.stderr.split()
    assert code == "0"
    assert HEAVY & set(modules) == set()


def test_version() -> None:
    assert onsite("--version").stdout == f"onsite {__version__}\n"


def test_help_names_every_verb_and_exit_code() -> None:
    said = onsite("--help").stdout
    for word in ("status", "plan", "apply", "keep", "revert", "history", "export", "recover", "demo", "exit codes:"):
        assert word in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"], ["--frobnicate"], ["--root"], ["status", "--yaml"], ["--practice", "x", "status"], ["plan"],
        ["apply", "x", "--keep-within", "4"], ["--clock", "noon", "status"], ["--practice", "recorded", "status"],
        ["--machine", "/nowhere", "--root", "/tmp/x", "status"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_is_2_with_a_sentence(arguments: list[str]) -> None:
    ended = onsite(*arguments, check=2)
    assert ended.stdout == ""
    assert ended.stderr.strip()


def test_no_terminal_is_6_and_names_the_headless_commands() -> None:
    ended = onsite(check=6)
    assert "onsite status" in ended.stderr
    assert ended.stdout == ""


def test_a_reader_that_leaves_is_no_fault() -> None:
    program = f"{sys.executable} -m tui demo --machine {SHOP} -- facts | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", program], cwd=CODE, text=True, capture_output=True, timeout=60, check=True)
    assert "Traceback" not in ended.stderr
    assert "X101" not in ended.stderr


def test_status_of_a_recorded_host() -> None:
    said = json.loads(on_shop("status", "--json").stdout)
    link = said["links"][0]
    assert (said["hostname"], said["pending"], link["state"]) == ("shop-17", None, "up")
    assert link["addresses"][0] == {"address": "192.0.2.137/24", "origin": "dhcp"}
    words = on_shop("status").stdout
    assert "192.0.2.137/24 (DHCP)" in words
    assert "no carrier" in words


def test_facts_replay_themselves(tmp_path: Path) -> None:
    said = on_shop("facts", "--json").stdout
    file = tmp_path / "again.json"
    file.write_text(said)
    again = onsite("demo", "--machine", str(file), "--", "facts", "--json").stdout
    assert json.loads(again) == json.loads(said)


def test_export_is_a_file_for_plan(tmp_path: Path) -> None:
    file = tmp_path / "host.yaml"
    file.write_text(on_shop("export").stdout)
    config = document.read(file)
    assert [(link.name, link.ipv4.method) for link in config.links] == [("enp1s0", "dhcp")]
    assert config.links[0].nameservers == ()


def test_plan_says_it_in_words_and_as_files(tmp_path: Path) -> None:
    file = tmp_path / "static.yaml"
    file.write_text(STATIC)
    said = on_shop("plan", str(file)).stdout
    assert "192.0.2.137/24 (DHCP) -> 192.0.2.10/24" in said
    assert "+++ /etc/onsite/links/00-00-5e-00-53-01.yaml" in said
    data = json.loads(on_shop("plan", str(file), "--json").stdout)
    assert data["empty"] is False
    assert "192.0.2.10/24" in data["files"][0]["content"]


def test_plan_with_an_error_is_1_and_names_the_field(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(STATIC.replace("gateway: 192.0.2.1}", "gateway: 198.51.100.1}"))
    ended = on_shop("plan", str(file), check=1)
    assert "N207 " in ended.stderr
    assert "\n  -> " in ended.stderr
    data = json.loads(on_shop("plan", str(file), "--json", check=1).stdout)
    assert data["issues"][0]["field"] == "links.00:00:5e:00:53:01.ipv4.gateway"


def test_nothing_to_keep_is_1() -> None:
    for verb in ("keep", "revert"):
        assert on_shop(verb, check=1).stderr.startswith("C108 ")
    assert on_shop("revert", "--last", check=1).stderr.startswith("C108 ")


def test_what_nobody_foresaw_is_logged_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "var/lib/onsite").mkdir(parents=True)
    (tmp_path / "var/lib/onsite/pending.json").write_text("no journal")
    ended = onsite("--root", str(tmp_path), "keep", check=1)
    log = tmp_path / "var/lib/onsite/log/onsite.log"
    assert ended.stderr.startswith("X101 ")
    assert str(log) in ended.stderr
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    assert json.loads(onsite("--root", str(tmp_path), "status", "--json").stdout)["pending"]["phase"] == "unreadable"


def issues(data: bytes) -> tuple[str, ...]:
    with pytest.raises(Refused) as refused:
        document.parse(data)
    for issue in refused.value.issues:
        assert issue.remedy
        assert "pydantic" not in issue.text
    return tuple(f"{i.code} {i.field}".strip() for i in refused.value.issues)


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (b"", ("D103",)),
        (b"just words", ("D103",)),
        (b"- 1", ("D103",)),
        (b"\xff\xfe", ("D103",)),
        (b"\x00", ("D103",)),
        (b"a: 1\na: 2", ("D103",)),
        (b"a: !!python/object/apply:os.system [ls]", ("D103",)),
        (b"a: &x [1]\nb: [*x, *x]", ("D104",)),
        (b"[" * 50_000, ("D104",)),
        (b"links:\n- " + b"a" * (256 << 10), ("D102",)),
        (b"version: 2", ("D107 version",)),
        (b"links: 3", ("D107 links",)),
        (b"links: [5]", ("D107 links.0",)),
        (b"links: [{name: x}]", ("D106 links.x",)),
        (b"links: [{mac: '00:00:5e:00:53:01', mtu: big}]", ("D107 links.00:00:5e:00:53:01.mtu",)),
        (b"links: [{mac: '00:00:5e:00:53:01', ipv4: {methd: dhcp}}]", ("D105 links.00:00:5e:00:53:01.ipv4",)),
        (
            b"links: [{mac: '00:00:5e:00:53:01', ipv4: {method: static, addresses: [10.0.0.5]}}]",
            ("N101 links.00:00:5e:00:53:01.ipv4.addresses",),
        ),
    ],
)
def test_a_hostile_or_wrong_document_is_refused_with_its_place(data: bytes, codes: tuple[str, ...]) -> None:
    assert issues(data) == codes


def test_yaml_words_that_would_be_something_else_are_what_was_typed() -> None:
    config = document.parse(b"links:\n- mac: 10:20:30:40:50:59\n  name: no\n  ipv4: {method: off}\n")
    assert (config.links[0].mac, config.links[0].name) == ("10:20:30:40:50:59", "no")
    assert config.links[0].ipv4.method == "off"


@given(st.binary(max_size=120))
def test_any_bytes_are_a_document_or_refused(data: bytes) -> None:
    found: HostConfig | tuple[Issue, ...]
    try:
        found = document.parse(data)
    except Refused as refused:
        found = refused.issues
    assert isinstance(found, HostConfig) or all(issue.code and issue.remedy for issue in found)


def test_a_document_written_is_read_back_equal() -> None:
    config = document.parse(STATIC.encode())
    assert document.parse(document.text(config).encode()) == config


def test_a_pipe_does_not_hang_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Refused):
        document.read(tmp_path / "fifo")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("keep_within = 5", "keep_within"),
        ("keep_within = true", "keep_within"),
        ("kep_within = 60", "kep_within"),
        ("agent = 3", "agent"),
        ("[agent]\nurl = 3", "agent.url"),
        ("[agent]\nuri = 'x'", "agent_uri"),
        ("= =", "."),
    ],
)
def test_settings_that_are_wrong_say_so(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "etc/onsite").mkdir(parents=True)
    (tmp_path / "etc/onsite/onsite.toml").write_text(text)
    with pytest.raises(ValueError, match=complaint):
        settings.load(tmp_path)


def test_settings(tmp_path: Path) -> None:
    assert settings.load(tmp_path).keep_within == 120
    (tmp_path / "etc/onsite").mkdir(parents=True)
    (tmp_path / "etc/onsite/onsite.toml").write_text("keep_within = 300\n[agent]\nurl = 'https://127.0.0.1:5080'\n")
    assert settings.load(tmp_path) == settings.Settings(300, agent_url="https://127.0.0.1:5080")
