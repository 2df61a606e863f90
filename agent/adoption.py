"""Handing a running cluster over to the vendor's cloud: the four operations that have no meaning without it.

The hub would take a cluster that only its own agent can go on to manage; ours has none of that. They are refused by
name, in the contract's shape, so that a console says "not offered by this agent" and not "it failed".
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.errors import error

BASE = "/v1/edge-mgmt/cluster/pair"
_WHY = (
    "This agent manages its cluster by itself; adopting a running one is something that only the agent of the"
    " management plane can do. Register the host with the management plane before a cluster is made."
)


async def refused(_request: Request) -> JSONResponse:
    """All four of them."""
    return error(501, _WHY)


ROUTES = [
    Route(BASE, refused, methods=["POST"]),
    Route(f"{BASE}/details", refused, methods=["GET"]),
    Route(f"{BASE}/reject", refused, methods=["POST"]),
    Route(f"{BASE}/verify-connection", refused, methods=["POST"]),
]
