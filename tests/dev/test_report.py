"""A green run says what it ran, and CI refuses one that ran less than was agreed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import groups
from tests.surroundings import tidied
from tools.environment import ROOT

README = """
## Groups
| group | what | required |
| --- | --- | --- |
| unit | | yes |
| netns | | yes |
| cluster | | no |

## What CI may skip
| test | reason contains | why |
| --- | --- | --- |
| `t/netns/test_links.py` | needs a modem | nobody has one |
"""
UNIT = """
import pytest
def test_passes(): pass
def test_too(): pass
@pytest.mark.xfail(reason="not yet")
def test_expected(): assert 0
"""
LINKS = """
import pytest
def test_real(): pass
def test_modem(): pytest.skip("this test needs a modem")
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in (("t/unit/test_mask.py", UNIT), ("t/netns/test_links.py", LINKS), ("README.md", README)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    serial: x\n    snapshot: x\n")
    return tmp_path


def run(tree: Path, *options: str) -> groups.Run:
    """One run of pytest with our plugin in `tree`, as dev.py does it."""
    report = tree / "run.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-p", "tests.plugin", "-p", "no:cacheprovider", "-q", "t"]
    done = subprocess.run(
        [*command, "--groups-report", str(report), *options], cwd=tree, capture_output=True, text=True
    )
    assert report.exists(), done.stdout + done.stderr
    return groups.read_run(report, done.returncode)


def conclude(tree: Path, *runs: groups.Run, strict: bool = True) -> int:
    return groups.conclude(list(runs), readme=tree / "README.md", strict=strict)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "two workers"])
def test_counts_every_group(tree: Path, workers: list[str]) -> None:
    (tree / "t/unit/test_whole.py").write_text("import pytest\npytest.skip('no such thing', allow_module_level=True)\n")
    (tree / "t/netns/test_broken.py").write_text(
        "import pytest\n@pytest.fixture\ndef half():\n    yield\n    assert 0\ndef test_ends_badly(half): pass\n"
    )
    found = run(tree, *workers).groups
    assert (found["unit"].passed, found["unit"].failed) == (2, 0)
    assert sorted(why for _, why in found["unit"].skipped) == ["expected to fail: not yet", "no such thing"]
    assert (found["netns"].passed, found["netns"].failed) == (1, 1)
    assert [why for _, why in found["netns"].skipped] == ["this test needs a modem"]


def test_what_may_be_skipped_is_accepted(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "t/unit/test_mask.py").write_text("def test_passes(): pass\n")
    assert conclude(tree, run(tree)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "2 passed, 0 failed, 1 skipped"
    assert any(
        line.split()[0:4] == ["netns", "1", "0", "1"] and "1 x this test needs a modem" in line for line in lines
    )
    assert any(line.startswith("cluster") and line.endswith("nothing ran") for line in lines)


def test_ci_refuses_a_skip_that_nobody_agreed_to(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(tree)
    assert conclude(tree, done, strict=False) == 0
    assert conclude(tree, done) == 1
    assert "t/unit/test_mask.py::test_expected was skipped" in capsys.readouterr().out


def test_ci_refuses_a_group_that_ran_nothing(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(tree, "--ignore=t/unit")
    assert conclude(tree, done, strict=False) == 0
    assert conclude(tree, done) == 1
    assert "refused: the group unit ran nothing" in capsys.readouterr().out


def test_ci_refuses_a_group_without_a_row(tree: Path) -> None:
    (tree / "t/unit/test_mask.py").write_text("def test_passes(): pass\n")
    (tree / "t/new").mkdir()
    (tree / "t/new/test_x.py").write_text("def test_x(): pass\n")
    assert conclude(tree, run(tree)) == 1


def test_a_failure_fails_everywhere(tree: Path) -> None:
    (tree / "t/unit/test_mask.py").write_text("def test_fails(): assert 0\n")
    assert conclude(tree, run(tree), strict=False) == 1


def test_a_phase_without_tests_is_fine_and_a_run_without_any_is_not(tree: Path) -> None:
    (tree / "t/unit/test_mask.py").write_text("def test_passes(): pass\n")
    everything, nothing = run(tree), run(tree, "-k", "no_such_test")
    assert nothing.status == groups.NOTHING_COLLECTED
    assert conclude(tree, everything, nothing) == 0
    assert conclude(tree, nothing, nothing, strict=False) == 1


def test_a_run_that_died_fails(tree: Path) -> None:
    died = groups.read_run(tree / "never-written.json", status=-9)
    assert conclude(tree, run(tree), died, strict=False) == 1


def test_a_file_that_cannot_be_imported_fails(tree: Path) -> None:
    (tree / "t/unit/test_mask.py").write_text("import nothing_of_this_name\n")
    assert conclude(tree, run(tree), strict=False) == 1


def test_our_own_readme_has_both_tables() -> None:
    rules = groups.read_rules(ROOT / "tests" / "README.md")
    assert list(rules.required)[:3] == ["unit", "screens", "flow"]
    assert [name for name, needed in rules.required.items() if not needed] == ["cluster"]  # its engine is not ours


def test_the_callers_terminal_and_proxy_do_not_reach_a_test() -> None:
    caller = {"PATH": "/bin", "NO_COLOR": "1", "TEXTUAL_THEME": "x", "https_proxy": "http://p", "ONSITE_VENV": "/v"}
    inside = tidied({**caller, "LC_TIME": "de_DE", "COLUMNS": "300", "SSH_TTY": "/dev/pts/0", "ONSITE_ROOT": "/"})
    assert {name: inside[name] for name in ("PATH", "ONSITE_VENV", "TERM", "LC_ALL")} == {
        **{"PATH": "/bin", "ONSITE_VENV": "/v", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    }
    assert not {"NO_COLOR", "TEXTUAL_THEME", "https_proxy", "LC_TIME", "COLUMNS", "SSH_TTY", "ONSITE_ROOT"} & set(
        inside
    )
    # Tidied twice, by dev.py and by the plugin, and what was taken out is still there for pip.
    assert '"https_proxy": "http://p"' in tidied(inside)["ONSITE_OUTSIDE"]
