"""The edit lease, and the draft on disk: who edits, until when, and what is left after a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screens.machine import NOON, machine, session_on
from tui.models.change import Refused
from tui.models.host import HostConfig
from tui.models.proxy import ProxyConfig
from tui.services import draft, lease, recording
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.session import Session

SECRET = "s3cret: 'with' \"all\" # of it"


@pytest.fixture
def two(tmp_path: Path) -> tuple[Session, Session]:
    """alice at the serial line and bob at the screen, of one host."""
    alice, bob = (session_on(machine(), tmp_path) for _ in range(2))
    bob.host.clock = alice.host.clock
    bob.who, bob.line = "bob", "tty1"
    return alice, bob


def proxy(password: str = SECRET) -> ProxyConfig:
    upstream = {"host": "proxy.site.example", "port": 3128, "user": "edge", "password": password}
    return ProxyConfig.model_validate({"method": "one", "http": upstream})


def clock(session: Session) -> FixedClock:
    assert isinstance(session.host.clock, FixedClock)
    return session.host.clock


def test_one_edits_and_everybody_sees_who(two: tuple[Session, Session]) -> None:
    alice, bob = two
    alice.set_parts(proxy=proxy())
    bob.tend(editing=False)
    assert bob.holder is not None
    assert bob.holder.words == f"ttyS0, alice, since {lease.Lease('', '', '', NOON, 0).words[-5:]}"
    assert bob.draft == alice.draft, "the draft is the host's"
    with pytest.raises(Refused) as refused:
        bob.set_parts(clock=None)
    assert refused.value.issues[0].code == "W101"
    assert alice.holder is None


def test_taking_over_takes_the_draft_and_tells_the_other(two: tuple[Session, Session]) -> None:
    alice, bob = two
    alice.set_parts(proxy=proxy())
    bob.tend(editing=False)
    bob.claim(over=True)
    over = alice.tend(editing=True)
    assert over is not None
    assert (over.who, over.line) == ("bob", "tty1")
    assert alice.tend(editing=True) is None, "said once"
    bob.set_parts(proxy=proxy("another"))
    alice.tend(editing=False)
    assert alice.draft is not None
    assert alice.draft.proxy == proxy("another")


def test_a_lease_that_is_renewed_lasts_and_one_that_is_not_ends(two: tuple[Session, Session]) -> None:
    alice, bob = two
    alice.set_parts(proxy=proxy())
    for _ in range(30):
        clock(alice).move(lease.RENEW_SECONDS)
        alice.tend(editing=False)
    with pytest.raises(Refused):
        bob.claim()
    clock(alice).move(lease.SECONDS)  # alice's line is cut
    bob.claim()
    assert alice.tend(editing=True) is not None


def test_it_is_let_go_when_there_is_nothing_left_to_edit(two: tuple[Session, Session]) -> None:
    alice, bob = two
    alice.claim()
    alice.tend(editing=True)
    with pytest.raises(Refused):
        bob.claim()
    alice.tend(editing=False)
    bob.claim()
    assert bob.holder is None


def test_a_restart_ends_it(tmp_path: Path) -> None:
    host = Host(tmp_path, session_on(machine(), tmp_path).host.kernel, "recorded", FixedClock(NOON, 5000.0))
    lease.take(host, lease.Lease("a", "alice", "tty1", 0, 0))
    assert isinstance(host.clock, FixedClock)
    host.clock = FixedClock(NOON + 60, 20.0)
    assert lease.held(host) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"token": 1}', b"\xff", b'{"who": "x"}'])
def test_a_torn_file_is_no_lease(content: bytes, tmp_path: Path) -> None:
    host = session_on(machine(), tmp_path).host
    host.path(lease.PATH).parent.mkdir(parents=True)
    host.path(lease.PATH).write_bytes(content)
    assert lease.held(host) is None


def test_of_many_at_once_one_has_it(tmp_path: Path) -> None:
    """Twelve processes ask for it together."""
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom tests.screens.machine import machine, session_on\n"
        "from tui.models.change import Refused\nroot = Path(sys.argv[1])\nsession = session_on(machine(), root)\n"
        "while not (root / 'go').exists(): time.sleep(0.001)\n"
        "try:\n    session.claim()\n    print('mine')\nexcept Refused: print('theirs')\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(12)]
    (tmp_path / "go").touch()
    said = [process.communicate(timeout=60)[0].strip() for process in running]
    assert sorted(said) == ["mine"] + ["theirs"] * 11


# --- the draft on disk ---


def test_draft_survives_the_console(tmp_path: Path) -> None:
    before = session_on(machine(), tmp_path)
    before.set_parts(proxy=proxy())
    after = session_on(machine(), tmp_path)  # a crash, a lost line and a restart leave the same: the disk
    assert after.look_at_draft()
    assert after.draft is not None
    assert after.draft.proxy is not None
    assert after.draft.proxy.http is not None
    assert after.draft.proxy.http.secret == SECRET
    assert not after.look_at_draft(), "read once"


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    session = session_on(machine(), tmp_path)
    where = session.host.path(draft.PATH)
    where.parent.mkdir(parents=True, mode=0o755)
    where.write_text("from before, open to all")
    where.chmod(0o644)
    os.umask(0)
    try:
        session.set_parts(proxy=proxy())
    finally:
        os.umask(0o022)
    assert where.stat().st_mode & 0o777 == 0o600
    assert SECRET.split(":", maxsplit=1)[0] in where.read_text()


def test_where_a_file_cannot_be_kept_from_others_there_is_no_secret_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system that gives every file the same mode, as FAT does: the answer of fstat(2) is that one's."""
    session = session_on(machine(), tmp_path)
    asked = os.fstat

    def fat(fd: int) -> os.stat_result:
        status = list(asked(fd))
        status[0] |= 0o777
        return os.stat_result(status)

    monkeypatch.setattr(os, "fstat", fat)
    session.set_parts(proxy=proxy())
    text = session.host.path(draft.PATH).read_text()
    assert "proxy.site.example" in text
    assert "s3cret" not in text


@pytest.mark.parametrize("spoil", ["mode", "link", "content", "folder"])
def test_a_draft_that_is_not_ours_is_none(spoil: str, tmp_path: Path) -> None:
    session_on(machine(), tmp_path).set_parts(proxy=proxy())
    after = session_on(machine(), tmp_path)
    where = after.host.path(draft.PATH)
    if spoil == "mode":
        where.chmod(0o622)
    elif spoil == "link":
        where.rename(tmp_path / "elsewhere")
        where.symlink_to(tmp_path / "elsewhere")
    elif spoil == "content":
        where.write_text("version: 1\nlinks: [")
    else:
        where.unlink()
        where.mkdir()
    after.look_at_draft()
    assert after.draft is None


def test_discarded_and_applied_are_gone_from_disk(tmp_path: Path) -> None:
    session = session_on(machine(), tmp_path)
    session.set_parts(proxy=proxy())
    assert draft.seen(session.host) != draft.NOTHING
    session.discard()
    assert draft.seen(session.host) == draft.NOTHING


def test_a_full_disk_keeps_the_draft_in_this_console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_on(machine(), tmp_path)
    (tmp_path / "var").mkdir()
    (tmp_path / "var/lib").touch()  # no folder can be made below a file
    session.set_parts(proxy=proxy())
    assert session.draft is not None


TYPED = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60)


@given(password=TYPED, user=st.text("abcXYZ019.-_", min_size=1, max_size=20))
def test_every_secret_comes_back_as_it_was_typed(
    password: str, user: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    host = recording.host(machine(), tmp_path_factory.getbasetemp() / "secrets", FixedClock(NOON))
    wish = HostConfig.model_validate(
        {"proxy": {"method": "one", "http": {"host": "p.example", "user": user, "password": password}}}
    )
    draft.store(host, wish)
    assert draft.load(host) == wish
