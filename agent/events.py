"""Lifecycle events of host and cluster: kept in the store, told as conditions of the contract.

Events of an earlier run of the same step are past: the contract's answer leaves them out, since a console takes the
newest condition of a type for how things stand. Our own `/v1/onsite/events` has all of them, a page at a time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.errors import error
from agent.store import Row, Store

About = Literal["host", "cluster"]
KEPT = 20_000
"""Of host and of cluster each; older ones go away."""
PAGE, LARGEST_PAGE = 100, 1000
_LAST = 253402300799.0
"""The last second of the year 9999, behind which RFC 3339 has no moments."""


def record(store: Store, about: About, kind: str, status: str, reason: str, message: str, now: float) -> int:
    """Keep one event. `status` is True, False or Unknown, as in conditions of Kubernetes. Returns its id."""
    number = store.run(
        "INSERT INTO events (about, type, status, reason, message, happened) VALUES (?, ?, ?, ?, ?, ?)",
        about, kind, status, reason, message, now,
    )  # fmt: skip
    if number % 500 == 0:
        trim(store, about)
    return number


def trim(store: Store, about: About) -> None:
    oldest = store.row("SELECT id FROM events WHERE about = ? ORDER BY id DESC LIMIT 1 OFFSET ?", about, KEPT - 1)
    if oldest is not None:
        store.run("DELETE FROM events WHERE about = ? AND id < ?", about, oldest["id"])


def condition(row: Row) -> dict[str, Any]:
    """`v1Condition`."""
    when = moment(row["happened"])
    return {
        "type": row["type"], "status": row["status"], "reason": row["reason"], "message": row["message"],
        "lastTransitionTime": when, "lastProbeTime": when,
    }  # fmt: skip


def moment(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC."""
    return (
        datetime.fromtimestamp(min(max(seconds, 0.0), _LAST), UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def lifecycle(request: Request) -> JSONResponse:
    """GET /v1/edge-mgmt/events/lifecycle"""
    store: Store = request.app.state.store
    found = {
        about: [
            condition(r) for r in store.rows("SELECT * FROM events WHERE about = ? AND past = 0 ORDER BY id", about)
        ]
        for about in ("host", "cluster")
    }
    return JSONResponse(
        {"edgeHostEvents": found["host"], "clusterEvents": found["cluster"], "expectedOrder": expected_order(store)}
    )


def expected_order(store: Store) -> list[dict[str, Any]]:
    """The steps of the newest job about the host and about the cluster, as `v1ConditionCategoryOrder`."""
    orders: list[dict[str, Any]] = []
    for about in ("host", "cluster"):
        job = store.row("SELECT id, title FROM jobs WHERE about = ? ORDER BY created DESC, rowid DESC LIMIT 1", about)
        if job is None:
            continue
        steps = store.rows("SELECT name, label, position FROM steps WHERE job = ? ORDER BY position", job["id"])
        conditions = [{"type": s["name"], "typeLabel": s["label"], "order": s["position"]} for s in steps]
        orders.append({"category": job["title"], "order": len(orders) + 1, "conditionsOrder": conditions})
    return orders


def page(request: Request) -> JSONResponse:
    """GET /v1/onsite/events: newest first, or those after an id, oldest first."""
    query = request.query_params
    about = query.get("about", "host")
    try:
        limit = min(max(int(query.get("limit", PAGE)), 1), LARGEST_PAGE)
        after = int(query["after"]) if "after" in query else None
        before = int(query.get("before", 2**63 - 1))
        if not all(-(2**63) <= n < 2**63 for n in (after or 0, before)):
            raise ValueError
    except ValueError:
        return error(400, "limit, after and before are whole numbers.")
    if about not in ("host", "cluster"):
        return error(400, "about is host or cluster.")
    store: Store = request.app.state.store
    if after is not None:
        rows = store.rows("SELECT * FROM events WHERE about = ? AND id > ? ORDER BY id LIMIT ?", about, after, limit)
    else:
        rows = store.rows(
            "SELECT * FROM events WHERE about = ? AND id < ? ORDER BY id DESC LIMIT ?", about, before, limit
        )
    items = [{"id": r["id"], **condition(r)} for r in rows]
    return JSONResponse({"items": items, "more": len(items) == limit})


ROUTES = [
    Route("/v1/edge-mgmt/events/lifecycle", lifecycle, methods=["GET"]),
    Route("/v1/onsite/events", page, methods=["GET"]),
]
