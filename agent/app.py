"""The agent's routes. One module per concern of the contract; this one only says which is where."""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent import errors, host
from agent.auth import OwnerOnly
from tui.services.host import Host


async def ping(_request: Request) -> JSONResponse:
    """GET /v1/ping"""
    return JSONResponse({"msg": "pong"})


def build(served: Host) -> Starlette:
    """The application that answers for the host `served`."""
    app = Starlette(
        routes=[
            Route("/v1/ping", ping, methods=["GET"]),
            Route("/v1/edge-mgmt/settings", host.settings, methods=["GET"]),
            Route("/v1/edge-mgmt/edgehosts/current", host.current, methods=["GET"]),
        ],
        middleware=[Middleware(OwnerOnly, owner=os.geteuid()), Middleware(errors.Failures)],
        exception_handlers={HTTPException: errors.refused},
    )
    app.state.host = served
    return app
