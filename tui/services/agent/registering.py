"""How the registration stands: as the agent tells it, or concluded from the contract where it does not tell."""

from __future__ import annotations

from tui.models.contract import host
from tui.models.timeline import LABELS, READ, Step, Timeline
from tui.services.agent.answers import NotOffered
from tui.services.agent.client import Agent


async def read(agent: Agent) -> Timeline:
    """Raises Refused where the agent does not answer."""
    try:
        return await agent.call(READ)
    except NotOffered:
        return derived(await agent.call(host.INFO))


def derived(info: host.EdgeHostInfo) -> Timeline:
    """What `v1EdgeHostInfo` lets conclude: who manages the host, where the plane is, and whether a cluster uses it.

    A host that a cluster of its plane uses has been through every step before; of any other nothing more is known.
    """
    spec, status = info.spec or host.EdgeHostSpec.model_validate({}), info.status or host.EdgeHostStatus()
    if spec.management_mode != "central":
        return Timeline(state="local", derived=True)
    used = status.is_cluster_phase
    endpoint = spec.palette_endpoint_url.removeprefix("https://").rstrip("/")
    steps = [Step(name=name, mark="ok" if used else "", said="derived" if used else "not told") for name in LABELS]
    text = "The agent of this host does not tell how its registration stands; this is derived from what it does tell."
    note = {"code": "R135", "text": text, "remedy": "Look at the management plane."}
    steps = [step.model_copy(update=note) if step.name == "known" else step for step in steps]
    uid = info.metadata.id if info.metadata else ""
    return Timeline(state="in use" if used else "trying", endpoint=endpoint, host_id=uid, steps=steps, derived=True)
