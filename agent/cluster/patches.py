"""`v1HttpPatch`: add, remove and replace of RFC 6902 with pointers of RFC 6901, on plain data."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from tui.models.change import Issue, Refused
from tui.models.contract.common import Patch


def patched(document: Any, patches: Iterable[Patch]) -> Any:
    """A copy with all of them done, or nothing.

    Raises:
        Refused: K235, one does not fit.
    """
    made = deepcopy(document)
    for number, patch in enumerate(patches):
        try:
            made = _one(made, patch)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            text = f"Patch {number + 1} ({patch.op} {patch.path[:100]}) does not fit what is there."
            issue = Issue("K235", "error", f"patches.{number}", text, "Read the configuration anew, then patch it.")
            raise Refused(issue) from error
    return made


def _one(document: Any, patch: Patch) -> Any:
    if patch.op == "":
        raise ValueError("no operation")
    if patch.path == "":
        if patch.op == "remove":
            raise ValueError("the whole cannot be removed")
        return deepcopy(patch.value)
    if not patch.path.startswith("/"):
        raise ValueError("no pointer")
    *way, last = (part.replace("~1", "/").replace("~0", "~") for part in patch.path[1:].split("/"))
    at = document
    for part in way:
        at = at[_index(part, len(at) - 1)] if isinstance(at, list) else at[part]
    if isinstance(at, list):
        _in_list(at, last, patch)
    elif isinstance(at, dict):
        if patch.op == "remove":
            del at[last]
        elif patch.op == "replace" and last not in at:
            raise KeyError(last)
        else:
            at[last] = deepcopy(patch.value)
    else:
        raise TypeError("a value has no parts")
    return document


def _in_list(at: list[Any], last: str, patch: Patch) -> None:
    if patch.op == "add":
        at.insert(len(at) if last == "-" else _index(last, len(at)), deepcopy(patch.value))
    elif patch.op == "remove":
        del at[_index(last, len(at) - 1)]
    else:
        at[_index(last, len(at) - 1)] = deepcopy(patch.value)


def _index(text: str, largest: int) -> int:
    if not (text.isascii() and text.isdigit()) or (text != "0" and text.startswith("0")) or int(text[:9]) > largest:
        raise IndexError(text)
    return int(text)
