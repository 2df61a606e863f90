"""What people may type into a field: valid values in all their spellings, near misses of them, and plain rubbish.

Seeded, so that a failure comes again; 2,000 texts of a kind, all different.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from zoneinfo import available_timezones

from tui.models.peers import Token

COUNT = 2000
_SIGNS = "0123456789abcdefABCDEFghxz.:/,;%[]-_ \t\n+*~@#'\"\\()"
_STRANGE = (
    "\0\x07\x1b\x7f\x85\xa0\u00ad\u0660\u06f5\u200b\u200f\u2028\u3000\u3002\ufeff\uff0e\uff10\uff19\uff1a\uff0c"
    "\u00bd\u00b2\u2460\u00e9\u4e2d\U0001f642\ud800\U000e0001"
)
_SEPARATORS = (", ", ",", "; ", " ", "\n", "\r\n", "\t")
_NAMES = ("site", "example", "xn--mnchen-3ya", "a", "b2", "edge-01", "com", "LAN", "k8s", "net")


def texts(kind: str, seed: int = 2) -> list[str]:
    """`COUNT` different texts for a field of that kind: about half valid, a third near misses, the rest rubbish."""
    rng = random.Random(f"{kind}{seed}")
    found: dict[str, None] = {"": None}
    for text in _endless(kind, rng):
        found[text] = None
        if len(found) == COUNT:
            return list(found)
    raise AssertionError(kind)


def _endless(kind: str, rng: random.Random) -> Iterator[str]:
    valid = _VALID[kind]
    while True:
        dice = rng.random()
        if dice < 0.5:
            yield valid(rng)
        elif dice < 0.85:
            text = valid(rng)
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                text = rng.choice(_MISSES)(text, rng)
            yield text
        elif dice < 0.93:
            yield rng.choice(list(_VALID.values()))(rng)
        else:
            yield "".join(rng.choice(_SIGNS + _STRANGE) for _ in range(rng.choice((1, 3, 8, 20, 80, 1001))))


def _four(rng: random.Random) -> str:
    return str(IPv4Address(rng.randint(1 << 24, (224 << 24) - 1)))


def _interface4(rng: random.Random) -> str:
    length = rng.randint(1, 32)
    mask = IPv4Address((0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF)
    return f"{_four(rng)}{rng.choice((f'/{length}', f'/{length}', f'/{mask}', f' {mask}', f' / {length}'))}"


def _six(rng: random.Random) -> str:
    top = rng.choice((0x20010DB8, 0xFD000000, 0xFE800000, rng.randint(0x20000000, 0x3FFFFFFF)))
    low = rng.choice((rng.randint(1, 0xFFFF), rng.getrandbits(64), rng.getrandbits(96)))
    value = top << 96 | (low & (1 << 64) - 1 if top == 0xFE800000 else low)
    address = IPv6Address(value or 1)
    dotted = f"{IPv6Address(value >> 32 << 32).exploded[:29]}:{IPv4Address(value & 0xFFFFFFFF)}"
    return rng.choice((str(address), str(address), str(address).upper(), address.exploded, dotted))


def _interface6(rng: random.Random) -> str:
    return f"{_six(rng)}/{rng.choice((64, 64, 48, 56, 127, 128, rng.randint(1, 128)))}"


def _domain(rng: random.Random) -> str:
    name = ".".join(rng.choice(_NAMES) + rng.choice(("", str(rng.randint(0, 999)))) for _ in range(rng.randint(1, 4)))
    return f"{name}.example{rng.choice(('', '', '.'))}"


def _mtu(rng: random.Random) -> str:
    return str(rng.choice((rng.randint(60, 9216), rng.randint(60, 66000), rng.choice((67, 68, 1500, 65535, 65536)))))


def _words(rng: random.Random) -> str:
    return " ".join(rng.choice(_NAMES) for _ in range(rng.randint(1, 5))) + str(rng.randint(0, 9999))


def _flag(rng: random.Random) -> str:
    word = rng.choice(("yes", "no", "true", "false", "on", "off", "1", "0"))
    cased = "".join(rng.choice((c.lower(), c.upper())) for c in word)
    return " " * rng.randint(0, 12) + cased + "\n" * rng.randint(0, 12)


def _port(rng: random.Random) -> str:
    return str(rng.choice((rng.randint(1, 65535), rng.randint(1, 65535), 0, 65536, 70000)))


def _secret(rng: random.Random) -> str:
    return "".join(rng.choice(_SIGNS + "\u00e9\u4e2d") for _ in range(rng.randint(1, 30)))


def _exception(rng: random.Random) -> str:
    network = f"{_four(rng)}/{rng.randint(8, 32)}"
    return rng.choice((_domain(rng), f".{_domain(rng)}", _four(rng), network, _six(rng)))


def _zone(rng: random.Random) -> str:
    return " " * rng.randint(0, 20) + rng.choice(sorted(available_timezones()))


def _moment(rng: random.Random) -> str:
    day = f"{rng.randint(2020, 2040)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    return f"{day} {rng.randint(0, 23):02}:{rng.randint(0, 59):02}{rng.choice(('', ':30'))}"


def _keymap(rng: random.Random) -> str:
    return rng.choice(("us", "de", "fr", "gb", "es", "de-latin1")) + rng.choice(("", str(rng.randint(0, 9999))))


def _label(rng: random.Random) -> str:
    prefix = rng.choice(("", "", "acme.example/"))
    return f"{prefix}{rng.choice(_NAMES)}{rng.randint(0, 999)}={rng.choice((*_NAMES, ''))}"


def _taint(rng: random.Random) -> str:
    value = rng.choice(("", f"={rng.choice(_NAMES)}"))
    return f"{rng.choice(_NAMES)}{rng.randint(0, 999)}{value}:{rng.choice(('NoSchedule', 'NoExecute', 'noschedule'))}"


def _plane(rng: random.Random) -> str:
    port = rng.choice(("", "", f":{rng.randint(1, 65535)}"))
    return rng.choice(("", "https://")) + rng.choice((_domain, _four))(rng).rstrip(".") + port


def _tag(rng: random.Random) -> str:
    return f"{rng.choice(_NAMES)}{rng.randint(0, 999)}:{rng.choice(_NAMES)}"


def _page(rng: random.Random) -> str:
    return f"https://{_domain(rng).rstrip('.')}/{rng.choice(_NAMES)}{rng.randint(0, 999)}"


def _linkcode(rng: random.Random) -> str:
    digits = f"{rng.randrange(10**8):08}"
    return rng.choice((digits, f"{digits[:4]} {digits[4:]}", f"{digits[:4]}-{digits[4:]}"))


def _linktoken(rng: random.Random) -> str:
    return Token(_four(rng), rng.randint(1, 65535), f"{rng.getrandbits(256):064x}", f"{rng.getrandbits(128):x}").text()


def _ssh_key(rng: random.Random) -> str:
    kind = "ssh-ed25519"
    blob = b"\0\0\0\x0b" + kind.encode() + b"\0\0\0\x20" + rng.randbytes(32)
    return f"{kind} {base64.b64encode(blob).decode()} {rng.choice(_NAMES)}"


def _overlay(rng: random.Random) -> str:
    start = rng.choice(("10", "192.168", "172.20", "100.64"))
    rest = ".".join(str(rng.randint(0, 255)) for _ in range(3 - start.count(".")))
    return f"{start}.{rest}/{rng.randint(16, 28)}"


def _linkname(rng: random.Random) -> str:
    name = rng.choice(("bond", "br", "lan", "Uplink-", "a_")) + str(rng.randint(0, 99999))
    return name + rng.choice(("", "", f".{rng.randint(1, 4094)}"))


def _number(low: int, high: int) -> Callable[[random.Random], str]:
    """Numbers between the two, and now and then one beyond."""
    return lambda rng: str(rng.choice((rng.randint(low, high), rng.randint(low, high), rng.randint(0, 2 * high))))


def _route(rng: random.Random) -> str:
    length = rng.randint(8, 32)
    network = f"{IPv4Address(int(IPv4Address(_four(rng))) >> (32 - length) << (32 - length))}/{length}"
    via = rng.choice(("", f" via {_four(rng)}"))
    return network + via + rng.choice(("", f" metric {rng.randint(0, 5000)}"))


def _routes(rng: random.Random) -> str:
    return rng.choice((", ", ",", "; ", "\n")).join(_route(rng) for _ in range(rng.choice((1, 1, 2, 3))))


def _several(one: Callable[[random.Random], str]) -> Callable[[random.Random], str]:
    def typed(rng: random.Random) -> str:
        count = rng.choice((1, 1, 1, 2, 3, 6))
        text = one(rng)
        for _ in range(count - 1):
            text += rng.choice(_SEPARATORS) + one(rng)
        return rng.choice(("", "", " ", "\n")) + text + rng.choice(("", "", " ", ",", "\n"))

    return typed


_VALID: dict[str, Callable[[random.Random], str]] = {
    "addresses4": _several(_interface4),
    "addresses6": _several(_interface6),
    "gateway4": _four,
    "gateway6": _six,
    "nameservers": _several(lambda rng: rng.choice((_four, _six))(rng)),
    "domains": _several(_domain),
    "mtu": _mtu,
    "linkname": _linkname,
    "vlan_id": _number(1, 4094),
    "vlan_tag": _number(1, 4094),
    "monitor": _number(10, 10000),
    "routes": _routes,
    "several": lambda rng: ", ".join(rng.choice(_NAMES) + str(rng.randint(0, 99)) for _ in range(rng.randint(1, 4))),
    "choice": _words,
    "text": _words,
    "flag": _flag,
    "host": lambda rng: rng.choice((_domain, _four, _six))(rng),
    "port": _port,
    "user": _words,
    "secret": _secret,
    "exceptions": _several(_exception),
    "hostname": lambda rng: rng.choice(_NAMES) + rng.choice(("", "-")) + str(rng.randint(0, 99999)),
    "timeservers": _several(lambda rng: rng.choice((_domain, _four, _six))(rng)),
    "zone": _zone,
    "moment": _moment,
    "keymap": _keymap,
    "plane": _plane,
    "registration_secret": _secret,
    "project": lambda rng: rng.choice(_NAMES) + rng.choice(("", " ", "-")) + str(rng.randint(0, 9999)),
    "tags": _several(_tag),
    "host_id": lambda rng: f"edge-{rng.getrandbits(64):x}"[: rng.randint(6, 20)],
    "page": _page,
    "linkcode": _linkcode,
    "linktoken": _linktoken,
    "clustername": lambda rng: f"{rng.choice(('shop', 'edge', 'a', 'plant'))}-{rng.randint(0, 99999)}",
    "sshkey": _ssh_key,
    "vip": _four,
    "overlay": _overlay,
    "labels": _several(_label),
    "taints": _several(_taint),
}


def _at(text: str, rng: random.Random, put: str, eat: int = 0) -> str:
    place = rng.randint(0, len(text))
    return text[:place] + put + text[place + eat :]


def _wide(text: str, rng: random.Random) -> str:
    """One digit as its wide twin."""
    digits = [i for i, c in enumerate(text) if c.isascii() and c.isdigit()]
    if not digits:
        return text
    i = rng.choice(digits)
    return text[:i] + chr(ord(text[i]) + 0xFEE0) + text[i + 1 :]


_MISSES: tuple[Callable[[str, random.Random], str], ...] = (
    lambda text, rng: _at(text, rng, rng.choice(_SIGNS)),
    lambda text, rng: _at(text, rng, rng.choice(_SIGNS), 1),
    lambda text, rng: _at(text, rng, rng.choice(_STRANGE)),
    lambda text, rng: _at(text, rng, "", rng.randint(1, 3)),
    lambda text, rng: _at(text, rng, "0"),
    lambda text, rng: _at(text, rng, rng.choice((".", "..", ":", "::", ":::", "//", ",,"))),
    lambda text, rng: text.replace(".", rng.choice((",", " ", ":", "")), rng.choice((1, -1))),
    lambda text, rng: text.replace("/", rng.choice(("\\", " ", "", "//", "/0")), 1),
    lambda text, rng: text.partition("/")[0],
    lambda text, rng: (
        text + rng.choice(("%eth0", "%2", "/24", "/64", "/33", "/129", "/-1", "/0.0.0.255", ":53", " 24"))
    ),
    lambda text, rng: rng.choice(("http://", "[", "::ffff:", "-", "_", "*.", ".", "0x", "+")) + text,
    lambda text, rng: f"[{text}]:53",
    lambda text, rng: text * rng.choice((2, 3, 60)),
    lambda text, rng: text.swapcase(),
    _wide,
)
