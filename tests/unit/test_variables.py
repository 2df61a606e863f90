"""Profile variables: what may be typed, what is said where it may not, and the form that they become."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tui.models.definition import example, form_of, start_texts
from tui.services.content.variables import complete, expressions, filled, issues_of


def variable(**more: Any) -> dict[str, Any]:
    return {"name": "v", **more}


@pytest.mark.parametrize(
    ("format_", "good", "bad"),
    [
        ("string", "anything", None),
        ("number", "-3.5", "3a"),
        ("bool", "true", "yes"),
        ("ipv4", "192.0.2.1", "192.0.2.256"),
        ("ipv4cidr", "192.0.2.0/24", "192.0.2.0"),
        ("ipv6", "2001:db8::1", "192.0.2.1"),
        ("version", "v1.20.2", "latest"),
        ("base64", "YWJj", "YWJ"),
        ("of another agent", "anything", None),
    ],
)
def test_format(format_: str, good: str, bad: str | None) -> None:
    assert issues_of([variable(format=format_)], {"v": good}) == {}
    if bad is not None:
        assert issues_of([variable(format=format_)], {"v": bad})["v"].code == "B141"


@pytest.mark.parametrize(
    ("what", "values", "code"),
    [
        ({"required": True}, {}, "B140"),
        ({"required": True, "defaultValue": "x"}, {}, ""),
        ({"required": True, "defaultValue": "x", "hidden": True}, {}, ""),
        ({"defaultValue": "x", "hidden": True}, {"v": "y"}, "B144"),
        ({"regex": "^a+$"}, {"v": "aaa"}, ""),
        ({"regex": "a"}, {"v": "xax"}, ""),
        ({"regex": "^a+$"}, {"v": "b"}, "B142"),
        ({"regex": "^a+$"}, {}, ""),
        ({"regex": "("}, {"v": "b"}, "B143"),
        ({"regex": "^(a+)+$"}, {"v": "a" * 60 + "b"}, "B143"),
        ({"format": "number", "isSensitive": True}, {"v": "geheim"}, "B141"),
        ({}, {"w": "x"}, "B144"),
    ],
)
def test_what_is_wrong(what: dict[str, Any], values: dict[str, str], code: str) -> None:
    found = issues_of([variable(**what)], values)
    assert [i.code for i in found.values()] == ([code] if code else [])
    assert all(i.text.isprintable() and i.remedy for i in found.values())
    assert all("geheim" not in i.text for i in found.values())


def test_immutable_is_said_when_a_cluster_is_changed() -> None:
    one = [variable(immutable=True)]
    assert issues_of(one, {"v": "b"}) == {}
    assert issues_of(one, {"v": "b"}, before={"v": "a"})["v"].code == "B144"
    assert issues_of(one, {"v": "a"}, before={"v": "a"}) == {}


def test_many_expressions_without_an_end_end() -> None:
    begun = time.monotonic()
    assert expressions([("^(a|a)*$", "a" * 40 + "b")] * 3 + [("^b$", "b")]) == ["slow"] * 3 + ["yes"]
    assert time.monotonic() - begun < 10


def test_the_form_of_variables() -> None:
    variables = [
        variable(
            name="site", displayName="Site", description="Number.", format="number", required=True, immutable=True
        ),
        variable(name="seen", format="bool", defaultValue="true"),
        variable(name="word", isSensitive=True, defaultValue="geheim"),
        variable(name="inner", hidden=True, defaultValue="x"),
    ]
    form = form_of(variables)
    assert [(f.path, f.label, f.kind) for f in form.fields] == [
        ("site", "Site", "text"), ("seen", "seen", "choice"), ("word", "word", "secret"),
    ]  # fmt: skip
    assert form.fields[0].help == "Number. It cannot be changed later."
    assert form.fields[2].example == ""
    assert start_texts(variables)["seen"] == "true"
    assert complete(variables, {}) == (0, 1)
    assert complete(variables, {"site": "3"}) == (1, 1)
    assert filled(variables, {"site": "3"}) == {"site": "3", "seen": "true", "word": "geheim", "inner": "x"}
    assert example(variables[0]) == "3"
