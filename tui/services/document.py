"""A HostConfig as a file: read without trust, written for people.

The file comes from a stick, a ticket or an editor, so it is bounded before it is understood: bytes, depth, no
aliases. YAML 1.1 would make `off` a boolean and the MAC 10:20:30:40:50:59 a number in base 60; here only whole
numbers and `null` are more than text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tui.models.change import Issue, Refused
from tui.models.wrong import quoted

if TYPE_CHECKING:
    from tui.models.host import HostConfig

LARGEST = 256 << 10
"""Bytes."""
DEEPEST = 12
"""Collections within collections; a HostConfig has five."""


class _Loader(yaml.SafeLoader):
    """Safe, with plain scalars as text, and no key twice."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML has it

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{quoted(name)} is there twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"(?:0|[1-9][0-9]{0,8})\Z"), list("0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|)\Z"), ["~", "n", ""])


def read(path: Path) -> HostConfig:
    """The document in a file.

    Raises:
        Refused: with what is wrong, one issue for each thing.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror or error}."
        raise Refused(Issue("D101", "error", "", text, "Check the name of the file and who may read it.")) from error
    return parse(data or b"")


def parse(data: bytes) -> HostConfig:
    """The document in some bytes.

    Raises:
        Refused: with what is wrong, one issue for each thing.
    """
    from pydantic import ValidationError

    from tui.models.host import HostConfig
    from tui.services import document_words

    content = _content(data)
    try:
        return HostConfig.model_validate(content)
    except ValidationError as error:
        raise Refused(*document_words.issues(error, content)) from error


def text(config: HostConfig) -> str:
    """The document as YAML, in the order of the model."""
    return yaml.safe_dump(config.to_dict(), sort_keys=False, allow_unicode=True)


def _content(data: bytes) -> dict[str, Any]:
    if len(data) > LARGEST:
        remedy = "Choose the file that onsite export writes; it has a few kilobytes."
        raise _refused("D102", f"The file is larger than {LARGEST >> 10} KiB.", remedy)
    try:
        content = data.decode("utf-8-sig")
        _bounded(content)
        found = yaml.load(content, _Loader)  # noqa: S506 - a safe loader that knows still less
    except UnicodeDecodeError as error:
        remedy = "Save it as plain text in UTF-8."
        raise _refused("D103", f"Byte {error.start + 1} of the file is not text.", remedy) from error
    except yaml.YAMLError as error:
        raise _refused("D103", _where(error), "Compare the line with what onsite export writes.") from error
    except RecursionError as error:
        raise _refused("D104", "The file is nested too deeply.", "Write it as onsite export does.") from error
    except ValueError as error:
        raise _refused("D103", "The file has a value that is no text.", "Put the value in quotes.") from error
    if not isinstance(found, dict):
        remedy = "Begin it with version: 1, then links:, as onsite export does."
        raise _refused("D103", "The file has no keys and values.", remedy)
    return found


def _refused(code: str, sentence: str, remedy: str) -> Refused:
    return Refused(Issue(code, "error", "", sentence, remedy))


def _bounded(content: str) -> None:
    """Refuse aliases, which make a kilobyte into gigabytes, and depth, before anything is built."""
    depth = 0
    for event in yaml.parse(content, _Loader):
        if isinstance(event, yaml.AliasEvent):
            raise _refused("D104", f"{_line(event.start_mark)}: an alias (*name) is not taken.", "Write the value out.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                sentence = f"{_line(event.start_mark)}: the file is nested too deeply."
                raise _refused("D104", sentence, "Write it as onsite export does.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _line(mark: Any) -> str:
    return f"Line {mark.line + 1}" if mark is not None else "The file"


def _where(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        problem = quoted(error.problem or error.context or "it is not YAML")
        return f"{_line(error.problem_mark)}: {problem}."
    return "The file has a character that YAML does not allow."
