"""Known secrets found in every spelling that a file or a log may have of them, and replaced.

A secret is searched as it is, percent-encoded, escaped as in JSON, shells and units, in hexadecimal digits, and in
base64 wherever its bytes may begin within a group of three. What is base64 or percent-encoded as a whole is also
decoded and looked into, however often it was encoded.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote_to_bytes

from tui.models.masking import MASK, masked

_HEAD = 6
_DEEPEST = 4
_MASK = MASK.encode()
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{20,}(?:(?:\\n|\r?\n)[ \t>]*[A-Za-z0-9+/_-]{4,})*={0,2}")
"""Something that may be base64, also over several lines."""
_TEXT = frozenset((*b"\t\r\n", *range(0x20, 0x7F)))
_PERCENT = re.compile(rb"[^\s\"'<>]*%[0-9A-Fa-f]{2}[^\s\"'<>]*")


class Spellings:
    """The secrets in all their spellings, ready to be searched for."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._short: set[bytes] = set()
        self._long: defaultdict[bytes, set[bytes]] = defaultdict(set)
        for secret in secrets:
            for pattern in spellings(secret):
                if len(pattern) < _HEAD:
                    self._short.add(pattern)
                else:
                    self._long[pattern[:_HEAD]].add(pattern)
        self._ordered = {head: sorted(those, key=len, reverse=True) for head, those in self._long.items()}

    def masked(self, text: str) -> tuple[bytes, int]:
        """The text in UTF-8 without secrets, and at how many places one was.

        Raises:
            ValueError: one is still there; the text may not leave.
        """
        data, count = self._without(text.encode("utf-8", "replace"))
        shown = masked(data.decode("utf-8", "replace"))
        data, more = self._without(shown.encode())
        if next(self._places(data), None) is not None:
            raise ValueError("a secret could not be masked")
        return data, count + more

    def _without(self, data: bytes) -> tuple[bytes, int]:
        """First what is encoded as a whole, for a secret that is cut out of it would tear the rest apart."""
        count = 0

        def checked(match: re.Match[bytes]) -> bytes:
            nonlocal count
            if not any(self._inside(view, 1) for view in _views(match[0])):
                return match[0]
            count += 1
            return _MASK

        data = _RUN.sub(checked, data)
        if b"%" in data:
            data = _PERCENT.sub(checked, data)
        parts: list[bytes] = []
        end = 0
        for start, stop in self._places(data):
            if start >= end:
                parts += [data[end:start], _MASK]
                count += 1
            end = max(end, stop)
        return b"".join([*parts, data[end:]]), count

    def _inside(self, data: bytes, depth: int) -> bool:
        """Whether a secret is in something that was decoded, or in what can be decoded in there."""
        if next(self._places(data), None) is not None:
            return True
        if depth >= _DEEPEST:
            return False
        runs = [*_RUN.findall(data), *(_PERCENT.findall(data) if b"%" in data else ())]
        return any(self._inside(view, depth + 1) for run in runs for view in _views(run))

    def _places(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where a spelling begins and ends, in the order of their beginnings."""
        found: list[tuple[int, int]] = []
        for pattern in self._short:
            at = data.find(pattern)
            while at >= 0:
                found.append((at, at + len(pattern)))
                at = data.find(pattern, at + 1)
        heads = self._ordered
        if heads:
            for at in range(len(data) - _HEAD + 1):
                those = heads.get(data[at : at + _HEAD])
                if those is not None:
                    pattern = next((p for p in those if data.startswith(p, at)), b"")
                    if pattern:
                        found.append((at, at + len(pattern)))
        return iter(sorted(found))


def spellings(secret: str) -> set[bytes]:
    """The bytes that stand for a secret somewhere."""
    plain = {secret, *_escaped(secret)}
    found: set[bytes] = set()
    for text in plain:
        data = text.encode("utf-8", "replace")
        found |= {data, *_in_base64(data)}
    raw = secret.encode("utf-8", "replace")
    if len(raw) >= _HEAD:
        found |= {raw.hex().encode(), raw.hex().upper().encode()}
    return {pattern for pattern in found if len(pattern) >= 4}


def _escaped(secret: str) -> Iterator[str]:
    for safe in ("", "/", "!$&'()*+,;=:@/?", "-._~!$'()*,"):
        coded = quote(secret, safe=safe)
        yield coded
        yield re.sub("%..", lambda m: m[0].lower(), coded)
    yield quote_plus(secret)
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield from (once, json.dumps(once, ensure_ascii=ascii_only)[1:-1])
    yield shlex.quote(secret)
    yield re.sub(r'([\\"$`])', r"\\\1", secret)
    yield re.sub(r'([\\"])', r"\\\1", secret).replace("%", "%%")
    yield secret.replace("%", "%%")
    yield html.escape(secret)


def _in_base64(data: bytes) -> Iterator[bytes]:
    """What is the same in base64 whatever stands before and after, for each of the three places in a group."""
    for before in range(3):
        padded = b"\0" * before + data
        whole = len(padded) // 3 * 3
        coded = base64.b64encode(padded[:whole])[(0, 2, 3)[before] :]
        if len(coded) >= _HEAD:
            yield coded
            yield coded.replace(b"+", b"-").replace(b"/", b"_")


def _views(data: bytes) -> Iterator[bytes]:
    """What the bytes say when they are decoded."""
    if b"%" in data:
        decoded = unquote_to_bytes(data)
        if decoded != data:
            yield decoded
        return
    joined = re.sub(rb"\\n|[\s>]", b"", data)
    wrapped = len(joined) < len(data)  # then a line of something else may come before it
    joined = joined.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    for start in range(4):  # what stands glued before it moves where a group begins
        part = joined[start:]
        part = part[: len(part) // 4 * 4 + (len(part) % 4 if len(part) % 4 != 1 else 0)]
        try:
            decoded = base64.b64decode(part + b"=" * (-len(part) % 4))
        except (binascii.Error, ValueError):
            continue
        if wrapped or sum(byte in _TEXT for byte in decoded[:64]) > 0.8 * len(decoded[:64]):
            yield decoded
