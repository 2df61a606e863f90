"""What the agent of a host tells of its content: by our own operations, or else by the contract alone."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tui.models import content_api as api
from tui.models.change import Issue, Refused
from tui.models.contract import content as wire
from tui.models.contract import definition
from tui.services.agent.answers import LoginNeeded, NotOffered

if TYPE_CHECKING:
    from tui.services.agent.client import Agent

Answer = TypeVar("Answer")
SLOW = 90.0
"""Seconds for what reads a stick or deletes gigabytes."""


@dataclass(frozen=True, slots=True)
class View:
    """What is known of the content of a host.

    Attributes:
        content: None where the agent does not offer our operations; then the rest says what the contract tells.
        issue: why nothing is known.
    """

    content: api.Content | None = None
    uploaded: wire.UploadedContentDetails | None = None
    archives: tuple[tuple[str, definition.ArchiveDetails], ...] = ()
    registry: tuple[wire.RegistryItem, ...] = ()
    registry_state: str = ""
    not_offered: tuple[str, ...] = ()
    issue: Issue | None = None

    @property
    def entries(self) -> list[api.Entry]:
        return self.content.items if self.content else []


async def read(agent: Agent) -> View:
    """Ask the agent. Whatever goes wrong is in the view."""
    try:
        content: api.Content = await agent.call(api.CONTENT)
    except NotOffered:
        return await _by_the_contract(agent)
    except Refused as refused:
        return View(issue=refused.issues[0])
    return View(content=content)


async def _by_the_contract(agent: Agent) -> View:
    lacking: list[str] = []

    async def maybe(what: str, call: Awaitable[Answer]) -> Answer | None:
        try:
            return await call
        except LoginNeeded:
            raise
        except NotOffered:
            lacking.append(what)
        except Refused as refused:
            lacking.append(f"{what} ({refused.issues[0].code})")
        return None

    try:
        uploaded = await maybe("the last upload", _last(agent))
        archives = [
            (words, found)
            for words, operation in (
                ("embedded", definition.EMBEDDED), ("imported", definition.OVERRIDDEN), ("update", definition.UPDATE),
            )
            if (found := await maybe(f"{words} definitions", agent.call(operation)))
        ]  # fmt: skip
        registry = await maybe("images and packs", agent.call(wire.REGISTRY))
        health = await maybe("the registry", agent.call(wire.REGISTRY_HEALTH))
    except LoginNeeded as refused:
        return View(issue=refused.issues[0])
    return View(
        uploaded=uploaded,
        archives=tuple((words, found) for words, found in archives if found.cluster_profile_details),
        registry=tuple(registry.status) if registry else (),
        registry_state=health.state if health else "",
        not_offered=tuple(lacking),
    )


async def _last(agent: Agent) -> wire.UploadedContentDetails | None:
    return await agent.find(wire.UPLOADED)
