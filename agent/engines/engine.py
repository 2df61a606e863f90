"""What an engine driver is: the neutral document it renders from, the payload it installs, the calls it answers.

A driver renders files, places the payload, calls the engine's own commands and reads its state; nothing of a cluster's
data path is ours. Every call is for one host and runs on that host, so that it can be journalled there and go on after
a reboot. Who drives several hosts (`agent.engines.forming`) reaches each over a `ClusterHost`: this very host, or one
that is linked. Arguments and results are plain data, so that they travel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.engines.payload import Payload
from tui.models.change import FileImage, Issue

Role = Literal["control-plane", "worker"]
Mark = Literal["begun", "done", "failed", "note"]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Node(_Document):
    """A host in its place in the cluster.

    Attributes:
        number: given once and never again; names the node's part of the pod range.
        schedulable: whether a control plane runs workloads too.
    """

    uid: str
    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$")
    address: IPv4Address
    role: Role
    number: int = Field(ge=0, le=250)
    pool: str = ""
    schedulable: bool = True
    labels: dict[str, str] = {}
    taints: tuple[str, ...] = ()
    """As `key=value:Effect`."""


class Registry(_Document):
    """Where images come from that are not in the content."""

    domain: str
    username: str = ""
    password: str = Field(default="", repr=False)
    certificates: tuple[str, ...] = ()
    """PEM texts of authorities."""


class Manifest(_Document):
    """One pack: YAML that is applied as it is, in the order of the document."""

    name: str
    text: str = Field(repr=False)


class Spec(_Document):
    """A cluster as every engine understands it.

    Attributes:
        vip: an address that moves between the control planes; None where the first control plane's own serves.
        pod_network: "routes" links the nodes' pod ranges by static routes (hosts of one network segment); "pack" leaves
            it to a manifest of the definition.
        options: what is handed to the engine as it is: "kubelet" and "kube_proxy" (fields of their configuration),
            "ignore_preflight" (names of the engine's own checks). Nothing of it is set by default.
    """

    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    engine: Literal["kubeadm", "k3s"]
    version: str = Field(pattern=r"^v\d+\.\d+\.\d+([+-][0-9A-Za-z.+-]+)?$")
    nodes: tuple[Node, ...] = Field(min_length=1)
    vip: IPv4Address | None = None
    pod_range: IPv4Network = IPv4Network("10.244.0.0/16")
    service_range: IPv4Network = IPv4Network("10.96.0.0/16")
    dns_domain: str = "cluster.local"
    pod_network: Literal["routes", "pack"] = "routes"
    ntp_servers: tuple[str, ...] = ()
    ssh_keys: tuple[str, ...] = ()
    registry: Registry | None = None
    image_repository: str = ""
    """In front of the engine's images, where they are not those of the content."""
    manifests: tuple[Manifest, ...] = ()
    needs_images: tuple[str, ...] = ()
    """Images that the packs start, beyond those of the engine."""
    options: dict[str, Any] = {}

    @model_validator(mode="after")
    def _one_of_each(self) -> Spec:
        for what in ("uid", "name", "address", "number"):
            values = [getattr(n, what) for n in self.nodes]
            if len(set(values)) != len(values):
                raise ValueError(f"two nodes have one {what}")
        if not self.control_planes:
            raise ValueError("a cluster needs a control plane")
        return self

    @property
    def control_planes(self) -> tuple[Node, ...]:
        return tuple(n for n in self.nodes if n.role == "control-plane")

    @property
    def endpoint(self) -> str:
        """Where nodes and people reach the API."""
        return str(self.vip or self.control_planes[0].address)

    @property
    def minor(self) -> tuple[int, int]:
        major, minor = self.version.lstrip("v").split(".")[:2]
        return int(major), int(minor)

    def node(self, uid: str) -> Node:
        return next(n for n in self.nodes if n.uid == uid)

    def pods_of(self, node: Node) -> IPv4Network:
        """The node's part of the pod range: a /24, by its number."""
        return IPv4Network((int(self.pod_range.network_address) + 256 * (node.number + 1), 24))


class Bundle(_Document):
    """All that a host needs to join; a secret, and good for a short time only.

    Attributes:
        expires: seconds since the epoch.
        settled: what must be the same on every server, so that a mismatch is found before the engine refuses it.
    """

    endpoint: str
    token: str = Field(repr=False)
    ca_hash: str
    certificate_key: str = Field(default="", repr=False)
    expires: float
    settled: dict[str, str] = {}


class Event(_Document):
    """Something that happened on the way: what a person watching sees."""

    step: str
    mark: Mark
    text: str = ""
    node: str = ""
    code: str = ""


Tell = Callable[[Event], None]


class Planned(_Document):
    """What a call would write and run on one host."""

    files: tuple[tuple[str, int, str], ...]
    """Path, mode, and the text ("" where it holds a secret)."""
    commands: tuple[str, ...]


class Status(_Document):
    """One word and the reasons for it; read without the API where that is down."""

    word: Literal["none", "ready", "degraded", "down"]
    role: str = ""
    version: str = ""
    reasons: tuple[dict[str, str], ...] = ()
    """Issues as plain data."""
    nodes: tuple[dict[str, Any], ...] = ()
    members: tuple[dict[str, Any], ...] = ()
    certificates: tuple[dict[str, str], ...] = ()


class Engine(Protocol):
    """A driver, bound to one host. Everything that fails raises `Refused` with issues that say why.

    Each call may be repeated: what is done already is not done again, and what was interrupted goes on.
    """

    def detect(self) -> dict[str, str]:
        """Which engine is on this host: {"state": none | ours | foreign, "role", "version", "remains", "joined"}."""
        ...

    async def preflight(self, spec: Spec, node: Node, payload: Payload) -> tuple[Issue, ...]:
        """Everything that stands in the way, at once. Writes nothing."""
        ...

    def plan(self, spec: Spec, node: Node, payload: Payload) -> Planned: ...

    async def prepare(self, spec: Spec, node: Node, payload: Payload, tell: Tell) -> None:
        """Payload, runtime, images; ends with a sandbox that was really started."""
        ...

    async def install(self, spec: Spec, node: Node, payload: Payload, tell: Tell) -> None:
        """The first control plane, up to an API that answers."""
        ...

    async def ready(self, name: str, tell: Tell) -> None:
        """Wait until a node says that it is ready; asked of a control plane."""
        ...

    async def network(self, spec: Spec, node: Node) -> None:
        """Ways to the other nodes, written again because one came or went."""
        ...

    async def mint_join(self, spec: Spec, role: Role, seconds: float) -> Bundle: ...

    async def join(self, spec: Spec, node: Node, payload: Payload, bundle: Bundle, tell: Tell) -> None: ...

    async def apply(self, spec: Spec, tell: Tell) -> None:
        """The packs of the definition, in order."""
        ...

    async def mark(self, name: str, labels: list[str], taints: list[str]) -> None:
        """Labels and taints of a node that is there: `key=value`, `key=value:Effect`, a "-" behind what has to go."""
        ...

    async def probe_begin(self, spec: Spec, payload: Payload) -> dict[str, Any]:
        """A pod on every node and a Service that is new; {"namespace", "address", "port", "pods"}."""
        ...

    async def probe_ask(self, address: str, port: int) -> list[str]:
        """Who answers behind the Service, asked from this very host; empty where nobody does."""
        ...

    async def probe_mend(self) -> None:
        """What is known to help where a node has not heard of a new Service."""
        ...

    async def probe_anew(self) -> None:
        """The API of this control plane started anew, which may tell nothing that is newer than a pause of etcd."""
        ...

    async def probe_end(self, namespace: str) -> None: ...

    async def objects(self, kind: str, namespace: str) -> list[dict[str, Any]]:
        """Services or events of the cluster, as its API has them; empty where it does not answer."""
        ...

    async def kubeconfig(self) -> str:
        """For people who administer the cluster. Secret."""
        ...

    async def status(self) -> Status: ...

    async def renew(self, tell: Tell) -> None:
        """Every certificate of this host that the engine manages, and what uses them started anew."""
        ...

    async def upgrade(self, spec: Spec, node: Node, payload: Payload, first: bool, tell: Tell) -> None: ...

    async def remove(self, name: str, address: str, tell: Tell) -> None:
        """Take another node out, seen from a control plane that stays: drained, deleted, its etcd member gone."""
        ...

    async def forget(self, name: str) -> None:
        """Delete a node's object once more: a host that came back before its reset has named itself again."""
        ...

    async def reset(self, purge: bool, tell: Tell) -> list[str]:
        """Take the engine off this host; what is left, which must be nothing. `purge`: images and binaries too."""
        ...

    async def backup(self, path: str) -> dict[str, str]: ...

    async def restore(self, path: str, sha256: str, tell: Tell) -> None: ...


class ClusterHost(Protocol):
    """A host of the cluster, this one or a linked one, over which the steps of a driver run.

    `call` names a step of `agent.engines.steps`; what it tells arrives while it runs. A linked host runs the very same
    function and sends back the same data.

    Raises:
        Refused: the step failed; its issues say why.
        Away: the host does not answer, or went away meanwhile. Whether the step was done is then unknown.
    """

    @property
    def uid(self) -> str: ...

    async def call(self, step: str, arguments: dict[str, Any], tell: Tell) -> Any: ...


class Away(Exception):
    """A host of the cluster cannot be reached."""


def silent(_event: Event) -> None:
    """For calls whose progress nobody watches."""


def contents(images: Iterable[FileImage]) -> tuple[tuple[str, int, str], ...]:
    """Files as a plan shows them: what others may not read is not shown."""
    return tuple((i.path, i.mode, "" if i.mode & 0o077 == 0 else (i.content or b"").decode()) for i in images)
