"""What can be wrong in the world of the ladder, and what has to be blamed for it."""

from __future__ import annotations

import random
from typing import NamedTuple

ORDER = (
    "carrier", "address", "duplicate", "gateway", "nameserver", "resolve", "tcp", "proxy", "tls", "http", "clock",
    "mtu", "endpoint", "registry", "url",
)  # fmt: skip


class Fault(NamedTuple):
    """`rung` is where it is seen first. Two faults that touch the same thing cannot be told apart and make no pair."""

    name: str
    code: str
    rung: str
    shape: str = "static"
    touches: frozenset[str] = frozenset()
    before: bool = False
    """It is seen before the others of its rung."""


def _fault(name: str, code: str, rung: str, *touches: str, shape: str = "static", before: bool = False) -> Fault:
    return Fault(name, code, rung, shape, frozenset({*touches, name}), before)


FAULTS = (
    _fault("unplugged", "N304", "carrier", "link"),
    _fault("no lease", "N308", "address", "link", shape="DHCP"),
    _fault("duplicate 4", "N301", "duplicate", "link"),
    _fault("duplicate 6", "N305", "duplicate", "link", shape="dual"),
    _fault("silent", "N302", "gateway", "link"),
    _fault("tagged", "N303", "gateway", "link"),
    _fault("no gateway answers", "N302", "gateway"),
    _fault("no gateway answers", "N302", "gateway", shape="v6 only"),
    _fault("dns silent", "D211", "nameserver", "dns"),
    _fault("dns refuses", "D212", "nameserver", "dns"),
    _fault("no name server", "D213", "nameserver", "dns"),
    _fault("nxdomain", "D214", "resolve", "name"),
    _fault("no address", "D215", "resolve", "name"),
    _fault("servfail", "D216", "resolve", "name"),
    _fault("no default route", "D202", "tcp", "route"),
    _fault("tcp refused", "D221", "tcp", "route"),
    _fault("tcp silent", "D222", "tcp", "route"),
    _fault("no route", "D223", "tcp", "route"),
    _fault("proxy refused", "D231", "proxy", "proxy", shape="proxy"),
    _fault("proxy password", "D232", "proxy", "proxy", shape="proxy"),
    _fault("proxy forbids", "D233", "proxy", "proxy", shape="proxy"),
    _fault("not a proxy", "D234", "proxy", "proxy", shape="proxy"),
    _fault("proxy blind", "D235", "proxy", "proxy", shape="proxy"),
    _fault("hole", "D271", "tls", "packets", before=True),
    _fault("hole", "D271", "tls", "packets", shape="v6 only", before=True),
    _fault("clock", "D241", "tls", "certificate", "time"),
    _fault("expired", "D242", "tls", "certificate"),
    _fault("early", "D243", "tls", "certificate"),
    _fault("intercepted", "D244", "tls", "certificate"),
    _fault("intercepted", "D244", "tls", "certificate", shape="proxy"),
    _fault("self-signed", "D245", "tls", "certificate"),
    _fault("other name", "D246", "tls", "certificate"),
    _fault("not tls", "D247", "tls", "certificate", "packets"),
    _fault("not http", "D251", "http", "answer"),
    _fault("unwell", "D252", "http", "answer"),
    _fault("ntp silent", "D261", "clock", "time"),
    _fault("ntp unsynchronised", "D262", "clock", "time"),
    _fault("ntp wrong", "D263", "clock", "time"),
    _fault("other service", "D281", "endpoint", "answer"),
    _fault("no registry", "D282", "registry"),
    _fault("registry refused", "D221", "registry"),
    _fault("portal", "D253", "url"),
)


def rank(fault: Fault) -> tuple[int, bool]:
    return ORDER.index(fault.rung), not fault.before


def shuffled(seed: int) -> list[Fault]:
    """Every fault in an order of the seed; those of a shape stay together, because configuring takes seconds."""
    chance = random.Random(seed)
    shapes = sorted({fault.shape for fault in FAULTS})
    chance.shuffle(shapes)
    found: list[Fault] = []
    for shape in shapes:
        of_shape = [fault for fault in FAULTS if fault.shape == shape]
        found += chance.sample(of_shape, len(of_shape))
    return found


def pairs(seed: int, count: int) -> list[tuple[Fault, Fault]]:
    """Random pairs that can be wrong at the same time, each with the one to be blamed first."""
    chance = random.Random(seed)
    found: dict[tuple[Fault, Fault], None] = {}
    while len(found) < count:
        one, other = sorted(chance.sample(FAULTS, 2), key=rank)
        if one.shape == other.shape and not one.touches & other.touches and rank(one) != rank(other):
            found[one, other] = None
    return sorted(found, key=lambda pair: pair[0].shape)
