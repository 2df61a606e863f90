"""Whether the values of profile variables may be taken: one function for the console and for the agent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tui.models.change import Issue
from tui.models.definition import formed
from tui.models.wrong import Wrong
from tui.services.parser.run import ParserFailed, parse

_AT_ONCE = 12
"""Expressions for one child: each may take half a second, and the child has ten."""


def issues_of(
    variables: Iterable[Mapping[str, Any]], values: Mapping[str, str], *, before: Mapping[str, str] | None = None
) -> dict[str, Issue]:
    """What is wrong, by the name of the variable: format, regular expression, required, hidden, immutable. Blocks.

    A variable without a value has its default.

    Args:
        variables: as `v1Variable`.
        before: the values of the cluster that is changed; None while one is made.
    """
    known = {str(v["name"]): v for v in variables}
    found = {name: _unknown(name) for name in values if name not in known}
    to_try: list[tuple[str, str, str]] = []
    for name, variable in known.items():
        issue, text = _alone(name, variable, values, before)
        if issue is not None:
            found[name] = issue.at(name)
        elif text and variable.get("regex"):
            to_try.append((name, str(variable["regex"]), text))
    answers = expressions([(regex, text) for _, regex, text in to_try])
    for (name, regex, _), answer in zip(to_try, answers, strict=True):
        if answer != "yes":
            found[name] = _unfit(known[name], regex, answer).at(name)
    return found


def filled(variables: Iterable[Mapping[str, Any]], values: Mapping[str, str]) -> dict[str, str]:
    """Every variable with its value, or else its default; those with neither are left out."""
    both = ((str(v["name"]), values.get(str(v["name"])) or str(v.get("defaultValue") or "")) for v in variables)
    return {name: value for name, value in both if value}


def complete(variables: Iterable[Mapping[str, Any]], values: Mapping[str, str]) -> tuple[int, int]:
    """How many of the required variables have a value: "3 of 7 complete"."""
    needed = [v for v in variables if v.get("required")]
    return sum(1 for v in needed if filled((v,), values)), len(needed)


def expressions(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """For each expression and text: "yes", "no", "bad" (no expression) or "slow". An empty expression fits all."""
    answers = ["yes"] * len(pairs)
    asked = [(n, pair) for n, pair in enumerate(pairs) if pair[0]]
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        try:
            said = parse("pattern", json.dumps([pair for _, pair in some]).encode())["found"]
        except (ParserFailed, KeyError):
            said = ["slow"] * len(some)
        for (number, _), answer in zip(some, said, strict=False):
            answers[number] = str(answer)
    return answers


def _alone(
    name: str, variable: Mapping[str, Any], values: Mapping[str, str], before: Mapping[str, str] | None
) -> tuple[Issue | None, str]:
    """What is wrong without asking the expression; and the text to ask it about."""
    default = str(variable.get("defaultValue") or "")
    given = values.get(name, "")
    text = given or default
    label = str(variable.get("displayName") or name)
    if variable.get("hidden") and given and given != default:
        return Issue("B144", "error", "", f"{label} is set by the definition.", "Leave it out."), ""
    if before is not None and variable.get("immutable") and name in before and text != before[name]:
        remedy = "Put the former value back, or create the cluster anew."
        return Issue("B144", "error", "", f"{label} cannot be changed after the cluster was made.", remedy), ""
    if not text:
        if not variable.get("required"):
            return None, ""
        return Issue("B140", "error", "", f"{label} is empty, and the cluster needs it.", "Type it."), ""
    try:
        return None, formed(str(variable.get("format") or "string"), text)
    except Wrong as wrong:
        if variable.get("isSensitive"):
            return Issue("B141", "error", "", f"{label} has not the format that it needs.", wrong.issue.remedy), ""
        return wrong.issue, ""


def _unknown(name: str) -> Issue:
    plain = "".join(c if c.isprintable() else "?" for c in name)[:60]
    return Issue("B144", "error", name, f"This definition has no variable {plain}.", "Leave it out.")


def _unfit(variable: Mapping[str, Any], regex: str, answer: str) -> Issue:
    label = str(variable.get("displayName") or variable["name"])
    if answer in ("bad", "slow"):
        why = "is no regular expression" if answer == "bad" else "takes too long to try"
        remedy = "Tell those who made the definition; the value itself may be right."
        return Issue("B143", "error", "", f"The expression for {label} {why}.", remedy)
    shown = "".join(c if c.isprintable() else "?" for c in regex)[:80]
    return Issue("B142", "error", "", f"{label} does not fit the expression {shown}", "Type a value that fits.")
