"""One page shows what a screen looked like, what it looks like now and what differs; only the baseline may redraw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import baseline

SCREENS = """
import os
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.app import App
from textual.widgets import Label

class Grid(SingleFileSnapshotExtension):
    _file_extension = "txt"
    _write_mode = WriteMode.TEXT

class Screen(App):
    def compose(self):
        yield Label(os.environ.get("WORD", "before"))

def test_picture(snap_compare):
    assert snap_compare(Screen())

def test_grid(snapshot):
    assert "first line\\n<" + os.environ.get("WORD", "before") + ">" == snapshot(extension_class=Grid)

def test_no_snapshot():
    pass
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "t" / "screens").mkdir(parents=True)
    (tmp_path / "t" / "screens" / "test_screens.py").write_text(SCREENS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    serial: x\n    snapshot: x\n")
    return tmp_path


def pytest_in(tree: Path, *options: str, word: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.plugin",
        "-p",
        "no:cacheprovider",
        "-q",
        "-m",
        "snapshot",
        "t",
    ]
    environ = {**os.environ, "WORD": word}
    return subprocess.run([*command, *options], cwd=tree, env=environ, capture_output=True, text=True)


def test_one_page_with_before_after_and_difference(tree: Path) -> None:
    made = pytest_in(tree, "--snapshot-update", word="before")
    assert made.returncode == 0, made.stdout
    same = pytest_in(tree, "--snapshots-html", "page.html", word="before")
    assert "2 passed, 1 deselected" in same.stdout
    assert "Snapshots: 0 different, 0 new, 2 same" in (tree / "page.html").read_text()

    changed = pytest_in(tree, "--snapshots-html", "page.html", word="after&amp")
    assert changed.returncode == 1
    page = (tree / "page.html").read_text()
    assert "Snapshots: 2 different, 0 new, 0 same" in page
    assert "<del>- &lt;before&gt;</del>\n<ins>+ &lt;after&amp;amp&gt;</ins>" in page
    assert page.count("<svg") == 4  # before, after, and both laid over each other
    assert "http" not in page.replace("http://www.w3.org/", "").replace("https://www.textualize.io", "")  # a comment
    # The plugin's own page, which has the environment in it, is not written.
    assert [path.name for path in tree.glob("*.html")] == ["page.html"]


def test_missing_snapshot_fails_and_is_new_on_the_page(tree: Path) -> None:
    first = pytest_in(tree, "--snapshots-html", "page.html", word="before")
    assert first.returncode == 1
    assert "Snapshots: 0 different, 2 new, 0 same" in (tree / "page.html").read_text()


def test_baseline_is_what_runs_here() -> None:
    assert baseline.refusal(sys.executable) is None


@pytest.mark.parametrize("name", ["python", "textual"])
def test_other_version_may_not_draw(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = json.loads(baseline.FILE.read_text())
    (tmp_path / "baseline.json").write_text(json.dumps({**accepted, name: "2.0"}))
    monkeypatch.setattr(baseline, "FILE", tmp_path / "baseline.json")
    sentence = baseline.refusal(sys.executable)
    assert sentence is not None
    assert f"drawn with {name} 2.0 and this is {accepted[name]}:" in sentence
