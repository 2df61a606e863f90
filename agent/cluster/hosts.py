"""How the agent reaches the hosts of a cluster: this one at once, the linked ones over whatever links them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from agent.cluster import contents
from agent.engines.engine import ClusterHost, Spec
from agent.engines.machine import Machine
from agent.engines.steps import LocalHost
from agent.host import own_id
from tui.models.change import Issue, Refused
from tui.services.host import Host


def _nobody(_uid: str) -> ClusterHost | None:
    return None


@dataclass(slots=True)
class Hosts:
    """`linked` gives the host of that uid, or None where it is not linked; set it where links are."""

    host: Host
    linked: Callable[[str], ClusterHost | None] = field(default=_nobody)

    @property
    def own(self) -> str:
        """The id of this host, as the contract has it in `metadata.id`."""
        return own_id(self.host)

    def local(self) -> LocalHost:
        return LocalHost(self.own, Machine(self.host), partial(contents.payload, self.host))

    def of(self, spec: Spec) -> dict[str, ClusterHost]:
        """Raises:
        Refused: one of them is not linked (K233).
        """
        found: dict[str, ClusterHost] = {}
        for node in spec.nodes:
            if self.host.kind != "real":  # its programs are this very machine's
                text = "A practice host makes no cluster."
                raise Refused(Issue("K234", "error", "", text, "Try it on a host of its own."))
            host = self.local() if node.uid == self.own else self.linked(node.uid)
            if host is None:
                text = f"{node.name} is not linked with this host."
                raise Refused(Issue("K233", "error", "spec.cloudConfig", text, "Link it first: place Hosts."))
            found[node.uid] = host
        return found
