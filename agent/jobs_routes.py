"""Jobs for whoever asks: a list, one of them, and what a person may do with it. Ours, not the contract's."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.errors import error
from agent.jobs import Jobs

LISTED = 50


async def listed(request: Request) -> JSONResponse:
    """GET /v1/onsite/jobs: the newest first."""
    jobs: Jobs = request.app.state.jobs
    rows = jobs.store.rows("SELECT * FROM jobs ORDER BY created DESC, rowid DESC LIMIT ?", LISTED)
    return JSONResponse({"items": [jobs.shown(row) for row in rows]})


async def one(request: Request) -> JSONResponse:
    """GET /v1/onsite/jobs/{job}"""
    jobs: Jobs = request.app.state.jobs
    row = jobs.store.row("SELECT * FROM jobs WHERE id = ?", request.path_params["job"])
    return error(404, "There is no such job.") if row is None else JSONResponse(jobs.shown(row))


async def change(request: Request) -> JSONResponse:
    """POST /v1/onsite/jobs/{job}/cancel, pause or retry"""
    jobs: Jobs = request.app.state.jobs
    name, job = request.path_params["wish"], request.path_params["job"]
    wishes: dict[str, Callable[[str], None]] = {"cancel": jobs.cancel, "pause": jobs.pause, "retry": jobs.retry}
    if name not in wishes:
        return error(404, "A job can be cancelled, paused or retried.")
    if jobs.store.row("SELECT 1 FROM jobs WHERE id = ?", job) is None:
        return error(404, "There is no such job.")
    wishes[name](job)
    return JSONResponse({"message": f"Asked to {name}."}, 202)


ROUTES = [
    Route("/v1/onsite/jobs", listed, methods=["GET"]),
    Route("/v1/onsite/jobs/{job}", one, methods=["GET"]),
    Route("/v1/onsite/jobs/{job}/{wish}", change, methods=["POST"]),
]
