"""The environment: what counts as whole, what is removed, and what is never touched."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tools import commands, environment
from tools.environment import ROOT, SetUpError


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment that says it has everything in the lock."""
    folder = tmp_path / "venv"
    subprocess.run([environment.base_python(), "-m", "venv", "--without-pip", str(folder)], check=True)
    site = environment.site_packages(folder)
    assert site is not None
    for name, version in environment.locked_versions().items():
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (site / f"{name}.py").touch()
        (info / "RECORD").write_text(f"{name}.py,sha256=x,0\n__pycache__/{name}.cpython-311.pyc,,\n")
    return folder


def site_of(venv: Path) -> Path:
    site = environment.site_packages(venv)
    assert site is not None
    return site


def test_whole_environment_is_used_as_it_is(venv: Path) -> None:
    began = time.monotonic()
    assert environment.problem(venv) is None
    assert time.monotonic() - began < 1


def test_environment_named_by_variable_is_adopted(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONSITE_VENV", str(venv))
    assert environment.environment() == venv / "bin" / "python"
    assert environment.stamped(venv)
    said = subprocess.run(
        [venv / "bin" / "python", "-c", "import tui; print(tui.__file__)"], cwd="/", capture_output=True, text=True
    )
    assert said.stdout.strip() == str(ROOT / "tui" / "__init__.py"), said.stderr


def test_missing_package_is_named(venv: Path) -> None:
    next(site_of(venv).glob("textual-*.dist-info")).rename(site_of(venv) / "textual-0.1.dist-info")
    assert environment.problem(venv) == "it has textual 0.1 and the lock asks for 8.2.8"


def test_missing_file_is_found_where_there_is_no_stamp(venv: Path) -> None:
    (site_of(venv) / "textual.py").unlink()
    assert environment.problem(venv) == "textual.py is missing in it"


def test_python_that_does_not_run_is_found(venv: Path) -> None:
    python = venv / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/false\n")
    python.chmod(0o755)
    assert "does not run" in (environment.problem(venv) or "")


def test_half_made_environment_is_removed(venv: Path, tmp_path: Path) -> None:
    environment.remove(venv)
    (tmp_path / "started" / "lib").mkdir(parents=True)
    environment.remove(tmp_path / "started")
    assert list(tmp_path.iterdir()) == []


def test_something_else_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-mother.txt").write_text("dear")
    with pytest.raises(SetUpError, match="no Python environment"):
        environment.remove(tmp_path / "letters")
    (tmp_path / "link").symlink_to(tmp_path / "letters")
    environment.remove(tmp_path / "link")
    assert (tmp_path / "letters" / "to-mother.txt").read_text() == "dear"


def test_folder_that_cannot_be_removed_is_a_sentence(
    venv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    (venv / "bin" / "python").unlink()
    monkeypatch.setenv("ONSITE_VENV", str(venv))
    monkeypatch.setattr(environment.shutil, "rmtree", refuse)
    assert commands.run(["demo"]) == 2
    assert "cannot be removed (Permission denied)" in capsys.readouterr().err


def test_folder_that_somebody_else_prepared_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = environment.private_folder()
    folder.chmod(0o777)
    with pytest.raises(SetUpError, match="somebody else"):
        environment.private_folder()


def test_two_at_once_take_turns(tmp_path: Path) -> None:
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait(10)
        with environment.only_one(tmp_path / "venv"):
            order.append("second")

    other = threading.Thread(target=second)
    other.start()
    with environment.only_one(tmp_path / "venv"):
        inside.set()
        other.join(0.2)
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]


def test_old_python_gets_a_sentence() -> None:
    """Python 3.6, which RHEL 8 and SLES 15 call python3, can read the file; nothing else is read before it checks."""
    source = (ROOT / "dev.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    assert [node.names[0].name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)] == ["sys"]
    old = f"import sys; sys.version_info = (3, 6, 8); sys.argv = ['dev.py', 'test']; exec({source!r})"
    said = subprocess.run([sys.executable, "-c", old], cwd=ROOT, capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("onsite: Onsite needs Python 3.11 or newer")
    assert len(said.stderr.splitlines()) == 1


def test_unknown_command_shows_the_commands() -> None:
    said = subprocess.run([sys.executable, "dev.py", "tset"], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 2
    assert "python3 dev.py test" in said.stdout
