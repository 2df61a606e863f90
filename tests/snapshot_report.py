"""One self-contained HTML page of every snapshot: before, after and what differs, for pictures and for text grids."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_textual_snapshot

STYLE = """
body{font:14px/1.4 system-ui,sans-serif;margin:2em;background:#fff;color:#111}
summary{border-top:1px solid #999;padding:1em 0;font-weight:bold;cursor:pointer}
.row{display:flex;gap:1em;flex-wrap:wrap} figure{margin:0;flex:1 1 30em;min-width:20em} figcaption{font-weight:bold}
svg{width:100%;height:auto} pre{font:12px/1.2 monospace;background:#f4f4f4;padding:.5em;overflow-x:auto}
del{background:#fdd;text-decoration:none} ins{background:#dfd;text-decoration:none}
.over{position:relative;background:#000} .over>div+div{position:absolute;inset:0;mix-blend-mode:difference}
"""


@dataclass(frozen=True)
class Comparison:
    """One comparison of what is drawn now with what was accepted."""

    test: str
    file: str
    before: str
    after: str
    success: bool

    @property
    def state(self) -> str:
        if not self.before:
            return "new"
        return "same" if self.before == self.after and self.success else "different"


def replace_plugin_report() -> None:
    """The snapshot plugin writes a page of its own, of the pictures only, with the environment in it. Not here."""
    pytest_textual_snapshot.save_svg_diffs = lambda *_: None


def comparisons(session: pytest.Session) -> Iterator[Comparison]:
    """What syrupy compared in this process (pinned exactly, since this looks inside it)."""
    for assertion in session.config._syrupy._assertions:
        for result in assertion.executions.values():
            yield Comparison(
                test=result.test_location.nodeid if hasattr(result.test_location, "nodeid") else assertion.name,
                file=Path(result.snapshot_location).name,
                before=text_of(result.recalled_data),
                after=text_of(result.asserted_data),
                success=result.success,
            )


def text_of(data: str | bytes | None) -> str:
    return data.decode() if isinstance(data, bytes) else data or ""


def write(path: Path, session: pytest.Session) -> None:
    """Write the page; what differs comes first and open, the rest folded."""
    order = {"different": 0, "new": 1, "same": 2}
    found = sorted(comparisons(session), key=lambda one: (order[one.state], one.test, one.file))
    count = {state: sum(one.state == state for one in found) for state in order}
    title = ", ".join(f"{number} {state}" for state, number in count.items())
    body = "\n".join(section(number, one) for number, one in enumerate(found))
    page = f"<!doctype html><meta charset=utf-8><title>Snapshots: {title}</title><style>{STYLE}</style>"
    path.write_text(
        f"{page}<h1>Snapshots: {title}</h1>\n{body or '<p>No snapshot was compared.</p>'}\n", encoding="utf-8"
    )


def section(number: int, one: Comparison) -> str:
    head = f"{html.escape(one.test)} <small>{html.escape(one.file)}: {one.state}</small>"
    drawing = one.after.lstrip().startswith("<svg")
    parts = [f"<figure><figcaption>{name}</figcaption>{part}</figure>" for name, part in panels(number, one, drawing)]
    is_open = "" if one.state == "same" else " open"
    return f"<details{is_open}><summary>{head}</summary><div class=row>{''.join(parts)}</div></details>"


def panels(number: int, one: Comparison, drawing: bool) -> Iterator[tuple[str, str]]:
    if one.state == "same":
        yield "as accepted", picture(one.after, f"s{number}") if drawing else f"<pre>{html.escape(one.after)}</pre>"
        return
    if drawing:
        yield "before", picture(one.before, f"b{number}") or "none"
        yield "after", picture(one.after, f"a{number}")
        both = picture(one.before, f"x{number}"), picture(one.after, f"y{number}")
        yield (
            "difference (what is the same is black)",
            f"<div class=over><div>{both[0]}</div><div>{both[1]}</div></div>",
        )
        return
    yield "before", f"<pre>{html.escape(one.before)}</pre>"
    yield "after", f"<pre>{html.escape(one.after)}</pre>"
    yield "difference", f"<pre>{difference(one.before, one.after)}</pre>"


def picture(svg: str, name: str) -> str:
    """An SVG with ids of its own (rich names its classes alike in every picture) and with no font to be fetched."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
    return re.sub(r"\bterminal(?:-\d+)?-([\w-]+)", rf"terminal-{name}-\1", svg)


def difference(before: str, after: str) -> str:
    """The lines of both, the lost ones marked as deleted and the new ones as inserted."""
    lines = []
    for line in difflib.ndiff(before.splitlines(), after.splitlines()):
        mark, text = line[:2], html.escape(line[2:]) or " "
        if mark != "? ":
            lines.append({"- ": f"<del>- {text}</del>", "+ ": f"<ins>+ {text}</ins>"}.get(mark, f"  {text}"))
    return "\n".join(lines)
