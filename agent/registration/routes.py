"""The registration for whoever asks. Ours, not the contract's."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.registration.registrar import Registrar


async def told(request: Request) -> JSONResponse:
    """GET /v1/onsite/registration: how far it is, step by step"""
    registrar: Registrar = request.app.state.registrar
    return JSONResponse(registrar.told().model_dump(mode="json", by_alias=True))


async def try_now(request: Request) -> JSONResponse:
    """POST /v1/onsite/registration/try: do not wait for the next try"""
    registrar: Registrar = request.app.state.registrar
    registrar.try_now()
    return JSONResponse({"message": "Trying now."}, 202)


ROUTES = [
    Route("/v1/onsite/registration", told, methods=["GET"]),
    Route("/v1/onsite/registration/try", try_now, methods=["POST"]),
]
