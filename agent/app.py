"""The agent's routes. One module per concern of the contract, each with its `ROUTES`; this one only puts them together.

What handlers share is in `request.app.state`: `host`, `store`, `jobs`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from agent import errors, events, host, jobs_routes
from agent.auth import OwnerOnly
from agent.jobs import Jobs
from agent.store import PATH, Store
from tui.models.change import Refused
from tui.services.host import Host

ROUTES = [*host.ROUTES, *events.ROUTES, *jobs_routes.ROUTES]


def build(served: Host) -> Starlette:
    """The application that answers for the host `served`.

    Raises:
        OSError, sqlite3.Error, TooNew: the store cannot be opened.
    """
    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(OwnerOnly, owner=os.geteuid()), Middleware(errors.Failures)],
        exception_handlers={HTTPException: errors.refused, Refused: errors.not_done},
        lifespan=_alive,
    )
    app.state.host = served
    app.state.store = Store(served.path(PATH))
    app.state.jobs = Jobs(app.state.store, served.clock)
    return app


@asynccontextmanager
async def _alive(app: Starlette) -> AsyncIterator[None]:
    app.state.jobs.resume()
    try:
        yield
    finally:
        await app.state.jobs.stop()
        app.state.store.close()
