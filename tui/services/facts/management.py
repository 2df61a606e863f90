"""Which interface the host and its agent speak from: one line in a file, the identity of the link."""

from __future__ import annotations

from tui.services import reading
from tui.services.host import Host

PATH = "/etc/onsite/management"


def read(host: Host) -> str:
    """The identity of that link; "" where nobody chose one."""
    lines = (reading.text(host, PATH) or "").split()
    return lines[0] if lines else ""
