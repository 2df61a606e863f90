"""Cluster definitions: profiles (layers) with packs and variables, and the form that variables become.

The names of a variable's parts are those of `v1Variable` of the Local Management API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv6Address
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic import Field as Limits

from tui.models.form import Field, Form
from tui.models.wrong import Wrong, clean, quoted

FORMATS = ("string", "number", "bool", "ipv4", "ipv4cidr", "ipv6", "version", "base64")
_EXAMPLES = {
    "number": "3", "bool": "true", "ipv4": "192.0.2.10", "ipv4cidr": "192.0.2.0/24", "ipv6": "2001:db8::10",
    "version": "1.2.3", "base64": "YWJj",
}  # fmt: skip
_VERSION = re.compile(r"v?\d+\.\d+(\.\d+)?([-+][0-9A-Za-z.-]+)?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?", re.ASCII)


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Variable(_Plain):
    """A value that is asked for when a cluster is made.

    Attributes:
        regex: found anywhere in the value, as in the management plane; anchor it with ^ and $.
        immutable: can be set while the cluster is made, and not changed later.
    """

    name: Annotated[str, Limits(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
    displayName: Annotated[str, Limits(max_length=100)] = ""
    description: Annotated[str, Limits(max_length=1000)] = ""
    format: Literal["string", "number", "bool", "ipv4", "ipv4cidr", "ipv6", "version", "base64"] = "string"
    regex: Annotated[str, Limits(max_length=1000)] = ""
    defaultValue: Annotated[str, Limits(max_length=1000)] = ""
    required: bool = False
    hidden: bool = False
    immutable: bool = False
    isSensitive: bool = False


class Pack(_Plain):
    """Manifests that are applied in this order."""

    name: Annotated[str, Limits(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    version: Annotated[str, Limits(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
    manifests: Annotated[tuple[str, ...], BeforeValidator(_tuple), Limits(max_length=200)] = ()
    values: Annotated[str, Limits(max_length=200)] = ""

    @property
    def files(self) -> tuple[str, ...]:
        return (*self.manifests, self.values) if self.values else self.manifests


class Profile(_Plain):
    name: Annotated[str, Limits(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    uid: Annotated[str, Limits(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    version: Annotated[str, Limits(max_length=64)] = "1.0.0"
    type: Literal["cluster", "infra", "add-on", "system"] = "cluster"
    description: Annotated[str, Limits(max_length=1000)] = ""
    tags: Annotated[str, Limits(max_length=1000)] = ""
    packs: Annotated[tuple[Pack, ...], BeforeValidator(_tuple), Limits(max_length=200)] = ()
    variables: Annotated[tuple[Variable, ...], BeforeValidator(_tuple), Limits(max_length=500)] = ()


def example(variable: Mapping[str, Any]) -> str:
    """What a good value looks like."""
    return str(variable.get("defaultValue") or "") or _EXAMPLES.get(str(variable.get("format") or ""), "")


def form_of(variables: Iterable[Mapping[str, Any]], title: str = "Settings") -> Form:
    """The form of some variables, as `v1Variable`; hidden ones have no field. The path of a field is the name."""
    return Form("variables", title, tuple(_field(v) for v in variables if not v.get("hidden")))


def _field(variable: Mapping[str, Any]) -> Field:
    words = str(variable.get("description") or "")
    if variable.get("immutable"):
        words = f"{words} It cannot be changed later.".strip()
    name, secret = str(variable["name"]), bool(variable.get("isSensitive"))
    boolean = variable.get("format") in ("bool", "boolean")
    return Field(
        name,
        "choice" if boolean else "secret" if secret else "text",
        str(variable.get("displayName") or name),
        "" if secret else example(variable),
        words,
        needed=bool(variable.get("required")),
        secret=secret,
        choices=(("true", "Yes"), ("false", "No")) if boolean else (),
    )


def start_texts(variables: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What stands in each field at first: its value, else its default."""
    return {str(v["name"]): str(v.get("value") or v.get("defaultValue") or "") for v in variables}


def formed(format_: str, value: str) -> str:
    """The value, if it has the format; an unknown format takes any.

    Raises:
        Wrong: B141; N115, N116 as every field.
    """
    text = clean(value)
    try:
        good = _has(format_, text)
    except ValueError:
        good = False
    if not good:
        words = _WORDS.get(format_, format_)
        raise Wrong("B141", f"{quoted(text)} is not {words}.", f"Type it such as {_EXAMPLES.get(format_, 'abc')}.")
    return text


_WORDS = {
    "number": "a number", "bool": "true or false", "ipv4": "an IPv4 address", "ipv4cidr": "an IPv4 network",
    "ipv6": "an IPv6 address", "version": "a version", "base64": "base64",
}  # fmt: skip


def _has(format_: str, text: str) -> bool:
    if format_ == "number":
        return bool(_NUMBER.fullmatch(text))
    if format_ in ("bool", "boolean"):
        return text in ("true", "false")
    if format_ == "ipv4":
        return bool(IPv4Address(text))
    if format_ == "ipv4cidr":
        return "/" in text and bool(IPv4Interface(text))
    if format_ == "ipv6":
        return bool(IPv6Address(text))
    if format_ == "version":
        return bool(_VERSION.fullmatch(text))
    if format_ == "base64":
        return bool(re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text))
    return True
