"""Passwords, tokens and private keys are in their own files of root's alone, and nowhere else: not in a log, a crash
report, the audit, what is printed, the recording of facts, or a support bundle; not even where a change breaks.

What a real host shows beside it (journal, process list, environments, the terminal) is tried in tests/host.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.certificates import NOW, issued, server
from tests.screens.machine import machine
from tests.unit.test_support import found
from tui.commands import facts as facts_command
from tui.commands import fault, show, words
from tui.commands import plan as plan_command
from tui.models.host import HostConfig
from tui.services import document, draft, facts, recording
from tui.services.change import planner, transaction
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.proxy import places
from tui.services.proxy.target import ProxyTarget
from tui.services.support import pack
from tui.services.support.collect import collect
from tui.services.trust import server as serving

AT = NOW.timestamp()
LEAF = server(issued("Example CA"), "edge-7c21")
BODY = LEAF.key_pem.decode().splitlines()[1:-1]
SECRETS = {
    "proxy password": "Pa$$ w0rd:/@#%&+é\"'\\",
    "token": "tok-0123456789abcdefghij",
    "key, first line": BODY[0],
    "key, second line": BODY[1],
}
WISH = {
    "proxy": {
        "method": "one", "http": {"host": "proxy.example", "user": "edge01", "password": SECRETS["proxy password"]},
    },
    "registration": {"endpoint": "manage.example", "token": SECRETS["token"]},
    "server": {"certificate": LEAF.pem.decode(), "key": LEAF.key_pem.decode()},
}  # fmt: skip


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    every = ("shell", "systemd", "apt", "dnf", *places.UNITS)
    made = recording.host(replace(machine(), consumers=every), tmp_path, FixedClock(AT))
    before = logging.getLogger().handlers[:], logging.getLogger().level
    fault.log_to(made)
    logging.getLogger().setLevel(logging.DEBUG)
    yield made
    closed()
    logging.getLogger().handlers[:] = before[0]
    logging.getLogger().setLevel(before[1])


def closed() -> None:
    for handler in logging.getLogger().handlers:
        handler.close()


def wish() -> HostConfig:
    return HostConfig.model_validate(WISH)


def open_files(host: Host) -> bytes:
    """Every file that somebody else than its owner can read."""
    paths = [p for p in host.root.rglob("*") if p.is_file() and not p.is_symlink()]
    return b"\n".join(p.read_bytes() for p in paths if p.stat().st_mode & 0o077)


def reports(host: Host) -> bytes:
    """The logs and the audit, whoever may read them."""
    folder = host.path("/var/lib/onsite")
    return b"\n".join(p.read_bytes() for p in [*folder.glob("log/*"), *folder.glob("audit.log")])


def printed(host: Host, config: HostConfig) -> bytes:
    plan = planner.plan(config, facts.read(host), {})
    said = [repr(config), repr(plan), document.text(config), str(plan.config), *words.planned(plan, facts.read(host))]
    said.append(json.dumps(facts.masked(facts.read(host)).to_dict()))
    return "\n".join(said).encode()


def nowhere(host: Host, more: bytes = b"") -> list[str]:
    searched = (open_files(host), reports(host), pack.packed(collect(host), AT), more)
    return [place for data in searched for place in found(data, SECRETS)]


async def test_through_a_change_that_is_kept(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    draft.store(host, wish())
    assert nowhere(host, printed(host, wish())) == []
    drafted = next(m.data.decode() for m in collect(host).members if m.name == "changes/draft.yaml")
    assert "proxy.example" in drafted
    assert "***" in drafted
    change = await transaction.apply(host, planner.plan(wish(), facts.read(host), {}), {}, who="alice", line="ttyS0")
    assert nowhere(host, printed(host, wish())) == [], "while it waits"
    await transaction.keep(host, {}, change.change_id)
    path = host.root / "wish.yaml"
    path.write_text(json.dumps({**WISH, "version": 1}))
    path.chmod(0o600)
    facts_command.main(host, ["--json"])
    show.history(host, ["--json"])
    show.export(host, [])
    plan_command.main(host, [str(path)])
    plan_command.main(host, [str(path), "--json"])
    said = capsys.readouterr()
    assert len(said.out) > 1000
    assert nowhere(host, (said.out + said.err).encode()) == []
    kept = host.path(places.KEPT).read_text() + host.path(serving.KEY).read_text()
    assert SECRETS["proxy password"] in json.loads(host.path(places.KEPT).read_text())["http"]["password"]
    assert BODY[0] in kept, "they are where they belong"


@pytest.mark.parametrize("breaks", [RuntimeError, OSError, ValueError])
async def test_through_a_change_that_breaks(
    host: Host, breaks: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def reload(self: object, host: Host, paths: object) -> None:
        raise breaks("the disk is on fire")

    monkeypatch.setattr(ProxyTarget, "reload", reload)
    plan = planner.plan(wish(), facts.read(host), {})
    with pytest.raises(Exception) as raised:
        await transaction.apply(host, plan, {}, who="alice", line="ttyS0")
    closed()
    fault.reported(raised.value, host.root)
    said = capsys.readouterr()
    assert b"Traceback" in reports(host)
    assert nowhere(host, (said.out + said.err).encode()) == []


def test_the_search_would_find_them(host: Host) -> None:
    secret = SECRETS["proxy password"]
    logging.getLogger().info("login %s", base64.b64encode(f"edge01:{secret}".encode()).decode())
    assert found(reports(host), SECRETS) != []
