"""Who did what: the audit of consoles and agent alike, in the contract's words, by page and as an archive."""

from __future__ import annotations

import io
import tarfile
import time
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.errors import error
from agent.events import moment
from tui.services import reading
from tui.services.change import audit
from tui.services.host import Host

BASE = "/v1/edge-mgmt/edgehosts/current/audits"
LARGEST_PAGE = 50
ACTIONS = {
    "applied": "update", "kept": "update", "reverted": "update", "unverified": "update", "login": "activity",
    "logout": "activity", "password changed": "update", "SSH keys changed": "update",
}  # fmt: skip
"""Of our events; everything else is an action."""
_KINDS = {"login": "user", "logout": "user", "password changed": "user", "SSH keys changed": "user"}


def page(request: Request) -> JSONResponse:
    """GET .../audits: newest first."""
    query = request.query_params
    try:
        limit, offset = whole(query.get("limit", "50")), whole(query.get("continue") or query.get("offset", "0"))
        begin, end = (instant(query.get(name)) for name in ("startTime", "endTime"))
    except ValueError as wrong:
        return error(400, str(wrong))
    if not 1 <= limit <= LARGEST_PAGE or offset < 0:
        return error(400, f"limit is from 1 to {LARGEST_PAGE}, offset and continue are from 0.")
    action = query.get("actionType", "")
    if action not in ("", "create", "update", "delete", "activity", "action"):
        return error(400, "actionType is create, update, delete, activity or action.")
    found = [
        entry
        for entry in every(request.app.state.host)
        if (begin is None or entry["seconds"] >= begin)
        and (end is None or entry["seconds"] <= end)
        and query.get("userUid", "") in ("", entry["who"])
        and query.get("resourceKind", "") in ("", entry["kind"])
        and action in ("", entry["action"])
    ]
    shown, after = found[offset : offset + limit], offset + limit
    meta = {"limit": limit, "offset": offset, "continue": str(after) if after < len(found) else ""}
    identity = reading.line(request.app.state.host, "/etc/machine-id")
    return JSONResponse({"items": [_audit(entry, identity) for entry in shown], "listmeta": meta})


def filters(request: Request) -> JSONResponse:
    """GET .../audits/filters: what the parameters of the list may be."""
    entries = every(request.app.state.host)
    values = {
        "userUid": sorted({e["who"] for e in entries if e["who"]}),
        "resourceKind": sorted({e["kind"] for e in entries}),
        "actionType": ["create", "update", "delete", "activity", "action"],
    }
    return JSONResponse({name: [{"label": v, "value": v} for v in found] for name, found in values.items()})


def download(request: Request) -> Response:
    """GET .../audits/download: the file as it is kept, in a tar archive."""
    host: Host = request.app.state.host
    try:
        data = host.path(audit.PATH).read_bytes()
    except OSError:
        return JSONResponse({"message": "Nothing has been audited yet."}, 404)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("audit.log")
        entry.size, entry.mode, entry.mtime = len(data), 0o600, int(host.clock.now())
        archive.addfile(entry, io.BytesIO(data))
    name = time.strftime("onsite-audit-%Y%m%d-%H%M%S.tar", time.gmtime(host.clock.now()))
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(buffer.getvalue(), media_type="application/x-tar", headers=headers)


def every(host: Host) -> list[dict[str, Any]]:
    """All entries, the newest first, with what filters need."""
    found = []
    for number, entry in enumerate(audit.entries(host)):
        event, seconds = str(entry.get("event", "")), entry.get("time")
        plain = event.partition(":")[0]
        found.append(
            {
                "number": number,
                "seconds": float(seconds) if isinstance(seconds, int | float) else 0.0,
                "who": str(entry.get("who", "")),
                "event": event,
                "action": ACTIONS.get(plain, "activity" if plain.startswith("login") else "action"),
                "kind": _KINDS.get(plain, "user" if plain.startswith("login") else "edgehost"),
                "entry": entry,
            }
        )
    return found[::-1]


def _audit(entry: dict[str, Any], identity: str) -> dict[str, Any]:
    said, whole_entry = [entry["event"]], entry["entry"]
    if line := whole_entry.get("line"):
        said.append(f"on {line}")
    changed = [d for d in whole_entry.get("differences", ()) if isinstance(d, dict)]
    said += ["{subject} {label}: {before} -> {after}".format_map({**_EMPTY, **d}) for d in changed]
    return {
        "metadata": {"createTimestamp": moment(entry["seconds"]), "edgeHostId": identity},
        "spec": {
            "actionType": entry["action"],
            "actor": {"actorType": "user" if entry["who"] else "system", "uid": entry["who"]},
            "message": "; ".join(said),
            "resource": {
                "kind": entry["kind"], "name": identity if entry["kind"] == "edgehost" else entry["who"],
                "uid": str(whole_entry.get("change") or entry["number"]),
            },
        },
    }  # fmt: skip


_EMPTY = {"subject": "", "label": "", "before": "", "after": ""}


def whole(text: str) -> int:
    """A whole number that a database takes. Raises ValueError with a sentence."""
    if not text.lstrip("-").isdecimal() or not text.isascii() or len(text) > 18:
        raise ValueError("That is not a whole number.")
    return int(text)


def instant(text: str | None) -> float | None:
    """Seconds since the epoch; None for no text. Raises ValueError with a sentence."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError("without a zone")
        return found.timestamp()
    except (ValueError, OverflowError) as wrong:
        raise ValueError("A time looks like 2026-11-25T10:42:00Z.") from wrong


ROUTES = [
    Route(BASE, page, methods=["GET"]),
    Route(f"{BASE}/filters", filters, methods=["GET"]),
    Route(f"{BASE}/download", download, methods=["GET"]),
]
