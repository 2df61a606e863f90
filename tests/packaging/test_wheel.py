"""What a site installs is whole: built, installed in a fresh environment and started from another folder."""

from __future__ import annotations

import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

import tui
from tests.packaging import wheel
from tools.environment import make, site_packages


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return wheel.build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel, which finds its dependencies where this test finds them.

    It does not find this checkout: a path file within a folder that a path file names is not read.
    """
    venv = tmp_path_factory.mktemp("fresh") / "venv"
    make(venv, ["--no-deps", "--no-index", str(built[1])])
    site = site_packages(venv)
    assert site is not None
    (site / "dependencies.pth").write_text(str(Path(pytest.__file__).parent.parent) + "\n")
    return venv / "bin"


def test_wheel_has_every_file_of_the_program(built: tuple[Path, Path]) -> None:
    assert sorted(wheel.shipped() - wheel.contents(built[1])) == []


def test_wheel_has_nothing_else(built: tuple[Path, Path]) -> None:
    folders = {name.split("/")[0] for name in wheel.contents(built[1])}
    assert folders - set(wheel.FOLDERS) == {f"onsite-{tui.__version__}.dist-info"}


def test_sdist_can_be_tested(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"dev.py", "requirements.lock", "tests/README.md", "tools/environment.py", "LICENSE"} <= names


def test_versions_agree(built: tuple[Path, Path], installed: Path) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        metadata = archive.read(f"onsite-{tui.__version__}.dist-info/METADATA").decode()
    assert f"\nVersion: {tui.__version__}\n" in metadata
    said = subprocess.run([installed / "onsite", "--version"], cwd="/", capture_output=True, text=True, timeout=60)
    assert (said.returncode, said.stdout.split()[-1:]) == (0, [tui.__version__]), said.stderr


def test_program_is_the_installed_one(installed: Path) -> None:
    probe = "import tui, screens, agent; print(tui.__file__, screens.__file__, agent.__file__)"
    said = subprocess.run([installed / "python", "-c", probe], cwd="/", capture_output=True, text=True, check=True)
    assert all(path.startswith(str(installed.parent)) for path in said.stdout.split())


def test_headless_command_runs_from_another_folder(installed: Path) -> None:
    said = subprocess.run([installed / "onsite", "status", "--json"], cwd="/", capture_output=True, timeout=60)
    assert said.returncode == 0, said.stderr.decode()
    assert said.stdout.lstrip().startswith(b"{")


def test_console_finds_its_styles_from_another_folder(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing stylesheet ends textual before its first frame, so a place on the screen shows that all were found."""
    monkeypatch.setenv("ONSITE_PRACTICE", str(tmp_path / "practice"))  # the one in the usual place may be somebody's
    screen = wheel.first_screen([str(installed / "onsite"), "demo"], "Network")
    subprocess.run([installed / "onsite", "demo", "--stop"], cwd="/", capture_output=True, timeout=60)
    assert any("Network" in row for row in screen), "\n".join(screen)
