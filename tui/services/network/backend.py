"""The contract of a network backend: what Onsite needs of whoever configures a link.

A backend has two layers of files: the kept one (survives a reboot) and the volatile one (under /run,
wins while it is there). A transaction writes the volatile layer, and the kept one only after Keep;
`reload` makes the kernel follow the files. Power loss in between is the revert.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from tui.models.change import FileImage
from tui.models.facts import Facts, Link, LinkState
from tui.services.host import Host
from tui.services.network.stack import ALONE, Place

if TYPE_CHECKING:
    from tui.models.link import LinkConfig


class Backend(Protocol):
    name: str

    def kept(self, config: LinkConfig, link: Link, facts: Facts, place: Place = ALONE) -> FileImage:
        """The file under /etc that configures this link for good.

        Args:
            facts: the files as they are; one file may configure several links.
            place: where the link stands among the others after the change.
        """
        ...

    def volatile(self, config: LinkConfig, link: Link, facts: Facts, place: Place = ALONE) -> FileImage:
        """The file under /run that wins over `kept` while it is there."""
        ...

    def device(self, config: LinkConfig, link: Link, facts: Facts, place: Place) -> tuple[FileImage, FileImage] | None:
        """The kept and the volatile file that make a VLAN, bond or bridge; None where `kept` itself does."""
        ...

    def pin(self, link: Link, facts: Facts) -> tuple[FileImage, FileImage] | None:
        """The kept and the volatile file that bind the name of a card to it; None where nothing has to be said."""
        ...

    def without(self, link: Link, facts: Facts) -> tuple[FileImage, ...]:
        """The kept files after a made link has gone from them; written at once, as no file under /run can hide one."""
        ...

    def extra(self, configs: Iterable[LinkConfig], facts: Facts) -> tuple[FileImage, ...]:
        """Further files without a volatile layer, such as a symbolic link /etc/resolv.conf; often none."""
        ...

    def wanted(self, config: LinkConfig, link: Link, facts: Facts) -> LinkState:
        """What the kernel shows when `config` has taken effect. `dynamic` is empty: a lease cannot be foreseen."""
        ...

    async def preflight(self, host: Host, images: Iterable[FileImage]) -> None:
        """Whether the manager could read these files beside all that are there; nothing is written.

        Raises:
            Refused: it could not; the issue has its own words.
        """
        ...

    async def derive(self, host: Host) -> None:
        """Make anew what is made from the files before a manager reads it; at boot nothing else runs yet.

        Raises:
            OSError: it could not be made; EINVAL where the files cannot be read.
        """
        ...

    async def reload(self, host: Host, identities: Iterable[str]) -> None:
        """Make those links follow the files, whichever layer wins now; return when the work has been handed over.

        Raises:
            OSError: the kernel or the manager refused.
        """
        ...

    async def unmake(self, host: Host, name: str) -> None:
        """Take a made link away, so that the next `reload` makes it as its file says; one that is gone is none.

        Raises:
            OSError: the kernel or the manager refused.
        """
        ...

    async def restore(self, host: Host, identity: str, before: LinkState) -> None:
        """After the files are back: make the kernel what it was, also for a link that no file configured.

        Raises:
            OSError: the kernel or the manager refused.
        """
        ...
