"""Handing a running cluster over to the hub."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tui.models.contract.base import Operation, Wire
from tui.models.contract.common import Accepted


class Pairing(Wire):
    insecure: bool = False
    palette_endpoint: str = ""
    registration_token: str = Field("", repr=False)


class PairingId(Wire):
    pairing_uid: str = ""


class PairingDetails(Wire):
    insecure: bool = False
    """No TLS verification towards the hub."""
    message: str = ""
    pairing_uid: str = ""
    palette_endpoint: str = ""
    registration_token: str = Field("", repr=False)
    status: Literal["", "Pairing", "Paired", "Rejected", "Failed"] = ""


class PairingVerified(Wire):
    message: str = ""
    verified: bool = False
    """True when every host of the cluster reaches the hub."""


PAIR: Operation[PairingId] = Operation(
    "v1ClusterPair", "POST", "/v1/edge-mgmt/cluster/pair", PairingId, Pairing, good=201
)
DETAILS: Operation[PairingDetails] = Operation(
    "v1ClusterPairDetails", "GET", "/v1/edge-mgmt/cluster/pair/details", PairingDetails, may_be_absent=True
)
REJECT: Operation[Accepted] = Operation(
    "v1ClusterPairReject", "POST", "/v1/edge-mgmt/cluster/pair/reject", Accepted, may_be_absent=True
)
VERIFY: Operation[PairingVerified] = Operation(
    "v1ClusterPairVerifyConnection", "POST", "/v1/edge-mgmt/cluster/pair/verify-connection", PairingVerified, Pairing
)
