"""Asking the agent how its cluster is, by the contract alone; what one call refuses does not hide what others say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tui.models.change import Issue, Refused
from tui.models.contract import cluster, content, events, running
from tui.services.cluster import durations, members
from tui.services.cluster.answers import Answer, parts, text
from tui.services.cluster.members import Certificates, Node, Pack
from tui.services.cluster.standing import NONE, Standing, standing
from tui.services.cluster.steps import Step, steps
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.contract.base import Operation
    from tui.services.agent.client import Agent

SECONDS = 15.0
"""An agent may be slow without being ill; the console goes on meanwhile."""
HOUR, FEW = 3600.0, 4.0
"""How often certificates are asked for, and for how long: they live for months, and Home has to be right soon."""


@dataclass(frozen=True, slots=True)
class Import:
    """One image on its way into the registry of the cluster. `mark`: ok there, .. on its way, x failed."""

    name: str
    size: str
    mark: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the agent said of its cluster.

    Attributes:
        issue: why it could not be asked; the rest is then what it said before.
        details: the contract's `v1Cluster` without the kubeconfig; None where there is no cluster.
        refused: what single calls said in place of an answer.
    """

    standing: Standing = NONE
    issue: Issue | None = None
    details: Answer | None = field(default=None, repr=False)
    nodes: tuple[Node, ...] = ()
    packs: tuple[Pack, ...] = ()
    steps: tuple[Step, ...] = ()
    imports: tuple[Import, ...] = ()
    certificates: Certificates = members.NO_CERTIFICATES
    certificates_at: float = float("-inf")
    """When the agent was asked for them last, on CLOCK_BOOTTIME."""
    refused: tuple[Issue, ...] = ()


async def read(agent: Agent, host: Host, before: Reading | None, *, thoroughly: bool) -> Reading:
    """How the cluster is.

    Args:
        before: what was read last, for the time in which the agent does not answer.
        thoroughly: packs and images too, which are many.
    """
    try:
        found = await agent.find(running.DETAILS, seconds=SECONDS)
    except Refused as refused:
        kept = before or Reading()
        return replace(kept, issue=refused.issues[0], refused=())
    if found is None:
        return Reading()
    details = found.sent()
    details.get("status", {}).pop("kubeconfig", None)
    asked: list[Operation[Any]] = [running.NODES, events.LIFECYCLE]
    if thoroughly:
        asked += [running.APPLICATIONS, content.REGISTRY_SYNC]
    said = await asyncio.gather(*(_asked(agent, operation) for operation in asked))
    answers = [answer for answer, _ in said] + [{}] * (4 - len(said))
    refused_ = tuple(issue for _, issue in said if issue is not None)
    nodes = members.nodes(answers[0], details)
    way = steps(answers[1], host.clock.now(), durations.learned(host))
    packs = members.packs(answers[2]) if thoroughly or before is None else before.packs
    imports = _imports(answers[3]) if thoroughly or before is None else before.imports
    certificates, at = await _certificates(agent, host, before, details)
    now = standing(details, nodes, packs, way, members.ending(certificates, host.clock.now()))
    if now.state == "Running" and now.mark == "ok" and before is not None and before.standing.state == "Provisioning":
        durations.learn(host, way)
    return Reading(now, None, details, nodes, packs, way, imports, certificates, at, refused_)


async def _certificates(
    agent: Agent, host: Host, before: Reading | None, details: Answer
) -> tuple[Certificates, float]:
    """Those of the cluster, and when they were asked for; what was said before while that is less than an hour ago."""
    kept, at = (before.certificates, before.certificates_at) if before is not None else (Certificates(), float("-inf"))
    if text(details, "status", "clusterState") != "Running" or host.clock.boottime() - at < HOUR:
        return kept, at
    said, issue = await _asked(agent, running.CERTIFICATES, seconds=FEW)
    return (kept if issue is not None else members.certificates(said)), host.clock.boottime()


async def _asked(agent: Agent, operation: Operation[Any], *, seconds: float = SECONDS) -> tuple[Answer, Issue | None]:
    try:
        found = await agent.find(operation, seconds=seconds)
    except Refused as refused:
        return {}, refused.issues[0]
    return ({} if found is None else found.sent()), None


def _imports(answer: Answer) -> tuple[Import, ...]:
    marks = {"completed": "ok", "failed": "x"}
    return tuple(
        Import(
            " ".join(x for x in (text(item, "name"), text(item, "version")) if x), text(item, "size"),
            marks.get(text(item, "status"), ".."), text(item, "msg"),
        )
        for item in parts(answer, "pendingItems")
    )  # fmt: skip


async def configuration(agent: Agent) -> Answer | None:
    """The contract's `v1ClusterConfiguration`; None where there is none. Raises Refused."""
    found = await agent.find(cluster.CONFIGURATION, seconds=SECONDS)
    return None if found is None else found.sent()
