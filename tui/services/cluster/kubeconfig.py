"""The kubeconfig: asked of the agent when somebody wants it, written where only its owner reads it, never shown."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from tui.models.change import Issue, Refused
from tui.models.contract import running

if TYPE_CHECKING:
    from tui.services.agent.client import Agent

SECONDS = 15.0
FOLDER = "/root"
"""Where somebody who comes by SSH as root finds it."""


async def fetched(agent: Agent) -> bytes:
    """The kubeconfig as Kubernetes reads it; agents may send it in base64.

    Raises:
        Refused: K441 there is none yet.
    """
    cluster = await agent.find(running.DETAILS, seconds=SECONDS)
    said = cluster.status.kubeconfig if cluster is not None and cluster.status is not None else ""
    found = said.strip()
    if found and "apiVersion" not in found:
        try:
            found = base64.b64decode("".join(found.split()), validate=True).decode()
        except (binascii.Error, ValueError):
            found = ""
    if "apiVersion" not in found:
        text = "The agent has no kubeconfig to give."
        raise Refused(Issue("K441", "error", "", text, "Wait until the cluster runs, then ask again."))
    return found.encode() + b"\n"
