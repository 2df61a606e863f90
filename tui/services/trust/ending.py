"""Which certificate of this host has ended, or ends next: one issue, for a host that nobody looks at for years.

Certificates of a cluster are told by its agent; they are judged with the rest of it (services/cluster/standing).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tui.models.certificate import BELIEVABLE, SOON
from tui.models.change import Issue

if TYPE_CHECKING:
    from tui.services.trust.reading import Installed
    from tui.services.trust.server import Pair


def first(authorities: Iterable[Installed], server: Pair | None, now: float) -> Issue | None:
    """The first to end of those that have ended or end within sixty days; None while the clock cannot be believed.

    Args:
        server: what this host presents to those who open its management page.
    """
    if now < BELIEVABLE:
        return None
    found = sorted((*_authorities(authorities, now), *_server(server, now)), key=lambda pair: pair[0])
    return found[0][1] if found else None


def _authorities(authorities: Iterable[Installed], now: float) -> Iterator[tuple[float, Issue]]:
    for certificate in (one.certificate for one in authorities if one.certificate is not None):
        left, subject = certificate.not_after - now, certificate.subject
        if left <= 0:
            remedy = "Import the CA that came after it; if the clock is wrong, set it."
            yield left, Issue("S122", "error", "", f"{subject} has ended.", remedy)
        elif left < SOON:
            remedy = "Ask for the CA that comes after it, and add that one too."
            yield left, Issue("S124", "warning", "", f"{subject} ends in {_days(left)}.", remedy)


def _server(server: Pair | None, now: float) -> Iterator[tuple[float, Issue]]:
    if server is None or server.leaf is None:
        return
    left, remedy = server.leaf.not_after - now, "Import its successor, or make a new one: H in Certs."
    if left <= 0:
        yield left, Issue("S172", "error", "", "The certificate of this host has ended.", remedy)
    elif left < SOON:
        yield left, Issue("S178", "warning", "", f"The certificate of this host ends in {_days(left)}.", remedy)


def _days(seconds: float) -> str:
    days = int(seconds // 86400)
    return f"{days} day{'s' * (days != 1)}"
