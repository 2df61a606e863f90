"""pyroute2's DHCP client (0.9.7), made to live through any packet and to remember its lease where we say."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import struct
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pyroute2.dhcp.client import AsyncDHCPClient, ClientConfig
from pyroute2.dhcp.dhcp4socket import AsyncDHCP4Socket
from pyroute2.dhcp.leases import Lease as Answer

from tui.services.network import leases

log = logging.getLogger(__name__)


class Client(AsyncDHCPClient):  # type: ignore[misc]  # pyroute2 is untyped
    """A message that lacks an option that it must have is dropped."""

    def __init__(self, config: ClientConfig) -> None:
        super().__init__(config)
        self._sock = _Socket(config.interface)

    @property
    def tasks(self) -> tuple[asyncio.Task[None], asyncio.Task[None]]:
        return self._sender_task, self._receiver_task

    async def _process_msg(self, msg: Any) -> None:
        try:
            await super()._process_msg(msg)
        except (LookupError, ValueError, TypeError) as error:
            log.warning("a DHCP message without sense: %r", error)

    async def close(self) -> None:
        """Also after a task of it failed, which its own exit passes on before the socket is closed."""
        with contextlib.suppress(Exception):
            await self.__aexit__(None, None, None)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self._sock.__aexit__()


class _Socket(AsyncDHCP4Socket):  # type: ignore[misc]  # pyroute2 is untyped
    """A packet that cannot be decoded is dropped."""

    async def get(self) -> Any:
        while True:
            try:
                return await super().get()
            except (LookupError, ValueError, TypeError, struct.error) as error:
                log.warning("a packet that is no DHCP: %r", error)


def remembered(path: Path) -> type[Answer]:
    """A kind of lease that is kept in that file, so that the next session asks for the same address."""

    class Remembered(Answer):  # type: ignore[misc]  # pyroute2 is untyped
        def dump(self) -> None:
            leases.replace_volatile(path, json.dumps(asdict(self)))

        @classmethod
        def load(cls, interface: str) -> Answer | None:
            try:
                found = cls(**json.loads(path.read_text()))
                over = found.expired
            except (OSError, ValueError, TypeError, LookupError):
                return None
            return None if over else found

    return Remembered
