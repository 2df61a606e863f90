"""What must agree across the tree, so that it cannot come apart unseen."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

import tui
from tests import groups
from tools.environment import LOCK, ROOT, locked_versions, normal

CODE = re.compile(r"[A-Z]\d{3}")
PROGRAM = ("tui", "screens", "agent")


def codes_used() -> Iterator[tuple[str, str]]:
    """Every issue code that the program can show, with the file that has it."""
    for folder in PROGRAM:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                    yield node.value, str(path.relative_to(ROOT))


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_code_has_a_page() -> None:
    used = dict(codes_used())
    assert used, "no code was found, so this test looks in the wrong place"
    pages = {path.stem for path in (ROOT / "assets" / "codes").glob("*.md")}
    assert {code: where for code, where in used.items() if code not in pages} == {}


def test_every_page_is_of_a_code_in_use() -> None:
    used = {code for code, _ in codes_used()}
    pages = {path.stem for path in (ROOT / "assets" / "codes").glob("*.md") if CODE.fullmatch(path.stem)}
    assert pages - used == set()


def test_readme_shows_both_commands() -> None:
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:60]
    text = "\n".join(first_screen)
    assert "make demo" in text
    assert "make test" in text
    assert re.search(r"!\[[^]]*\]\([^)]+\)|<img ", text), "a picture of the program"


def test_every_command_of_dev_is_in_its_help_and_in_the_makefile() -> None:
    commands = subprocess.run([sys.executable, "dev.py", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = re.findall(r"^    python3 dev\.py ([a-z-]+)", commands.stdout, re.MULTILINE)
    targets = re.search(r"^COMMANDS = (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert targets is not None
    assert sorted(listed) == sorted(targets[1].split())


def test_changelog_begins_with_this_version() -> None:
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heading is not None
    assert heading[1] in (tui.__version__, "Unreleased")


def test_lock_names_no_index() -> None:
    assert not re.search(r"https?://|file:|--index|--extra|--find-links|--trusted", LOCK.read_text(encoding="utf-8"))


def test_lock_satisfies_the_project() -> None:
    asked = project()["project"]["dependencies"] + project()["dependency-groups"]["dev"]  # type: ignore[index, operator]
    pins = locked_versions()
    wrong = [
        line
        for line in asked
        if (needed := Requirement(line)) and not needed.specifier.contains(pins.get(normal(needed.name), "0"))
    ]
    assert wrong == []


def test_every_dependency_has_a_reason() -> None:
    reasons = (ROOT / "docs" / "decisions" / "dependencies.md").read_text(encoding="utf-8")
    asked = project()["project"]["dependencies"] + project()["dependency-groups"]["dev"]  # type: ignore[index, operator]
    assert [name for line in asked if f"| {(name := Requirement(line).name)} |" not in reasons] == []


def test_every_group_has_a_folder_and_every_folder_a_row() -> None:
    rows = set(groups.read_rules(ROOT / "tests" / "README.md").required)
    folders = {path.parent.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").glob("*/**/test_*.py")}
    assert rows == folders


def test_imports_point_down() -> None:
    """The arrows of docs/architecture.md, as written in pyproject.toml."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
