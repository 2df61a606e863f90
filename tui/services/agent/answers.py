"""What an agent answered, as a value or as an Issue in the operator's words.

Agents answer errors in four shapes (`v1Error`, a bare string, an object with only `message`, and objects without
fields), with empty bodies, and servers before them with a page of HTML. All of them end here.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar, cast

import httpx
from pydantic import BaseModel, ValidationError

from tui.models.change import Issue, Refused
from tui.models.contract.base import Operation
from tui.models.masking import masked

Answer = TypeVar("Answer")

LONGEST = 300
"""Characters of an agent's own words that an Issue shows."""
REQUIRED_ARRAYS = ("items", "hosts", "machinePoolConfig")
"""An agent in Go writes null for an empty array, and these may not be left out."""


class NotOffered(Refused):
    """This agent does not have the operation; a screen says so and goes on."""


class LoginNeeded(Refused):
    """The agent wants a login first, or again."""


class Absent(Refused):
    """The operation works, and there is nothing: no cluster, no upload, no file of this name."""


def value(operation: Operation[Answer], response: httpx.Response) -> Answer:
    """The answer of a response with the good status.

    Raises:
        Refused: A106, what came is not what the contract says.
    """
    shape: Any = operation.answer
    if shape is type(None):
        return cast(Answer, None)
    if shape is bytes:
        return cast(Answer, response.content)
    try:
        said = without_nulls(json.loads(response.content or b"{}"))
        assert issubclass(shape, BaseModel)  # noqa: S101 - the only other kind of answer
        return cast(Answer, shape.model_validate(said))
    except (ValidationError, ValueError, RecursionError) as error:
        raise Refused(not_understood(operation, error)) from error


def without_nulls(said: Any) -> Any:
    """JSON without what is null, which says as little as what is left out."""
    if isinstance(said, dict):
        kept = {k: [] if v is None and k in REQUIRED_ARRAYS else without_nulls(v) for k, v in said.items()}
        return {k: v for k, v in kept.items() if v is not None}
    return [without_nulls(x) for x in said if x is not None] if isinstance(said, list) else said


def not_understood(operation: Operation[Any], error: Exception) -> Issue:
    where = ""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = f" ({'.'.join(map(str, first['loc'])) or 'all of it'}: {first['msg']})"
    return Issue(
        "A106", "error", "",
        f"The agent's answer to {name(operation)} is not what its contract says{plain(where)}.",
        "Its version may not fit this console. Tell support the versions of both, which Home shows.",
    )  # fmt: skip


def refusal(operation: Operation[Any], response: httpx.Response) -> Refused:
    """Every other status, as something to raise."""
    status, (said, ref) = response.status_code, words(response)
    told = f": {said}" if said else "."
    if status == 401:
        return LoginNeeded(
            Issue("A104", "error", "", f"The agent wants a login{told}", "Log in with a user of this host.")
        )
    if status == 403:
        remedy = "Start the console as root or by sudo, or log in with a user who may do this."
        return Refused(Issue("A103", "error", "", f"The agent does not permit {name(operation)}{told}", remedy))
    if status == 404 and operation.may_be_absent:
        remedy = "Make it first, or ask for another."
        return Absent(Issue("A113", "error", "", f"The agent has nothing to give for {name(operation)}{told}", remedy))
    if status in (404, 405, 501):
        remedy = "Use another way, or a host whose agent offers it."
        return NotOffered(Issue("A105", "error", "", f"This agent does not offer {name(operation)}{told}", remedy))
    if status in (423, 429):
        wait = response.headers.get("retry-after", "")
        remedy = f"Wait {wait} seconds, then try again." if wait.isdigit() else "Wait some minutes, then try again."
        return Refused(Issue("A111", "error", "", f"The agent takes no more tries for now{told}", remedy))
    if status >= 500:
        remedy = f"Look for {ref} in the agent's log, or tell support that word." if ref else "Try again; else see Log."
        return Refused(Issue("A107", "error", "", f"The agent failed at {name(operation)}{told}", remedy))
    remedy = "Change what it complains about, then try again."
    return Refused(Issue("A109", "error", "", f"The agent refuses {name(operation)}{told}", remedy))


def words(response: httpx.Response) -> tuple[str, str]:
    """(message, reference for the log) out of any error; "" for what it does not say."""
    try:
        said = json.loads(response.content)
    except (ValueError, RecursionError):
        kind = response.headers.get("content-type", "")
        return (plain(response.text) if kind.startswith("text/plain") else ""), ""
    if isinstance(said, str):
        return plain(said), ""
    if not isinstance(said, dict):
        return "", ""
    message, ref = said.get("message"), said.get("ref")
    return plain(message if isinstance(message, str) else ""), plain(ref if isinstance(ref, str) else "")[:40]


def plain(text: str) -> str:
    """Somebody else's words for a screen: one line, short, printable, without secrets."""
    line = " ".join("".join(c if c.isprintable() else " " for c in masked(text[: 4 * LONGEST])).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."


def name(operation: Operation[Any]) -> str:
    """An operation for a person: the end of its path says more than its id."""
    return f"{operation.method} {operation.path.removeprefix('/v1/').removeprefix('edge-mgmt/')}"
