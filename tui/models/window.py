"""The window in which a leader lets others link to it: what our own agent says beyond the contract."""

from __future__ import annotations

from tui.models.contract.base import Operation, Wire
from tui.models.contract.peers import LinkStatus


class Window(Wire):
    """The leader's window.

    Attributes:
        address, port: what a follower types beside the code.
        code: eight digits, "" while the window is closed.
        remaining: seconds for which the code is good; then there is another.
        failures: how often somebody came with a wrong code; ten close the window.
    """

    open: bool = False
    address: str = ""
    port: int = 0
    code: str = ""
    remaining: int = 0
    failures: int = 0


class Code(Wire):
    """What a follower sends: the address and the code that the leader shows."""

    address: str
    code: str


SHOW_WINDOW: Operation[Window] = Operation("onsiteLinkWindow", "GET", "/v1/onsite/link/window", Window)
OPEN_WINDOW: Operation[Window] = Operation("onsiteLinkWindowOpen", "POST", "/v1/onsite/link/window", Window)
CLOSE_WINDOW: Operation[Window] = Operation("onsiteLinkWindowClose", "DELETE", "/v1/onsite/link/window", Window)
FOLLOW_CODE: Operation[LinkStatus] = Operation("onsiteLinkCode", "POST", "/v1/onsite/link/code", LinkStatus, Code)
