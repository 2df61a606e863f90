"""Does the target answer HTTP, and is it the target that answers?"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from tui.models.check import Target
from tui.services.checks import http
from tui.services.checks.climb import Climb, Finding, Trouble, failed, ok, skipped
from tui.services.checks.rungs import mtu
from tui.services.checks.rungs.proxy import opened, refusal

LIMIT = 18.0
_PATIENCE = 5.0
"""Seconds for an answer."""


async def check(climb: Climb) -> Finding:
    target = climb.wanted.main
    if target is None:
        return skipped("nothing to reach is set")
    try:
        climb.head = head = await answer(climb, target)
    except Trouble as trouble:
        climb.lost.setdefault(target, "it gave no answer that could be used")
        return trouble.finding
    climb.date = None if head.date is None else head.date - climb.clock.now()
    return ok(str(head))


async def answer(climb: Climb, target: Target) -> http.Head:
    """How `target` answers a GET.

    Raises:
        Trouble: it does not, or somebody else does.
    """
    if why := next((why for lost, why in climb.lost.items() if lost.authority == target.authority), ""):
        raise Trouble(skipped(f"{target.authority}: {why}"))
    try:
        head = await spoken(climb, target)
    except http.NotHttp as error:
        text = f"{target.host} port {target.port} takes connections, but does not speak HTTP."
        raise Trouble(failed("D251", text, "Check the port; ask who runs it.", str(error))) from error
    except TimeoutError as error:
        text = f"{target.host} takes the connection and never answers the request."
        raise Trouble(failed("D251", text, "Ask who runs it whether it is well.", "no answer")) from error
    except OSError as error:
        text = f"{target.host} ends the connection instead of answering."
        raise Trouble(failed("D251", text, "Ask who runs it whether it is well.", str(error))) from error
    if (
        climb.proxied(target)
        and climb.way.proxy
        and target.scheme == "http"
        and head.status in (403, 407, 502, 503, 504)
    ):
        raise Trouble(refusal(head, target, climb.way.proxy))
    elsewhere = urlsplit(head.fields.get("location", "")).hostname
    if target.scheme == "http" and 300 <= head.status < 400 and elsewhere and elsewhere != target.host:
        text = f"Somebody answers for {target.host} and sends to {elsewhere}: a sign-in page of this network?"
        raise Trouble(failed("D253", text, f"Open {elsewhere} on a laptop here, or ask IT.", f"{head} to {elsewhere}"))
    if head.status >= 500:
        text = f"{target.host} answers that it is not well ({head.status})."
        raise Trouble(failed("D252", text, "Ask who runs it; try again later.", str(head)))
    return head


async def spoken(climb: Climb, target: Target, more: str = "") -> http.Head:
    """One request and its answer, whatever it is.

    Raises:
        Trouble: the connection could not be made.
        TimeoutError, OSError, http.NotHttp: nothing, or something else, came back.
    """
    from tui.services.checks.rungs import tls

    async with opened(climb, target) as stream:
        if target.scheme == "https":
            await tls.secured(climb, stream, target)
        try:
            async with asyncio.timeout(_PATIENCE):
                plain = climb.way.proxy if climb.proxied(target) and target.scheme == "http" else None
                return await http.get(stream, target, plain, more)
        except TimeoutError as error:
            if not more and (hole := await mtu.vanishing(climb, target, stream.address)):
                raise Trouble(hole) from error
            raise
