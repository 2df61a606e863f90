"""The three ways by which a bundle leaves this host. Each is in the audit, with who let it go; its link never is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.models.change import Difference
from tui.models.support import Told
from tui.services.change import audit
from tui.services.host import Host
from tui.services.support import link, pack
from tui.services.support import stick as sticks

if TYPE_CHECKING:
    from tui.models.support import Offered
    from tui.services.trust.sticks import Stick


async def to_file(host: Host, path: str, name: str, data: bytes, *, told: Told, who: str, line: str) -> str:
    """Write it on this host. Returns the path; raises Refused (U101, U102, U103), and nothing of it is there then."""
    where = await asyncio.to_thread(pack.save, host, path, name, data, told)
    _note(host, f"written to {where}", who, line)
    return where


async def to_stick(host: Host, stick: Stick, name: str, data: bytes, *, told: Told, who: str, line: str) -> str:
    """Write it on a stick. Returns where; raises Refused (U101 to U104), and nothing of it is there then."""
    where = await asyncio.to_thread(sticks.write, stick, name, data, told)
    _note(host, f"written to {where}", who, line)
    return where


async def by_link(
    host: Host, address: str, name: str, data: bytes, offered: Callable[[Offered], None],
    *, told: Told, who: str, line: str,
) -> str:  # fmt: skip
    """Serve it at `address` until somebody has fetched it. Returns who; raises Refused (U111, U112, U113)."""
    peer = await link.offer(data, name, address, offered, told)
    _note(host, f"fetched by {peer}", who, line)
    return peer


def _note(host: Host, where: str, who: str, line: str) -> None:
    audit.note(host, "support bundle", who, line, Difference("Support bundle", "", "", where))
