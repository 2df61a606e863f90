"""The hosts that this one is linked with, on disk: who leads, and the certificate of each, which is all the trust.

One JSON file, written whole; an agent that is killed at any moment finds the former or the new list.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from agent.links.identity import fingerprint
from tui.models.change import FileImage
from tui.services.change import files
from tui.services.host import Host

PATH = "/var/lib/onsite/links/peers.json"
Role = Literal["leader", "follower"]


@dataclass(frozen=True, slots=True)
class Peer:
    """Another host.

    Attributes:
        id: its host id, which no two linked hosts share.
        address, port: where its listener for peers is.
        role: what the other host is.
        certificate: PEM, pinned.
    """

    id: str
    name: str
    address: str
    port: int
    role: Role
    certificate: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.certificate)


@dataclass(frozen=True, slots=True)
class Peers:
    """All of them, with the leader among them where this host follows."""

    all: tuple[Peer, ...] = field(default=())

    @property
    def leader(self) -> Peer | None:
        return next((p for p in self.all if p.role == "leader"), None)

    @property
    def followers(self) -> tuple[Peer, ...]:
        return tuple(p for p in self.all if p.role == "follower")

    def by_fingerprint(self, wanted: str) -> Peer | None:
        return next((p for p in self.all if p.fingerprint == wanted), None)

    def by_id(self, wanted: str) -> Peer | None:
        return next((p for p in self.all if p.id == wanted), None)

    def added(self, peer: Peer) -> Peers:
        """With this one in place of one of the same id."""
        return replace(self, all=(*(p for p in self.all if p.id != peer.id), peer))

    def without(self, peer_id: str) -> Peers:
        return replace(self, all=tuple(p for p in self.all if p.id != peer_id))


def load(host: Host) -> Peers:
    """What was stored last.

    Raises:
        OSError: the file is there and cannot be read.
        ValueError: it is damaged.
    """
    content = files.read_image(host, PATH).content
    return Peers(tuple(peer(each) for each in json.loads(content)["peers"])) if content else Peers()


def store(host: Host, peers: Peers) -> None:
    """Raises OSError: nothing has changed then."""
    data = {"version": 1, "peers": [asdict(each) for each in peers.all]}
    files.make_folder(host.path(PATH).parent, 0o700)
    files.write_image(host, FileImage(PATH, json.dumps(data, indent=1).encode(), 0o600))


def peer(data: dict[str, Any]) -> Peer:
    """A peer out of a file, or as another host described it.

    Raises:
        ValueError: it is none.
    """
    try:
        found = Peer(
            id=str(data["id"]), name=str(data["name"]), address=str(data["address"]), port=int(data["port"]),
            role="leader" if data["role"] == "leader" else "follower", certificate=str(data["certificate"]),
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ValueError("no description of a host") from error
    fingerprint(found.certificate)
    if not found.id or len(found.id) > 128 or not 0 < found.port < 65536:
        raise ValueError("no description of a host")
    return found
