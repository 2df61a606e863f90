"""Everything that goes wrong, in the contract's one shape: `v1Error`."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui.models.change import Refused

_log = logging.getLogger("agent")


def error(status: int, message: str, ref: str = "") -> JSONResponse:
    """An answer of shape `v1Error`. `code` is the status in words, such as "NotFound".

    Args:
        ref: what to look for in the log; "" where the log knows no more than the answer.
    """
    code = "".join(word.capitalize() for word in HTTPStatus(status).phrase.split())
    return JSONResponse({"code": code, "message": message, "ref": ref, "details": {}}, status)


async def refused(request: Request, raised: Exception) -> Response:
    """For `HTTPException`: no such path, no such method, or a refusal of our own."""
    assert isinstance(raised, HTTPException)  # noqa: S101 - registered for nothing else
    answer = error(raised.status_code, f"{request.method} {request.url.path}: {raised.detail}")
    answer.headers.update(raised.headers or {})
    return answer


async def not_done(_request: Request, raised: Exception) -> Response:
    """For `Refused` of a service: its first issue with the code that a person can look up; all of them in `details`."""
    assert isinstance(raised, Refused)  # noqa: S101 - registered for nothing else
    first = raised.issues[0]
    status = 400 if first.field else 409
    details = [{"code": i.code, "field": i.field, "text": i.text, "remedy": i.remedy} for i in raised.issues]
    said = {"code": first.code, "message": f"{first.text} {first.remedy}", "ref": "", "details": {"issues": details}}
    return JSONResponse(said, status)


class Failures:
    """For everything nobody foresaw: the cause goes to the log, the caller gets where to find it there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            ref = secrets.token_hex(4)
            _log.exception("internal error %s", ref)
            if begun:  # too late for another answer: uvicorn breaks the connection off
                raise
            answer = error(500, f"The agent failed; its log has the cause under {ref}.", ref)
            await answer(scope, receive, send)
