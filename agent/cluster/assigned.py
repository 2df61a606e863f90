"""A cluster that the management plane of this host wants: it goes the way of one that somebody here wants.

Only where the plane says it in public words, those of the Local Management API (`v1ClusterConfiguration`); and only the
host that leads it, the first control plane, drives the engine. The definition that it names has to be in the content of
this host. What somebody deleted here is not made again before the plane wants something else.
"""

from __future__ import annotations

from starlette.datastructures import State

from agent.cluster import kept, routes
from tui.models.contract.cluster import ClusterConfiguration
from tui.models.contract.pools import MachinePool

WHO = "management plane"


async def carry_out(state: State, asked: ClusterConfiguration, uid: str) -> None:
    """Begin with what is wanted; nothing where it is so already, or where another host leads.

    Args:
        state: of the agent's application.
        uid: as whom the plane knows this host.

    Raises:
        Refused: why it cannot be.
    """
    own = state.cluster_hosts.own
    asked = asked.model_copy(deep=True)
    hosts = [(pool, host) for pool in _pools(asked) for host in pool.hosts]
    for _, host in hosts:
        if host.host_uid == uid:
            host.host_uid = own
    leader = next((host.host_uid for pool, host in hosts if pool.is_control_plane), own)
    if leader != own:
        return
    found = kept.load(state.store)
    if found is None:
        await routes.make(state, asked, WHO)
    elif found.configuration != asked:
        await routes.change(state, found, asked, WHO)


def _pools(asked: ClusterConfiguration) -> list[MachinePool]:
    cloud = asked.spec.cloud_config if asked.spec else None
    return cloud.spec.machine_pool_config if cloud and cloud.spec else []
