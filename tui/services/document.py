"""A HostConfig as a file: read without trust, written for people.

The file comes from a stick, a ticket or an editor, so it is bounded before it is understood: bytes, depth, no
aliases. YAML 1.1 would make `off` a boolean and the MAC 10:20:30:40:50:59 a number in base 60; here only whole
numbers and `null` are more than text.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tui.models.change import Issue, Refused
from tui.models.form import LINK_FORM
from tui.models.wrong import Wrong, quoted

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from tui.models.host import HostConfig

LARGEST = 256 << 10
"""Bytes."""
DEEPEST = 12
"""Collections within collections; a HostConfig has five."""
_LABELS = {field.path: field.label for field in LINK_FORM.fields} | {
    "mac": "MAC address", "name": "Interface name", "ipv4": "IPv4", "ipv6": "IPv6", "links": "links",
    "version": "version",
}  # fmt: skip
_EXAMPLES = {field.path: field.example for field in LINK_FORM.fields} | {"mac": "00:00:5e:00:53:01", "version": "1"}
_FAMILY = {"ipv4": "IPv4", "ipv6": "IPv6"}


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

    content = _content(data)
    try:
        return HostConfig.model_validate(content)
    except ValidationError as error:
        raise Refused(*_issues(error, content)) from error


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


def _issues(error: ValidationError, content: dict[str, Any]) -> Iterator[Issue]:
    for detail in error.errors(include_url=False):
        field, subject = _named(detail["loc"], content)
        for issue in (_issue(detail, subject, detail["loc"]),):
            yield issue.at(field)


def _issue(detail: ErrorDetails, subject: str, location: tuple[int | str, ...]) -> Issue:
    kind, context = detail["type"], detail.get("ctx", {})
    key = str(location[-1]) if location else ""
    path = ".".join(str(part) for part in location[2:] if isinstance(part, str))
    example = _EXAMPLES.get(path, "")
    such = f", such as {example}." if example else "."
    cause = getattr(context.get("error"), "__cause__", None)
    if isinstance(cause, Wrong):
        return Issue(cause.issue.code, "error", "", f"{subject}: {cause.issue.text}", cause.issue.remedy)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(key, [*_keys()], 1)
        remedy = f"Did you mean {near[0]}?" if near else "Remove it; onsite export shows what there is."
        return Issue("D105", "error", "", f"{subject}: Onsite does not know {quoted(key)}.", remedy)
    if kind == "missing":
        return Issue("D106", "error", "", f"{subject} is missing.", f"Add {key}{such}")
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
        value = quoted(str(detail.get("input")))
        return Issue("D107", "error", "", f"{subject}: {value} is none of the choices.", f"Use one of: {expected}.")
    if kind in ("model_type", "dict_type", "model_attributes_type", "tuple_type", "list_type"):
        what = "a list, each value behind a dash" if kind in ("tuple_type", "list_type") else "keys and values"
        return Issue("D107", "error", "", f"{subject} has to be {what}.", "Write it as onsite export does.")
    return Issue("D107", "error", "", f"{subject} is not a value of the right kind.", f"Write a plain value{such}")


def _named(location: tuple[int | str, ...], content: dict[str, Any]) -> tuple[str, str]:
    """The field as in an Issue, and the words for it: "lan0, IPv4 Address"."""
    if len(location) < 2 or location[0] != "links" or not isinstance(location[1], int):
        word = str(location[0]) if location else "The file"
        return word if location else "", _LABELS.get(word, "The file")
    links = content.get("links")
    link = links[location[1]] if isinstance(links, list) and location[1] < len(links) else {}
    known = link if isinstance(link, dict) else {}
    name = quoted(str(known.get("name") or known.get("mac") or f"interface {location[1] + 1}"))
    parts = [str(part) for part in location[2:] if isinstance(part, str) and part in _keys()]
    field = ".".join(["links", quoted(str(known.get("mac", location[1]))), *parts])
    label = _LABELS.get(".".join(parts), "")
    family = _FAMILY.get(parts[0], "") if len(parts) > 1 else ""
    words = " ".join(dict.fromkeys(word for word in (family, label) if word))
    return field, ", ".join(word for word in (name, words) if word)


def _keys() -> set[str]:
    return {part for path in _LABELS for part in path.split(".")}
