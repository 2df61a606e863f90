"""Linked hosts, asked of whatever agent this host has; ours also shows a short code, others only a token."""

from __future__ import annotations

from dataclasses import dataclass

from tui.models import window as ours
from tui.models.change import Issue
from tui.models.contract import peers as contract
from tui.models.contract.peers import LinkStatus
from tui.models.peers import Token
from tui.models.window import Window
from tui.services.agent.answers import NotOffered
from tui.services.agent.client import Agent

LINK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Linked:
    """What a console shows.

    Attributes:
        status: None where this host is linked with no other.
        window: None where this agent has no short codes.
    """

    status: LinkStatus | None = None
    window: Window | None = None

    @property
    def leads(self) -> bool:
        peers = self.status.peers if self.status else []
        return bool(self.window and self.window.open) or (any(p.role == "follower" for p in peers) and not self.leader)

    @property
    def leader(self) -> contract.LinkPeer | None:
        return next((p for p in (self.status.peers if self.status else []) if p.role == "leader"), None)


def name(peer: contract.LinkPeer) -> str:
    """What a person calls it."""
    named = peer.config.metadata.name if peer.config and peer.config.metadata else ""
    return named or peer.id or peer.ip


def silent(peer: contract.LinkPeer) -> Issue | None:
    """What is wrong with a linked host, None where it is well."""
    if peer.health is None or peer.health.status != "Unhealthy":
        return None
    why = peer.health.reason or "the agent does not say why"
    remedy = "Look at that host: is it on, and does its Home show an address?"
    return Issue("L104", "warning", peer.id, f"{name(peer)} is not well: {why}.", remedy)


async def read(agent: Agent) -> Linked:
    """How this host is linked.

    Raises:
        NotOffered: this agent knows no linking.
        Refused: it does not answer, or not well.
    """
    status = await agent.find(contract.STATUS)
    try:
        window = await agent.call(ours.SHOW_WINDOW)
    except NotOffered:
        window = None
    return Linked(status, window)


async def follow(agent: Agent, by: str, address: str, code: str, token: Token | None) -> LinkStatus:
    """Begin to follow a leader; `read` tells how it goes.

    Raises:
        Refused: the agent does not begin.
    """
    if by == "token" and token is not None:
        return await agent.call(contract.LINK, contract.LinkToken(token=token.text()), seconds=LINK_SECONDS)
    return await agent.call(ours.FOLLOW_CODE, ours.Code(address=address, code=code), seconds=LINK_SECONDS)
