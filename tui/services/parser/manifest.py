"""The reader of manifests: bytes that somebody calls one, made into one or refused in a sentence."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from tui.models.content import FORMAT, LARGEST_MANIFEST, Manifest, shown


def warm_up() -> None:
    """Use everything once; afterwards no file can be opened."""
    read(b"{}", {})
    read(b"[", {})


def read(data: bytes, _details: dict[str, Any]) -> dict[str, Any]:
    """{"manifest": ...}, or {"code", "text"} of what is wrong with it."""
    if len(data) > LARGEST_MANIFEST:
        return _wrong("B103", f"it has {len(data) >> 10} KiB; {LARGEST_MANIFEST >> 10} KiB is the limit")
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_constant)
    except UnicodeDecodeError:
        return _wrong("B103", "it is not UTF-8")
    except RecursionError:
        return _wrong("B103", "it is nested too deeply")
    except ValueError as error:
        return _wrong("B103", f"it is no JSON: {shown(str(error))}")
    if not isinstance(found, dict):
        return _wrong("B103", "it is no object")
    stated = found.get("format")
    if isinstance(stated, int) and stated > FORMAT:
        return _wrong("B123", f"format {stated}")
    try:
        return {"manifest": Manifest.model_validate(found).model_dump(mode="json")}
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(x) for x in first["loc"])
        words = str(first["msg"]).removeprefix("Value error, ")
        return _wrong("B103", f"{shown(where)}: {shown(words)}" if where else shown(words))


def _wrong(code: str, text: str) -> dict[str, Any]:
    return {"code": code, "text": text}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _constant(word: str) -> None:
    raise ValueError(f"{word} is no number")
