"""Answers checked against assets/local-management-api.yaml, stricter than the contract: no field it does not name."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import yaml

CONTRACT = Path(__file__).resolve().parents[1] / "assets/local-management-api.yaml"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict,
}  # fmt: skip
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@functools.cache
def contract() -> dict[str, Any]:
    return dict(yaml.safe_load(CONTRACT.read_text()))


def answer_schema(method: str, path: str, status: int) -> dict[str, Any]:
    """The schema of an answer; the operation's `default` where it does not name the status.

    Raises:
        KeyError: the contract has no such operation.
    """
    responses = contract()["paths"][path][method.lower()]["responses"]
    return dict(responses.get(str(status), responses.get("default"))["schema"])


def violations(value: Any, schema: dict[str, Any], at: str = "$") -> list[str]:
    """What in `value` the schema does not allow, each with where it is."""
    if "$ref" in schema:
        return violations(value, contract()["definitions"][schema["$ref"].rpartition("/")[2]], at)
    kind = schema.get("type", "object" if "properties" in schema else "")
    if kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind in ("integer", "number"))):
        return [f"{at}: {value!r} is no {kind}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    if schema.get("format") == "int32" and not -(2**31) <= value < 2**31:
        found.append(f"{at}: {value} does not fit in 32 bits")
    if schema.get("format") == "date-time" and not _DATE_TIME.fullmatch(value):
        found.append(f"{at}: {value!r} is no date-time of RFC 3339")
    if kind == "array":
        found += [x for n, item in enumerate(value) for x in violations(item, schema.get("items", {}), f"{at}[{n}]")]
    if kind == "object":
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        found += [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            if name in properties:
                found += violations(item, properties[name], f"{at}.{name}")
            elif isinstance(others, dict):
                found += violations(item, others, f"{at}.{name}")
            elif properties:
                found.append(f"{at}: {name} is not in the contract")
    return found
