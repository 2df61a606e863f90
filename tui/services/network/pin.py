"""Names that stay with their cards: a .link file for udev, bound to the permanent MAC (systemd.link(5)).

A name comes from a slot or from the order in which cards are found, so another card may have it after somebody has
plugged one in. The file says the name that the card has now: it can only keep a name, never give another one. It counts
when udev meets the card, at the next boot; addresses are bound to the MAC anyway, and netplan has `set-name`.

udev gives a card up whose name another one holds ("File exists"), and a manager then waits for that card for ever:
`pin_boot` sees to it before a manager starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tui.models.change import Difference, FileImage, Issue
from tui.services import reading
from tui.services.network.netif import KEPT, MARK, VOLATILE

if TYPE_CHECKING:
    from tui.models.facts import Facts, Link
    from tui.services.host import Host

_USUAL = "99-default.link"
"""systemd's own, for every card that no other file means. The keys of ours beside Name= are its."""
_BY_MAC = "73-usb-net-by-mac.link"
"""systemd's for USB: the name is made of the MAC, which is a pin already."""


def images(link: Link, facts: Facts) -> tuple[FileImage, FileImage] | None:
    """The kept and the volatile file; None where udev names nothing, or where the name is not ours to keep."""
    if not _by_default(link.named_by) or not _alone(link, facts):
        return None
    content = render(link)
    name = f"{MARK}{link.permanent_mac.replace(':', '-')}.link"
    return FileImage(f"{KEPT}/05{name}", content), FileImage(f"{VOLATILE}/04{name}", content)


def render(link: Link) -> bytes:
    """MACAddress= as well: systemd before 243 does not know the other key, and would take every card for this one."""
    keys = [
        "[Match]", f"PermanentMACAddress={link.permanent_mac}", f"MACAddress={link.permanent_mac}",
        "", "[Link]", f"Name={link.name}", "AlternativeNamesPolicy=database onboard slot path",
        "MACAddressPolicy=persistent",
    ]  # fmt: skip
    header = f"# {link.name}: written by Onsite. This card keeps its name, wherever it is plugged in."
    return "\n".join([header, "", *keys, ""]).encode()


def difference(link: Link) -> Difference:
    return Difference(link.name, "Name follows", "slot or order", f"MAC {link.permanent_mac}")


def notes(links: Iterable[Link]) -> Iterator[Issue]:
    """Where somebody else's .link file names the card: of several only the first counts, so ours would hide it."""
    for link in links:
        if link.named_by and not _by_default(link.named_by) and link.named_by.rpartition("/")[2] != _BY_MAC:
            text = f"The name of {link.name} is set by {link.named_by}, which stays."
            yield Issue("M103", "note", f"links.{link.identity}", text, "Nothing; the address follows the card.")


def files(host: Host) -> list[str]:
    """Paths of all of ours."""
    return [f"{folder}/{n}" for folder in (KEPT, VOLATILE) for n in reading.names(host, folder, ".link") if MARK in n]


def _by_default(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name == _USUAL or MARK in name


def _alone(link: Link, facts: Facts) -> bool:
    """Some cards share one MAC among their ports: a file would mean all of them."""
    return [x.permanent_mac for x in facts.links if not x.made].count(link.permanent_mac) == 1
