"""Keystrokes replayed to the same screens: the golden recordings, and the replay itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.terminal import Program
from tui.commands import keys, play
from tui.services import recording

CODE = Path(__file__).resolve().parents[2]
MACHINES = CODE / "assets" / "machines"
GOLDEN = sorted((Path(__file__).parent / "recordings").glob("*.keys"))
CLOCK = "2026-01-31T10:42"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.snapshot
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
async def test_golden(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    replay = keys.load(path)
    host = recording.host(recording.load(MACHINES / replay.machine), tmp_path, recording.clock(replay.clock))
    if request.config.option.update_snapshots:
        await play.record(host, replay)
        path.write_text(keys.text(replay), encoding="utf-8")
        return
    assert all(step.rows for step in replay.steps), "a recording without screens"
    difference = await play.play(host, replay)
    assert not difference, "\n".join(difference)


def test_there_are_golden_recordings() -> None:
    assert len(GOLDEN) >= 4


def demo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`onsite demo` on the recorded shop, as a process without a terminal."""
    command = [sys.executable, "-m", "tui", "demo", "--machine", MACHINES / "shop.json", "--clock", CLOCK, *arguments]
    ended = subprocess.run(
        [str(word) for word in command], cwd=CODE, text=True, capture_output=True, stdin=subprocess.DEVNULL,
        timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in ended.stderr
    return ended


def test_what_is_recorded_plays_and_what_differs_is_shown(tmp_path: Path) -> None:
    file, out = tmp_path / "in.keys", tmp_path / "out.keys"
    file.write_text("# places\nkey 2\nkey 1\n")
    assert demo("--play", file, "--record", out).returncode == 0
    recorded = keys.load(out)
    assert [str(step) for step in recorded.steps] == ["start", "key 2", "key 1"]
    assert (recorded.machine, recorded.clock, recorded.comments) == ("shop.json", CLOCK, ["# places"])
    assert all(len(step.rows) == 24 for step in recorded.steps)
    assert "shop-17" in recorded.steps[0].rows[0]

    same = demo("--play", out)
    assert (same.returncode, same.stdout) == (0, "3 screens, all as recorded\n")

    out.write_text(out.read_text().replace("shop-17", "shop-18", 1).replace("key 2", "key 4", 1))
    other = demo("--play", out)
    assert other.returncode == 1
    lines = other.stdout.splitlines()
    assert lines[0] == "screen 1, after `start`, is not as recorded:"
    assert [line[:8] for line in lines if line[0] in "+-"] == ["-shop-18", "+shop-17"]


def test_a_file_that_is_no_replay_is_2(tmp_path: Path) -> None:
    file = tmp_path / "bad.keys"
    file.write_text("key 2\npress 3\n")
    ended = demo("--play", file)
    assert ended.returncode == 2
    assert "line 2" in ended.stderr


def test_live_recording_needs_a_terminal(tmp_path: Path) -> None:
    ended = demo("--record", tmp_path / "x.keys")
    assert ended.returncode == 2
    assert "terminal" in ended.stderr


def test_a_live_recording_plays(tmp_path: Path) -> None:
    out = tmp_path / "live.keys"
    onsite = [sys.executable, "-m", "tui", "demo", "--machine", "assets/machines/shop.json", "--clock", CLOCK]
    surroundings = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(CODE)}
    with Program([*onsite, "--record", str(out)], "xterm", environ=surroundings) as program:
        program.expect("Enter open")
        program.press("2", "enter", "s", "tab", *"1", "escape", "y", "q", "y")
        assert program.reap(60) == 0
    recorded = [str(step) for step in keys.load(out).steps]
    assert recorded == [
        "start",
        *(f"key {k}" for k in ("2", "enter", "s", "tab")),
        "type 1",
        "key escape",
        "key y",
        "key q",
    ]
    assert demo("--play", out).returncode == 0


def test_keys_that_came_in_are_written_as_a_person_would() -> None:
    pressed = [("2", None), ("enter", "\r"), *((c, c) for c in "10."), ("tab", "\t"), ("ctrl+x", "\x18")]
    steps = [str(step) for step in keys.of_presses(pressed)]
    assert steps == ["start", "key 2", "key enter", "type 10.", "key tab", "key ctrl+x"]


ROWS = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])).map(str.rstrip), max_size=3)
STEPS = st.lists(
    st.builds(
        keys.Step,
        st.just("key"),
        st.sampled_from(["tab", "ctrl+l", "#", "|"]),
        ROWS,
    )
    | st.builds(keys.Step, st.just("type"), st.text("abc #|", min_size=1).map(str.strip).filter(bool), ROWS),
    max_size=4,
)


@given(STEPS, ROWS)
def test_a_replay_written_is_read_back_equal(some: list[keys.Step], first: list[str]) -> None:
    replay = keys.Replay("shop.json", CLOCK, (80, 25), [keys.Step("start", "", first), *some], ["# about it"])
    file = keys.text(replay)
    assert keys.parse(file) == replay
    assert keys.text(keys.parse(file)) == file
