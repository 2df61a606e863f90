"""Bodies of requests as models of the contract: of a limited size, strictly what the contract says."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tui.models.contract.base import Wire

Model = TypeVar("Model", bound=Wire)

LARGEST = 4 << 20
"""Bytes; a cluster with its profile variables has a tenth of it."""


async def read(request: Request, model: type[Model], largest: int = LARGEST) -> Model:
    """The body as `model`.

    Raises:
        HTTPException: 413 too large; 400 not what the contract says, with the field that is wrong.
    """
    try:
        return model.model_validate_json(await raw(request, largest), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise HTTPException(400, f"{where}: {first['msg']}") from error


async def raw(request: Request, largest: int = LARGEST) -> bytes:
    """Raises HTTPException: 413 too large."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > largest:
            raise HTTPException(413, f"The body has more than {largest} bytes.")
    return bytes(found)
