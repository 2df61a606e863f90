"""Is it what it should be? The management plane, the registry, and the URL of the operator's choice."""

from __future__ import annotations

from tui.models.check import Target
from tui.services.checks.climb import Climb, Finding, Trouble, failed, ok, skipped
from tui.services.checks.http import Head
from tui.services.checks.rungs.http import answer

LIMIT = 24.0


async def endpoint(climb: Climb) -> Finding:
    """Any answer but "no such path" counts: who has no token yet is sent away, and rightly."""
    target = climb.wanted.endpoint
    if target is None:
        return skipped("no endpoint of a management plane is set")
    try:
        head = climb.head if climb.head and climb.wanted.main == target else await answer(climb, target)
    except Trouble as trouble:
        return trouble.finding
    if head.status == 404 and target.path != "/":
        text = f"{target.host} answers, but has no {target.path}: it is not the management plane."
        return failed("D281", text, "Check the address of the management plane.", str(head))
    return ok(str(head))


async def registry(climb: Climb) -> Finding:
    """Base of the OCI distribution specification: /v2/ answers 200, or 401 and how to sign in."""
    target = climb.wanted.registry
    if target is None:
        return skipped("no registry is set")
    base = Target(target.what, target.scheme, target.host, target.port, "/v2/")
    try:
        head = await answer(climb, base)
    except Trouble as trouble:
        return trouble.finding
    if _is_registry(head):
        return ok(f"{head}{', it wants a sign-in' if head.status == 401 else ''}")
    text = f"{target.host} answers, but is no registry: /v2/ says {head.status}."
    return failed("D282", text, "Check the address of the registry.", str(head))


def _is_registry(head: Head) -> bool:
    named = head.fields.get("docker-distribution-api-version", "").startswith("registry/2")
    return head.status == 200 or (head.status == 401 and (named or "www-authenticate" in head.fields))


async def url(climb: Climb) -> Finding:
    target = climb.wanted.url
    if target is None:
        return skipped("no other URL is set")
    try:
        return ok(str(await answer(climb, target)))
    except Trouble as trouble:
        return trouble.finding
