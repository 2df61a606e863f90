"""What time it is here, and who says so: the part of `HostConfig` with time servers and zone."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from tui.models import timing
from tui.models.link import Part, _read, _tuple

TimeServer = Annotated[str, _read(timing.server)]
Zone = Annotated[str, _read(timing.zone)]


class ClockConfig(Part):
    """What is None stays as it is. No servers: those of DHCP and of the distribution."""

    servers: Annotated[tuple[TimeServer, ...] | None, BeforeValidator(_tuple)] = None
    zone: Zone | None = None
