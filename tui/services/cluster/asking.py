"""Asking the agent for what a new cluster is made of, and telling it to make one. By the contract; what only our own
agent offers is asked for, and done without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.models.change import Issue, Refused
from tui.models.contract import cluster, host, peers
from tui.models.onsite.preflight import PREFLIGHT, Preflight
from tui.services.agent.answers import NotOffered
from tui.services.cluster.hosts import Candidate, candidates

if TYPE_CHECKING:
    from tui.services.agent.client import Agent

SECONDS = 15.0
PREFLIGHT_SECONDS = 120.0


async def hosts(agent: Agent) -> tuple[tuple[Candidate, ...], tuple[Issue, ...]]:
    """This host and those that are linked to it; and why the linked ones are not known, where that is so.

    Raises:
        Refused: not even this host is known.
    """
    info = await agent.call(host.INFO, seconds=SECONDS)
    try:
        link = await agent.find(peers.STATUS, seconds=SECONDS)
    except NotOffered:
        link = None
    except Refused as refused:
        return candidates(info.sent()), refused.issues
    return candidates(info.sent(), link.sent() if link is not None else None), ()


async def preflight(agent: Agent, configuration: dict[str, Any]) -> Preflight:
    """What stands in the way on every host, all at once. Nothing is written.

    Raises:
        NotOffered: this agent has no such thing.
        Refused: it could not be asked.
    """
    body = cluster.ClusterConfiguration.model_validate(configuration)
    return await agent.call(PREFLIGHT, body, seconds=PREFLIGHT_SECONDS)


async def create(agent: Agent, configuration: dict[str, Any]) -> None:
    """Begin.

    Raises:
        Refused: nothing was begun.
    """
    await agent.call(cluster.CREATE, cluster.ClusterConfiguration.model_validate(configuration), seconds=30.0)
