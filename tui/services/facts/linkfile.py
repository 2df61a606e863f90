"""The kept wish of a link, read for the screen: what `onsite status` and Home show beside the kernel's truth.

PyYAML costs twice what the whole status may cost, so the plain form in which Onsite itself writes these files is read
here; whatever looks different (an edit by hand) goes to the real parser.
"""

from __future__ import annotations

from typing import Any


def parse(text: str) -> dict[str, Any]:
    """Keys to texts, lists of texts or such mappings; an empty mapping where the text is no such document."""
    try:
        return _plain(text)
    except ValueError:
        pass
    import yaml

    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, whatever somebody has written there."""
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _plain(text: str) -> dict[str, Any]:
    """Block mappings two deep with plain or quoted scalars and lists of them; ValueError for all else."""
    top: dict[str, Any] = {}
    into, key = top, ""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip(" "))
        word = line[indent:]
        if word.startswith("- "):
            if not isinstance(into.get(key), list):
                if into.get(key) is not None:
                    raise ValueError(line)
                into[key] = []
            into[key].append(_scalar(word[2:]))
            continue
        name, colon, rest = word.partition(":")
        if not colon or (rest and not rest.startswith(" ")) or not name.replace("_", "").isalnum():
            raise ValueError(line)
        if indent == 0:
            into = top
        elif indent == 2 and into is top and key and top[key] is None:
            into = top[key] = {}
        elif indent != 2 or into is top:
            raise ValueError(line)
        if name in into:
            raise ValueError(line)
        key = name
        into[key] = _scalar(rest) if rest.strip() else None
    return top


def _scalar(text: str) -> Any:
    word = text.strip()
    if word == "[]":
        return []
    if len(word) > 1 and word[0] == word[-1] == "'" and "'" not in word[1:-1]:
        return word[1:-1]
    if not word or word[0] in "\"'[]{}&*!|>%@`?-#,:" or " #" in word or ": " in word:
        raise ValueError(text)
    return word
