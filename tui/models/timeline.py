"""How far the registration of a host is, step by step: what the agent serves and the console shows.

Ours, not the contract's: `/v1/onsite/registration`.
"""

from __future__ import annotations

from typing import Literal

from tui.models.contract.base import Operation, Wire

State = Literal["not set up", "local", "trying", "waiting", "paired", "in use", "failed", "held"]
"""held: a change of the registration waits for its Keep, so nothing is sent yet."""
Mark = Literal["ok", "warning", "failed", "running", "waiting", "not needed", ""]
LABELS = {
    "name": "Name resolves",
    "reach": "Reached",
    "tls": "TLS",
    "token": "Token accepted",
    "known": "Known there",
    "paired": "Paired",
    "heartbeat": "First heartbeat",
    "cluster": "In use by a cluster",
}
"""The steps, in their order."""


class Step(Wire):
    """One step. `time` is in seconds since the epoch, 0 where it was not made; `said` is by whom or what."""

    name: str
    mark: Mark = ""
    time: float = 0.0
    said: str = ""
    code: str = ""
    text: str = ""
    remedy: str = ""


class Timeline(Wire):
    """`next_try` is in seconds from now, -1 where none is planned; `derived`: not told, but concluded."""

    state: State = "not set up"
    endpoint: str = ""
    host_id: str = ""
    host_id_from: str = ""
    way: str = ""
    steps: list[Step] = []  # noqa: RUF012 - pydantic copies it
    attempts: int = 0
    next_try: float = -1.0
    derived: bool = False

    @property
    def trouble(self) -> Step | None:
        """The step that everything waits for, if one failed or waits."""
        return next((s for s in self.steps if s.mark in ("failed", "waiting")), None)


class Message(Wire):
    message: str = ""


READ = Operation("registration", "GET", "/v1/onsite/registration", Timeline)
TRY = Operation("registrationTry", "POST", "/v1/onsite/registration/try", Message, good=202)
