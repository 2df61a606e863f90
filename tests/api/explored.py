"""Every operation of a contract asked of a running agent, with what fits its schema and what does not.

schemathesis makes the requests and judges the answers by the schema; beyond that no answer may be one that nobody
foresaw, take too long, or have another shape than the contract's errors. The agent runs in namespaces of its own, so
that nothing it does can reach this machine's links.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisException
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from agent.adoption import BASE as PAIR
from tests.api.test_login import prepared
from tests.contract import CONTRACT, contract, violations

CODE = Path(__file__).resolve().parents[2]
OURS = CODE / "assets/onsite-api.yaml"
LINK = (
    "ip link set lo up; ip link add lan0 type veth peer name far0; ip address add 192.0.2.10/24 dev lan0;"
    ' ip link set lan0 up; ip link set far0 up; exec "$@"'
)
SECONDS = 25.0
"""An answer may take that long; a traceroute into silence is the slowest."""


@dataclass
class Row:
    """One operation: how often it was asked, what it said, the slowest answer in seconds, what was wrong."""

    name: str
    method: str
    path: str
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def asked(self) -> int:
        return sum(self.statuses.values())


@contextmanager
def agent() -> Iterator[tuple[Path, Path]]:
    """(socket, log) of an agent with a host of its own below a folder."""
    with TemporaryDirectory(prefix="onsite-asked-") as folder:
        root = Path(folder)
        prepared(root)
        (root / "var/log/files").mkdir(parents=True)
        (root / "var/log/files/report").write_text("a report")
        log = root / "agent.log"
        apart = ["unshare", "--net", "--uts", "--", "sh", "-c", LINK, "-"] if os.geteuid() == 0 else []
        with log.open("w") as said:
            command = [*apart, sys.executable, "-m", "agent", "--root", folder]
            process = subprocess.Popen(command, cwd=CODE, stderr=said)
            path = root / "run/onsite/agent.sock"
            while process.poll() is None:
                with socket.socket(socket.AF_UNIX) as knock:
                    try:
                        knock.connect(str(path))
                    except OSError:
                        continue
                    break
            try:
                yield path, log
            finally:
                process.terminate()
                process.wait(30)


def operations(document: Path) -> list[Any]:
    """Those of a contract, as schemathesis sees them."""
    schema = schemathesis.openapi.from_path(str(document))
    return [found.ok() for found in schema.get_all_operations()]


def explore(operation: Any, client: httpx.Client, examples: int, number: int) -> Row:
    """Ask one operation `examples` times with what fits, and as often with what does not."""
    row = Row(operation.definition.raw["operationId"], operation.method.upper(), operation.path)
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        try:
            _explore(operation, client, examples, number, mode, row)
        except (HypothesisException, schemathesis.errors.SchemathesisError):
            if mode is GenerationMode.POSITIVE:
                raise  # nothing that fits can be made: the contract or the making is wrong
    return row


def _explore(operation: Any, client: httpx.Client, examples: int, number: int, mode: Any, row: Row) -> None:
    @seed(number)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        asked(operation, case, client, row)

    ask()


def asked(
    operation: Any, case: Any, client: httpx.Client, row: Row, base: str = "http://agent"
) -> httpx.Response | None:
    """One request, its answer judged in `row`; None where there was none."""
    request = _request(case, base)
    if request is None:
        return None
    request.read()  # the judge wants to see it afterwards, files too
    begun = time.monotonic()
    try:
        response = client.send(request)
    except httpx.HTTPError as error:
        row.faults.append(f"{type(error).__name__}: {error}")
        return None
    row.slowest = max(row.slowest, time.monotonic() - begun)
    row.statuses[response.status_code] += 1
    row.faults += _faults(operation, case, response)
    return response


def _request(case: Any, base: str) -> httpx.Request | None:
    """What schemathesis would send; None for what HTTP cannot carry."""
    made = case.as_transport_kwargs(base_url=base)
    headers = {k: v for k, v in (made.get("headers") or {}).items() if v is not None}
    for name in ("User-Agent", "X-Schemathesis-TestCaseId"):
        headers.pop(name, None)
    body: dict[str, Any] = {}
    if made.get("files"):
        body = {"files": _files(made["files"]), "data": made.get("data")}
    elif isinstance(made.get("data"), dict):
        body = {"data": made["data"]}
    elif made.get("data") is not None:
        body = {"content": made["data"]}
    elif "json" in made:
        body = {"content": json.dumps(made["json"]).encode("utf-8", "replace")}
        headers.setdefault("Content-Type", "application/json")
    try:
        return httpx.Request(
            made["method"], made["url"], params=made.get("params") or None, headers=headers,
            cookies=made.get("cookies"), extensions={"timeout": httpx.Timeout(SECONDS).as_dict()}, **body,
        )  # fmt: skip
    except (httpx.InvalidURL, ValueError, TypeError, UnicodeError, AttributeError):
        return None


def _files(made: Any) -> list[tuple[str, Any]]:
    """Files of a form; what is no file is sent as the text of it, as a browser would."""

    def content(value: Any) -> Any:
        if isinstance(value, tuple):
            return (value[0], content(value[1]), *value[2:])
        return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")

    pairs = made.items() if isinstance(made, dict) else made
    return [(name, content(value)) for name, value in pairs]


def _faults(operation: Any, case: Any, response: httpx.Response) -> list[str]:
    found = []
    status, declared = response.status_code, operation.definition.raw["responses"]
    excluded = operation.path.startswith(PAIR)
    if status >= 500 and not (excluded and status == 501):
        found.append(f"{status}: {response.text[:200]}")
    if status == 204:  # the contract gives it a schema, but it may have no body (RFC 9110, 15.3.5)
        found += ["204 with a body"] if response.content else []
    elif str(status) in declared or "default" in declared:
        try:
            case.validate_response(response, checks=[response_schema_conformance])
        except (AssertionError, BaseExceptionGroup) as wrong:
            found.append(f"{status}: {str(wrong)[:300]}")
    elif status < 400:
        found.append(f"{status} is not declared")
    elif response.headers.get("content-type") != "application/json":
        found.append(f"{status} is no JSON: {response.text[:100]}")
    else:
        found += [f"{status}: {v}" for v in violations(response.json(), contract()["definitions"]["v1Error"])]
    return found


def table(rows: list[Row]) -> list[str]:
    """For docs/measured."""
    lines = ["| operation | method | asked | statuses | slowest, s |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        statuses = ", ".join(f"{status} x{count}" for status, count in sorted(row.statuses.items()))
        lines.append(f"| {row.name} | {row.method} {row.path} | {row.asked} | {statuses} | {row.slowest:.2f} |")
    return lines


def all_of_the_contract() -> list[Any]:
    return operations(CONTRACT)
