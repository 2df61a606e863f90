"""The `NetworkManager` backend: a keyfile of ours for a link, put into force through NetworkManager itself.

Both layers are one profile (one UUID): of two files with one UUID NetworkManager takes the one under /run, and goes
back to the one under /etc when that is gone (nm-settings-keyfile(5); tried with 1.42). Profiles of others are never
touched; ours wins among those that start by themselves because its autoconnect-priority is higher.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui.models.change import FileImage
from tui.models.facts import Facts, Link, LinkState
from tui.services import reading
from tui.services.host import Host
from tui.services.network import making, pin
from tui.services.network.keyfiles import KEPT, MARK, VOLATILE, our_file, render, uuid_of
from tui.services.network.stack import ALONE, Place
from tui.services.network.wanted import wanted

if TYPE_CHECKING:
    from tui.models.link import LinkConfig

SETTLE = 10.0
"""Seconds that NetworkManager gets to follow a profile."""
LEASE = 5.0
"""The same for a profile that asks for a lease: a silent server is no failure."""
_STEP = 0.1
_UNAVAILABLE, _DISCONNECTED, _IP_CONFIG, _ACTIVATED, _FAILED = 20, 30, 70, 100, 120
"""NMDeviceState (nm-dbus-interface.h)."""


class NetworkManager:
    name = "NetworkManager"

    def kept(self, config: LinkConfig, link: Link, facts: Facts, place: Place = ALONE) -> FileImage:
        return FileImage(f"{KEPT}/{_name(link)}", render(config, link, place), 0o600)

    def volatile(self, config: LinkConfig, link: Link, facts: Facts, place: Place = ALONE) -> FileImage:
        return FileImage(f"{VOLATILE}/{_name(link)}", render(config, link, place), 0o600)

    def device(self, config: LinkConfig, link: Link, facts: Facts, place: Place) -> None:
        """The profile itself makes it."""

    def pin(self, link: Link, facts: Facts) -> tuple[FileImage, FileImage] | None:
        return pin.images(link, facts)

    def without(self, link: Link, facts: Facts) -> tuple[FileImage, ...]:
        return (FileImage(f"{KEPT}/{_name(link)}"),)

    def extra(self, configs: Iterable[LinkConfig], facts: Facts) -> tuple[FileImage, ...]:
        """Name servers are written by NetworkManager, or told to systemd-resolved by it."""
        return ()

    def wanted(self, config: LinkConfig, link: Link, facts: Facts) -> LinkState:
        return wanted(config, link)

    async def preflight(self, host: Host, images: Iterable[FileImage]) -> None:
        """A profile that NetworkManager cannot read is ignored, and all others are left alone."""

    async def derive(self, host: Host) -> None:
        """NetworkManager reads the files themselves."""

    async def reload(self, host: Host, identities: Iterable[str]) -> None:
        """Let NetworkManager read its files again and put ours into force, `SETTLE` seconds at most.

        Raises:
            OSError: NetworkManager does not answer, or it could not configure a link.
        """
        await nmcli(host, "connection", "reload")
        links = {link.identity: link for link in host.kernel.links()}
        found = [links.get(i) or Link(0, i, kind="bridge") for i in identities if i in links or ":" not in i]
        # what is made first: its ports find it there, and its VLANs after them
        for some in (_kinds(found, ("bond", "bridge")), _kinds(found, ()), _kinds(found, ("vlan",))):
            files = [(link, our_file(host, link)) for link in some]
            await asyncio.gather(*(follow(host, x, file) for x, file in files if x.index or file))

    async def unmake(self, host: Host, name: str) -> None:
        """Taken down first, or NetworkManager would make it anew at once.

        Raises:
            OSError: the kernel refused.
        """
        await take_away(host, name)

    async def restore(self, host: Host, identity: str, before: LinkState) -> None:
        """Files first; then what no profile said, by the kernel.

        Raises:
            OSError: NetworkManager or the kernel refused, or the link is gone (ENODEV).
        """
        await self.reload(host, [identity])
        await put_back(host, identity, before)


def _kinds(links: list[Link], kinds: tuple[str, ...]) -> list[Link]:
    return [x for x in links if (x.kind in kinds if kinds else not x.made)]


async def take_away(host: Host, name: str) -> None:
    """Take a device down that NetworkManager has made, and delete what is left of it.

    Raises:
        OSError: the kernel refused.
    """
    with contextlib.suppress(OSError):  # it has no profile any more
        await nmcli(host, "device", "disconnect", name)
    await making.away(host, name)


async def put_back(host: Host, identity: str, before: LinkState) -> None:
    """After NetworkManager has read its files again: the rest of the former state of a link.

    Raises:
        OSError: the kernel refused, or the link is gone (ENODEV).
    """
    from tui.services.network.reconcile import reconcile

    link = next((x for x in host.kernel.links() if x.identity == identity), None)
    if link is None:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    state, _ = await _device(host, link.name)
    operations = reconcile(link, before, keep=("dhcp", "ra") if state > _DISCONNECTED else ())
    await host.kernel.change([o for o in operations if o.address not in before.dynamic])


async def follow(host: Host, link: Link, expected: str) -> None:
    """Put the profile in the file `expected` into force and wait for it; where it is "", wait until ours is gone.

    The profile that is in force is applied again: that changes what differs and leaves alone what does not. Starting
    it would take every address away first.

    Raises:
        OSError: NetworkManager does not have that profile, or could not configure the link.
    """
    profiles = await _profiles(host)
    uuid = next((u for u, path in profiles.items() if path == expected), "") if expected else ""
    if expected and not uuid:
        raise OSError(errno.EBUSY, f"NetworkManager ignores {expected}")
    state, active = await _device(host, link.name)
    if expected and not link.index:  # it is made by this
        await nmcli(host, "--wait", "0", "connection", "up", "uuid", uuid)
        if (link := await making.appeared(host, link.name) or link) and not link.index:
            raise OSError(errno.EIO, f"NetworkManager could not make {link.name}")
    elif expected and state >= _DISCONNECTED and (active != uuid or not await _reapplied(host, link.name)):
        await nmcli(host, "--wait", "0", "connection", "up", "uuid", uuid, "ifname", link.name)
    text = reading.text(host, expected) or "" if expected else ""
    limit = LEASE if "\nmethod=auto\n" in text or not expected else SETTLE
    state, active = await _settled(host, link, uuid, limit)
    if expected and state > _UNAVAILABLE and active != uuid:
        raise OSError(errno.EBUSY, f"another profile decides for {link.name}")
    if state == _FAILED:
        raise OSError(errno.EIO, f"NetworkManager could not configure {link.name}")


async def _settled(host: Host, link: Link, uuid: str, limit: float) -> tuple[int, str]:
    """State and profile of the device once NetworkManager is done with it, or cannot be, or at the limit."""
    end = time.monotonic() + limit
    while True:
        state, active = await _device(host, link.name)
        done = state in (_ACTIVATED, _FAILED) or state <= (_UNAVAILABLE if uuid else _DISCONNECTED)
        if (done and (not uuid or active == uuid or state <= _UNAVAILABLE)) or time.monotonic() > end:
            return state, active
        await asyncio.sleep(_STEP)


async def _reapplied(host: Host, name: str) -> bool:
    """Whether the changed profile could be applied to the device as it is; some settings need a new start."""
    try:
        await nmcli(host, "device", "reapply", name)
    except OSError:
        return False
    return True


async def _device(host: Host, name: str) -> tuple[int, str]:
    """State of a device and the UUID of the profile that it has; (0, "") where NetworkManager does not know it."""
    try:
        said = await nmcli(host, "--get-values", "GENERAL.STATE,GENERAL.CON-UUID", "device", "show", name)
    except OSError:
        return 0, ""
    lines = [*said.splitlines(), "", ""]
    number = lines[0].partition(" ")[0]
    return int(number) if number.isdigit() else 0, lines[1].strip()


async def _profiles(host: Host) -> dict[str, str]:
    """Path of its file by UUID of every profile."""
    said = await nmcli(host, "--terse", "--escape", "no", "--fields", "UUID,FILENAME", "connection", "show")
    return dict(line.partition(":")[::2] for line in said.splitlines())


async def nmcli(host: Host, *arguments: str) -> str:
    """nmcli(1) of this host; returns what it prints.

    Raises:
        OSError: not the real host (ENOTSUP), nmcli is missing, or it failed; the text is its own.
    """
    if host.kind != "real":
        raise OSError(errno.ENOTSUP, "there is no NetworkManager on a practice host")
    process = await asyncio.create_subprocess_exec(
        "nmcli", *arguments, env=os.environ | {"LC_ALL": "C.UTF-8"},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(20):
            said, complaint = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise OSError(errno.ETIMEDOUT, f"nmcli {arguments[0]} did not end") from None
    if process.returncode:
        raise OSError(errno.EIO, complaint.decode(errors="replace").strip() or f"nmcli {arguments[0]} failed")
    return said.decode(errors="replace")


def _name(link: Link) -> str:
    """The name of the file. A link that was renamed since keeps the file that it has."""
    name = os.path.basename(link.owner.config)  # noqa: PTH119
    return name if name.startswith(MARK) else f"{MARK}{link.name}.nmconnection"


__all__ = ["NetworkManager", "follow", "nmcli", "put_back", "take_away", "uuid_of"]
