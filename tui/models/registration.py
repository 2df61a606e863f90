"""Which management plane this host belongs to, and as whom: the part of `HostConfig` behind Register, and its form.

The token and the pairing key leave the model by `get_secret_value` only: they are in no dump, so an export, a plan or
a journal's copy of the draft has neither.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from tui.models import form, plane
from tui.models.link import Part, _read, _tuple

Plane = Annotated[str, _read(plane.plane)]
Identity = Annotated[str, _read(plane.identity)]
Secret = Annotated[SecretStr | None, _read(plane.secret), Field(exclude=True)]
Project = Annotated[str, _read(plane.project)]
Tag = Annotated[str, _read(plane.tag)]
Page = Annotated[str, _read(plane.page)]
Source = Literal["serial", "machine", "typed"]


class RegistrationConfig(Part):
    """local: managed here, nothing is registered. token: by itself. manual: somebody enters the host id at the plane.

    Attributes:
        endpoint: the management plane, host or host:port, always by HTTPS.
        token: None: the one that the host keeps already for this endpoint, if it does.
        pairing_key: for the manual way, where the entry at the plane was made with one.
        host_id_from: the serial number of the machine, an id of this installation, or `host_id` as typed.
        registration_url: the page that the QR code opens.
    """

    mode: Literal["central", "local"] = "central"
    way: Literal["token", "manual"] = "token"
    endpoint: Plane = ""
    token: Secret = None
    pairing_key: Secret = None
    project: Project = ""
    tags: Annotated[tuple[Tag, ...], BeforeValidator(_tuple)] = ()
    host_id_from: Source = "serial"
    host_id: Identity = ""
    registration_url: Page = ""

    @model_validator(mode="after")
    def _complete(self) -> RegistrationConfig:
        if self.mode == "central" and not self.endpoint:
            raise ValueError("R101: the management plane is missing")
        if self.host_id_from == "typed" and not self.host_id:
            raise ValueError("R103: the host id is missing")
        return self

    @property
    def secrets(self) -> dict[str, str]:
        """Those that there are, by the names of their fields."""
        pairs = {"token": self.token, "pairing_key": self.pairing_key}
        return {name: value.get_secret_value() for name, value in pairs.items() if value is not None}


_CENTRAL = ("mode", ("central",))
REGISTRATION_FORM = form.Form(
    "registration",
    "Registration",
    (
        form.Field(
            "mode", "choice", "Managed", choices=(("central", "Centrally"), ("local", "Here")),
            help="Centrally: a management plane knows this host. Here: an air gap, nothing is registered.",
        ),
        form.Field(
            "endpoint", "plane", "Endpoint", "manage.example", needed=True, shown_when=_CENTRAL,
            help="The management plane of your company, as the site plan has it, without https://.",
        ),
        form.Field(
            "way", "choice", "Registers", choices=(("token", "By token"), ("manual", "By hand")), shown_when=_CENTRAL,
            help="By token: by itself. By hand: somebody enters the host id at the management plane, or by QR code.",
        ),
        form.Field(
            "token", "registration_secret", "Token", "", secret=True, shown_when=("way", ("token",)),
            help="The registration token of your company. Empty: the one kept before for this endpoint.",
        ),
        form.Field(
            "pairing_key", "registration_secret", "Pairing key", "", secret=True, shown_when=("way", ("manual",)),
            help="Only where the entry at the management plane was made with one. Empty: none.",
        ),
        form.Field(
            "project", "project", "Project", "stores-north", shown_when=_CENTRAL,
            help="Where this host belongs. Empty: the default project of the token.",
        ),
        form.Field(
            "tags", "tags", "Tags", "city:berlin, row:2", shown_when=_CENTRAL,
            help="Words to find this host by at the management plane: name:value, with commas.",
        ),
        form.Field(
            "host_id_from", "choice", "Host id from",
            choices=(("serial", "Serial"), ("machine", "Installation"), ("typed", "Typed")),
            help="Serial survives a new installation; Installation is new with each one; Typed is as you type it.",
        ),
        form.Field(
            "host_id", "host_id", "Host id", "edge-7c21x0042", needed=True, shown_when=("host_id_from", ("typed",)),
            help="Letters, digits, dots and hyphens. No other host may have it.",
        ),
        form.Field(
            "registration_url", "page", "QR page", "https://join.example/r", shown_when=_CENTRAL,
            help="The page that the QR code opens. Empty: no code. A short one makes a small code.",
        ),
    ),
)  # fmt: skip
