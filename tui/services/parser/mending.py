"""Text as people bring it: through mail, chat, a serial line, an editor that means well. Made into PEM blocks again.

A pasted certificate comes indented, quoted, with other line ends, as one line of a JSON file, or in base64 once more.
What can be read without a doubt is mended, and said; what cannot is pointed at by its line.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

MARKER = re.compile(r"-{3,}[ \t]*(BEGIN|END)[ \t]+([A-Z0-9 #]{1,40}?)[ \t]*-{3,}")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u0000"), None)
_DASHES = str.maketrans(dict.fromkeys("‐‑‒−", "-") | {"\u2013": "--", "\u2014": "---", "\u2015": "---"})
_QUOTED_BEGIN = re.compile(r"[ ]*((?:(?:>|\||#|//|\*)[ ]*)+)-{3,} ?BEGIN")
_BASE64 = re.compile(r"[A-Za-z0-9+/=]*")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,30}:[ \t]")


@dataclass(slots=True)
class Block:
    """What stands between BEGIN and END, and what is wrong with it: "", "cut", "doubled", "line", "length"."""

    label: str
    line: int
    data: bytes = b""
    wrong: str = ""
    where: int = 0
    """The line that is wrong, or may be."""


@dataclass(slots=True)
class Text:
    """The blocks of a text. `mended` says in words what was put right."""

    blocks: list[Block] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    begins: int = 0
    ends: int = 0
    lines: int = 0


def decoded(data: bytes) -> tuple[str, list[str]]:
    """Text of any encoding that Windows and Unix write; never fails, for base64 is ASCII in all of them."""
    for mark, codec, name in (
        (b"\xef\xbb\xbf", "utf-8", "a byte order mark"),
        (b"\xff\xfe", "utf-16-le", "UTF-16"),
        (b"\xfe\xff", "utf-16-be", "UTF-16"),
    ):
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace"), [name]
    if data[:200].count(0) > len(data[:200]) // 3:
        codec = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
        return data.decode(codec, "replace"), ["UTF-16"]
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError:
        return data.decode("latin-1"), []


def blocks(text: str) -> Text:
    """Every PEM block of a text, mended where there is no doubt."""
    found = Text()
    text = _mend(text, found)
    found.lines = text.count("\n") + 1
    markers = list(MARKER.finditer(text))
    found.begins = sum(m[1] == "BEGIN" for m in markers)
    found.ends = len(markers) - found.begins
    at = 0
    while at < len(markers):
        here, after = markers[at], markers[at + 1] if at + 1 < len(markers) else None
        line = text.count("\n", 0, here.start()) + 1
        if here[1] == "END":
            found.blocks.append(Block(here[2], line, wrong="headless", where=line))
        elif after is None or after[1] == "BEGIN" or after[2] != here[2]:
            where = found.lines if after is None else text.count("\n", 0, after.start()) + 1
            found.blocks.append(Block(here[2], line, wrong="cut", where=where))
        else:
            found.blocks.append(_block(here[2], line, text[here.end() : after.start()]))
            at += 1
        at += 1
    return found


def wrapped_once_more(text: str) -> bytes | None:
    """The bytes behind a text that is nothing but base64: a Kubernetes secret, or PEM without its markers."""
    body = re.sub(r"[\s\"',]+", "", re.sub(r"\A\s*[\w.\-\"' ]{1,60}:\s*(?:[|>][+-]?)?\s", "", text))
    if len(body) < 100 or not _BASE64.fullmatch(body):
        return None
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except binascii.Error:
        return None


def _mend(text: str, found: Text) -> str:
    def mended(now: str, words: str) -> None:
        nonlocal text
        if now != text:
            found.mended.append(words)
            text = now

    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    mended(plain, "line ends of Windows")
    text = re.sub(r"(?m)\\n(?=[\"'`][ ]*[+,;.\\]?[ ]*$)", "", text)  # the string of a program, a line each
    if "\n" not in text.strip() or text.count("\\n") > text.count("\n"):
        mended(text.replace("\\r", "").replace("\\n", "\n"), "line ends written as \\n")
    mended(text.translate(_INVISIBLE), "characters that cannot be seen")
    mended(text.translate(_DASHES), "dashes that an editor has changed")
    mended(text.replace("\xa0", " ").replace("\t", " "), "blanks of another kind")
    mended(re.sub(r"(?i)<br ?/?>|</?p>|&nbsp;", "\n", text), "marks of a web page")
    mended(_unquoted(text), "marks of a quotation")
    mended(re.sub(r"(?m)^[ ]*(?:[\"'`][ ]*)?|[ ]*(?:[\"'`][ ]*[+,;\\]*)?[ ]*$", "", text), "indentation or quotes")
    return text


def _unquoted(text: str) -> str:
    """Without the marks that stand before a quoted BEGIN, in its line and in those down to END.

    Just these marks and as many of them: `//` may also be how a line of base64 begins.
    """
    rows, marks = [], re.compile("")
    for row in text.split("\n"):
        if begins := _QUOTED_BEGIN.match(row):
            each = begins[1].replace("//", "/").replace(" ", "")
            marks = re.compile("".join(f"[ ]*{re.escape('//' if mark == '/' else mark)}" for mark in each) + "[ ]?")
        rows.append(marks.sub("", row, count=1) if marks.match(row) else row)
        if (marker := MARKER.search(row)) and marker[1] == "END":
            marks = re.compile("")
    return "\n".join(rows)


def _block(label: str, line: int, body: str) -> Block:
    """The bytes of one block, or the first line that cannot be."""
    rows = body.split("\n")
    start = next((n for n, row in enumerate(rows) if row.strip()), 0)
    if start < len(rows) and _HEADER.match(rows[start]):  # RFC 1421 headers, up to an empty line
        empty = next((n for n in range(start, len(rows)) if not rows[n].strip()), start)
        rows = [""] * empty + rows[empty:]
    for number, row in enumerate(rows):
        if not _BASE64.fullmatch(row.replace(" ", "")):
            return Block(label, line, wrong="line", where=line + number)
    joined = "".join(rows).replace(" ", "")
    try:
        return Block(label, line, base64.b64decode(joined, validate=True), where=_odd_line(rows, line))
    except binascii.Error:
        return Block(label, line, wrong="length", where=_odd_line(rows, line) or line + max(0, len(rows) - 2))


def _odd_line(rows: list[str], line: int) -> int:
    """The line whose length is unlike that of its neighbours: where a serial line has lost characters. 0 for none."""
    full = [len(row) for row in rows if row.strip()]
    usual = max(set(full), key=full.count, default=64)
    inner = [(n, len(row)) for n, row in enumerate(rows) if row.strip()][:-1]
    return next((line + n for n, length in inner if length != usual), 0)
