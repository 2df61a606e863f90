"""A cluster that is being thought out: the draft, as it was typed, and its forms.

Texts are kept as they were typed, right or wrong, so that the draft survives whatever happens to the console.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator
from pydantic import Field as Limits

from tui.models.form import Field, Form
from tui.models.link import Part, _tuple

STEPS = ("name", "definition", "variables", "address", "nodes", "preflight", "review")
TITLES = {
    "name": "Name", "definition": "Definition", "variables": "Settings", "address": "Address", "nodes": "Nodes",
    "preflight": "Check of the hosts", "review": "Review",
}  # fmt: skip
Source = Literal["", "embedded", "overridden", "update"]
"""Where the definition is: shipped with the installer, uploaded alone, or in a content bundle."""
SOURCES = {"embedded": "from the installer", "overridden": "imported", "update": "from a content bundle"}


class PoolDraft(Part):
    """Nodes that are alike. `labels` and `taints` as they were typed."""

    name: str
    control_plane: bool = False
    worker: bool = True
    """Of a control plane: runs workloads, too."""
    labels: str = ""
    taints: str = ""


CONTROL_PLANE = PoolDraft(name="control-plane", control_plane=True)


class ClusterDraft(Part):
    """Everything that was typed and chosen so far.

    Attributes:
        step: where the person was.
        variables: text by "uid/name", so that another version of the definition finds its own again.
        hosts: the pool of each host, by host id; a host that is not here is not used.
        nics: the interface of each host, by host id; where there is none the agent chooses.
    """

    version: Literal[1] = 1
    step: str = "name"
    name: Annotated[dict[str, str], Limits(max_length=20)] = {}  # noqa: RUF012 - pydantic copies a default
    address: Annotated[dict[str, str], Limits(max_length=20)] = {}  # noqa: RUF012 - as above
    variables: Annotated[dict[str, str], Limits(max_length=2000)] = {}  # noqa: RUF012 - as above
    source: Source = ""
    archive: str = ""
    ssh_keys: Annotated[tuple[str, ...], BeforeValidator(_tuple)] = ()
    pools: Annotated[tuple[PoolDraft, ...], BeforeValidator(_tuple)] = (CONTROL_PLANE,)
    hosts: Annotated[dict[str, str], Limits(max_length=1000)] = {}  # noqa: RUF012 - as above
    nics: Annotated[dict[str, str], Limits(max_length=1000)] = {}  # noqa: RUF012 - as above

    @property
    def title(self) -> str:
        return self.name.get("name", "").strip()

    @property
    def overlay(self) -> bool:
        return self.address.get("kind") == "overlay"

    def pool(self, name: str) -> PoolDraft | None:
        return next((p for p in self.pools if p.name == name), None)

    def members(self, pool: str) -> tuple[str, ...]:
        """The ids of the hosts of a pool, in the order in which they were chosen."""
        return tuple(host for host, name in self.hosts.items() if name == pool)

    @property
    def control_planes(self) -> tuple[str, ...]:
        return tuple(host for p in self.pools if p.control_plane for host in self.members(p.name))


NAME_FORM = Form(
    "cluster",
    "Name",
    (
        Field(
            "name", "clustername", "Name", "shop-12", needed=True,
            help="Small letters, digits, hyphens. It cannot be changed later.",
        ),
        Field(
            "tags", "tags", "Tags", "site:berlin, owner:ops",
            help="What you sort clusters by: name and value with a colon between. Several: put a comma between them.",
        ),
    ),
)  # fmt: skip

ADDRESS_FORM = Form(
    "cluster",
    "Address",
    (
        Field(
            "kind", "choice", "Network", choices=(("vip", "That of the hosts"), ("overlay", "Overlay")),
            help="The hosts' own network needs one free address there. An overlay makes a network of its own, so that "
            "hosts may get other addresses later; it can be chosen now only.",
        ),
        Field(
            "vip", "vip", "Address", "192.0.2.100", needed=True, shown_when=("kind", ("vip",)),
            help="A free address in the network of the hosts. It moves between the control planes and is where "
            "everybody reaches the cluster. Not one that DHCP gives away.",
        ),
        Field(
            "range", "overlay", "Range", "100.64.192.0/23", needed=True, shown_when=("kind", ("overlay",)),
            help="Addresses of the overlay. They must not be used anywhere at this site, and cannot be changed later.",
        ),
        Field(
            "ntp", "timeservers", "Time servers", "ntp1.site.example",
            help="For all hosts of the cluster. Empty: each host keeps its own.",
        ),
    ),
)  # fmt: skip

POOL_FORM = Form(
    "cluster",
    "Pool",
    (
        Field("name", "clustername", "Name", "workers", needed=True, help="Small letters, digits and hyphens."),
        Field(
            "worker", "choice", "Workloads", choices=(("yes", "Takes them, too"), ("no", "Control plane only")),
            shown_when=("role", ("control-plane",)),
            help="With few hosts the control planes should take workloads, too.",
        ),
        Field("labels", "labels", "Labels", "tier=front", help="Name and value with =. Several: put a comma between."),
        Field(
            "taints", "taints", "Taints", "only=gpu:NoSchedule",
            help="Keep workloads away that do not tolerate them: NoSchedule, PreferNoSchedule or NoExecute.",
        ),
        Field("role", "choice", "Role", choices=(("control-plane", "Control plane"), ("worker", "Worker"))),
    ),
)  # fmt: skip
