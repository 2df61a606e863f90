"""What every driver asks of its host: whose node it is, which link has its address, whether a backup is whole."""

from __future__ import annotations

from agent.engines.engine import Node, Spec
from agent.engines.kubeadm import preflight
from agent.engines.machine import Machine
from agent.engines.payload import sha256_of
from tui.models.change import Issue, Refused


def begin(machine: Machine, engine: str, spec: Spec, node: Node) -> None:
    """Write into the host's record that it becomes a node of this cluster.

    Raises:
        Refused: K118, it is one of another cluster.
    """
    record = machine.record
    if record.cluster and record.cluster != spec.name:
        text = f"This host is already a node of {record.cluster}."
        raise Refused(Issue("K118", "error", "", text, "Take it out of that cluster first."))
    record.engine, record.version, record.role, record.cluster = engine, spec.version, node.role, spec.name
    machine.save()


def link(machine: Machine, node: Node) -> str:
    """The name of the interface that has the node's address.

    Raises:
        Refused: K112, none has.
    """
    found = preflight.link_of(machine, str(node.address))
    if found is None:
        text = f"This host does not have the address {node.address}."
        raise Refused(Issue("K112", "error", "", text, "Give the host that address, or choose the one that it has."))
    return found.name


def whole(machine: Machine, path: str, sha256: str) -> None:
    """Raises Refused, K217: the backup at `path` is not the one that was made."""
    if sha256_of(machine.host.path(path)) != sha256:
        text = "The backup is not the one that was made."
        raise Refused(Issue("K217", "error", "", text, "Take another backup."))
