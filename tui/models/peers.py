"""Linked hosts as our own agent tells of them beyond the contract: the window in which a leader lets others in."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Window(BaseModel):
    """The leader's window.

    Attributes:
        address, port: what a follower types beside the code.
        code: eight digits, "" while the window is closed.
        remaining: seconds for which the code is good; then there is another.
        failures: how often somebody came with a wrong code; ten close the window.
    """

    model_config = ConfigDict(extra="ignore")

    open: bool = False
    address: str = ""
    port: int = 0
    code: str = ""
    remaining: int = 0
    failures: int = 0


def spoken(code: str) -> str:
    """A code as it is read out: 4821 7730."""
    return f"{code[:4]} {code[4:]}".strip()
