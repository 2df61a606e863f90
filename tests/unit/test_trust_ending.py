"""Which certificate of a host is said to end: the first one, in time, and not by a clock that was never set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.models.certificate import BELIEVABLE, SOON, Certificate
from tui.services.trust.ending import first
from tui.services.trust.reading import Installed
from tui.services.trust.server import Pair

NOW = 1_800_000_000.0
DAY = 86400.0


def one(ends: float, subject: str = "Example CA") -> Certificate:
    return Certificate("", "", subject, subject, 0.0, ends)


def authority(ends: float, subject: str = "Example CA") -> Installed:
    return Installed(f"/{subject}", one(ends, subject), ours=True)


def said(*authorities: Installed, server: Certificate | None = None, now: float = NOW) -> str:
    issue = first(authorities, Pair((server,)) if server else None, now)
    return "" if issue is None else f"{issue.severity} {issue.code} {issue.text}"


def test_each_has_its_code_and_its_sentence() -> None:
    assert said(authority(NOW + 19.5 * DAY)) == "warning S124 Example CA ends in 19 days."
    assert said(authority(NOW - 1)) == "error S122 Example CA has ended."
    assert said(server=one(NOW + 1.5 * DAY)) == "warning S178 The certificate of this host ends in 1 day."
    assert said(server=one(NOW - 1)) == "error S172 The certificate of this host has ended."


def test_nothing_is_said_where_nothing_ends_soon_or_cannot_be_read() -> None:
    assert said(authority(NOW + SOON), server=one(NOW + SOON)) == ""
    assert said(Installed("/x", None, ours=False)) == ""
    assert said(authority(0.0), now=BELIEVABLE - 1) == ""


@given(st.lists(st.integers(-3 * SOON, 3 * SOON), min_size=1, max_size=8), st.none() | st.integers(-3 * SOON, 3 * SOON))
def test_the_first_to_end_is_the_one_that_is_said(left: list[int], server: int | None) -> None:
    listed = [authority(NOW + seconds, f"CA {n}") for n, seconds in enumerate(left)]
    words = said(*listed, server=None if server is None else one(NOW + server))
    soonest = min([*left, *([] if server is None else [server])])
    if soonest >= SOON:
        assert words == ""
    elif server is not None and server < min(left):
        assert "of this host" in words
    else:
        assert f"CA {left.index(soonest)} " in words
