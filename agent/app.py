"""The agent's routes. One module per concern of the contract, each with its `ROUTES`; this one only puts them together.

What handlers share is in `request.app.state`: `host`, `settings`, `store`, `jobs`, `tokens`, `throttle`, `registrar`,
`links`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from agent import (
    adoption,
    audits,
    configuring,
    content,
    content_import,
    diagnostics,
    errors,
    events,
    host,
    jobs_routes,
    power,
    uploads,
    userdata,
    users,
)  # fmt: skip
from agent.auth import Gate
from agent.cluster import assigned
from agent.cluster import routes as cluster_routes
from agent.jobs import Jobs
from agent.links import routes as links_routes
from agent.links import serving, steps, sync
from agent.links.links import Links
from agent.registration import routes as registration
from agent.registration.registrar import Registrar, Timing
from agent.shape import Shapes
from agent.store import PATH, Store
from agent.throttle import Throttle
from agent.tokens import Tokens
from tui.models.change import Refused
from tui.services.host import Host
from tui.settings import Settings

CONCERNS = (
    host,
    users,
    configuring,
    userdata,
    diagnostics,
    audits,
    power,
    events,
    jobs_routes,
    content,
    uploads,
    registration,
    adoption,  # before the cluster's own, where {clusterName} would take it
    cluster_routes,
    links_routes,
)
KINDS = (configuring.kind, userdata.kind, diagnostics.kind, power.kind, content_import.kind)
PACE = "ONSITE_PACE"
"""How many times faster than life the timers of registering run: for practice and tests."""


def build(served: Host, settings: Settings | None = None) -> Starlette:
    """The application that answers for the host `served`.

    Raises:
        OSError, sqlite3.Error, TooNew: the store cannot be opened.
    """
    store = Store(served.path(PATH))
    tokens = Tokens(served, store)
    app = Starlette(
        routes=[route for concern in CONCERNS for route in concern.ROUTES],
        middleware=[
            Middleware(Shapes),
            Middleware(Gate, owner=os.geteuid(), tokens=tokens),
            Middleware(errors.Failures),
        ],
        exception_handlers={HTTPException: errors.refused, Refused: errors.not_done},
        lifespan=_alive,
    )
    app.router.redirect_slashes = False  # the contract knows no path with a slash at its end
    app.state.host = served
    app.state.settings = settings or Settings()
    app.state.store, app.state.tokens = store, tokens
    app.state.throttle = Throttle(store, served.clock, app.state.settings)
    app.state.jobs = Jobs(store, served.clock)
    for kind in KINDS:
        app.state.jobs.add(kind(served))
    app.state.registrar = Registrar(served, Timing(pace=float(os.environ.get(PACE, "1"))))
    port = app.state.settings.agent_peer_port
    app.state.links = Links(served, lambda: host.edge_host_info(served), port=port, asked_port=port)
    app.state.links.synced = sync.Sync(served, app.state.links.own)
    cluster_routes.mount(app)
    app.state.cluster_hosts.linked = partial(steps.linked, app.state.links)
    app.state.registrar.assign = partial(assigned.carry_out, app.state)
    return app


@asynccontextmanager
async def _alive(app: Starlette) -> AsyncIterator[None]:
    uploads.sweep(app.state.host)
    undecided = asyncio.create_task(configuring.undecided(app.state.host))
    app.state.jobs.resume()
    engine = steps.Steps(app.state.cluster_hosts.local())
    served = serving.build(app.state.links, *engine.routes(), *sync.ROUTES)
    await app.state.links.start(served)
    registering = asyncio.create_task(app.state.registrar.run())
    try:
        yield
    finally:
        registering.cancel()
        undecided.cancel()
        await asyncio.gather(registering, undecided, return_exceptions=True)
        await app.state.links.stop()
        await app.state.jobs.stop()
        app.state.store.close()
