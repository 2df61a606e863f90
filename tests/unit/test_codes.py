"""Every code has a title, a page, and a place in the program."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tui.models import codes

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"[A-Z][0-9]{3}")


def used() -> set[str]:
    """Codes as whole strings in the source, without the list of titles itself."""
    found: set[str] = set()
    for folder in ("tui", "screens", "agent"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name == "codes.py":
                continue
            strings = (n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant))
            found |= {s for s in strings if isinstance(s, str) and CODE.fullmatch(s)}
    return found


def test_every_code_in_the_source_has_a_title() -> None:
    assert len(used()) > 50
    assert used() - codes.TITLES.keys() == set()


def test_titles_and_pages_are_the_same_set() -> None:
    assert {path.stem for path in (ROOT / "assets" / "codes").glob("*.md")} == codes.TITLES.keys()


def test_every_title_is_of_a_code_that_can_be_shown() -> None:
    assert codes.TITLES.keys() - used() == set()


@pytest.mark.parametrize("code", sorted(codes.TITLES))
def test_page_fits_the_help_screen(code: str) -> None:
    lines = codes.page(code).splitlines()
    assert lines[0] == f"# {code} {codes.TITLES[code]}"
    assert "## What to do" in lines
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 64
    assert all(line.isascii() for line in lines), "a serial line shows ASCII only"


@pytest.mark.parametrize("code", ["N999", "../../README", "", "n101"])
def test_no_page(code: str) -> None:
    assert codes.page(code).startswith("There is no page for ")
