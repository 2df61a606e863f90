"""The one cluster of this host in the agent's store: what was wanted, in the contract's words and in the engines'."""

from __future__ import annotations

import json
from dataclasses import dataclass

from agent.engines.engine import Spec
from agent.store import Store
from tui.models.contract.cluster import ClusterConfiguration


@dataclass(frozen=True, slots=True)
class Kept:
    """Attributes:
    definition: digest of the definition that it was made from.
    sensitive: names of profile variables whose values are not told.
    created: seconds since the epoch.
    """

    configuration: ClusterConfiguration
    spec: Spec
    definition: str
    sensitive: tuple[str, ...]
    created: float


def load(store: Store) -> Kept | None:
    row = store.row("SELECT * FROM cluster")
    if row is None:
        return None
    configuration = ClusterConfiguration.model_validate_json(row["configuration"])
    return Kept(
        configuration,
        Spec.model_validate_json(row["spec"]),
        row["definition"],
        tuple(json.loads(row["sensitive"])),
        row["created"],
    )


def save(store: Store, kept: Kept) -> None:
    store.run(
        "INSERT INTO cluster (one, configuration, spec, definition, sensitive, created) VALUES (1, ?, ?, ?, ?, ?)"
        " ON CONFLICT (one) DO UPDATE SET configuration = excluded.configuration, spec = excluded.spec,"
        " definition = excluded.definition, sensitive = excluded.sensitive",
        json.dumps(kept.configuration.sent()), kept.spec.model_dump_json(), kept.definition,
        json.dumps(kept.sensitive), kept.created,
    )  # fmt: skip


def forget(store: Store) -> None:
    store.run("DELETE FROM cluster")
