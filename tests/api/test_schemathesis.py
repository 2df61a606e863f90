"""The running agent asked everything that its contracts describe: a short seeded run.

The long one asks the agent of a host in a container: `make api-full`, tests/host/test_contract.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from agent.adoption import BASE as PAIR
from agent.app import CONCERNS
from agent.shape import BARE, HEALTH, MESSAGES
from tests.api import explored
from tests.contract import contract

EXAMPLES = 2
"""Requests that fit and as many that do not, for each operation."""
SEED = 5080
ROWS: list[explored.Row] = []
CONTRACT = explored.all_of_the_contract()
OURS = explored.operations(explored.OURS)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[httpx.Client, Path]]:
    with explored.agent() as (path, log):
        # Making a request may take longer than the server keeps a connection, so none is kept.
        transport = httpx.HTTPTransport(uds=str(path), limits=httpx.Limits(max_keepalive_connections=0))
        with httpx.Client(transport=transport, trust_env=False) as client:
            yield client, log


@pytest.mark.timeout(120)
@pytest.mark.parametrize("operation", [*CONTRACT, *OURS], ids=lambda o: str(o.definition.raw["operationId"]))
def test_an_operation(running: tuple[httpx.Client, Path], operation: Any) -> None:
    client, log = running
    before = log.stat().st_size
    row = explored.explore(operation, client, EXAMPLES, SEED)
    ROWS.append(row)
    assert row.asked > 0
    assert row.faults == []
    said = log.read_text()[before:]
    assert "internal error" not in said, f"what nobody foresaw is a fault even where 500 is declared: {said[-3000:]}"
    if operation.path.startswith(PAIR):
        assert set(row.statuses) <= {400, 501}


def test_every_operation_was_covered(running: tuple[httpx.Client, Path]) -> None:
    covered = [r for r in ROWS if r.name in {o.definition.raw["operationId"] for o in CONTRACT}]
    if len(ROWS) < len(CONTRACT) + len(OURS):
        pytest.skip("only a part of the operations was asked")
    excluded = [r.name for r in covered if r.path.startswith(PAIR)]
    good = [r.name for r in covered if any(s < 300 for s in r.statuses)]
    asked = sum(r.asked for r in ROWS)
    print(
        f"\n{len(covered)} of 70 operations asked, {len(excluded)} of them excluded by name, "
        f"{len(good)} with a good answer; {asked} requests; slowest {max(r.slowest for r in ROWS):.2f} s"
    )
    assert len(covered) == 70
    assert len(excluded) == 4


# --- what the tables of the agent say is what the contracts say ------------------------------------------------------


def routes() -> set[tuple[str, str]]:
    return {
        (method, route.path.replace(":path}", "}"))
        for concern in CONCERNS
        for route in concern.ROUTES
        for method in (route.methods or ()) - {"HEAD"}
    }


def test_every_operation_of_the_contract_has_a_route() -> None:
    described = {(m.upper(), path) for path, item in contract()["paths"].items() for m in item}
    assert described - routes() == set()
    assert {path for _, path in routes() - described if not path.startswith("/v1/onsite/")} == set()


def test_our_own_operations_and_their_document_are_the_same() -> None:
    document = yaml.safe_load(explored.OURS.read_text())
    described = {(m.upper(), path) for path, item in document["paths"].items() for m in item}
    assert {r for r in routes() if r[1].startswith("/v1/onsite/")} == described


def test_shapes_of_errors_are_those_of_the_contract() -> None:
    bare, messages = {}, set()
    for path, item in contract()["paths"].items():
        for method, operation in item.items():
            answers = operation["responses"]
            if answers.get("default", {}).get("schema", {}).get("$ref", "").endswith("/apiError"):
                bare[(method.upper(), path)] = tuple(sorted(int(s) for s in answers if s.isdigit() and int(s) >= 400))
            for status, answer in answers.items():
                shape = answer.get("schema", {}).get("$ref", "").rpartition("/")[2]
                if shape == "v1NotFoundResponseWithMessage":
                    assert (method, status) == ("get", "404")
                    messages.add(path)
                if shape == "apiError" and status != "default":
                    assert (method, path, status) == ("get", HEALTH, "500")
    assert bare == BARE
    assert messages == set(MESSAGES)
