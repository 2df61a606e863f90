"""The certificate of this host itself: found with its key in whatever files, judged, applied, taken back, shown."""

from __future__ import annotations

import base64
import random
import re
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)
from pydantic import ValidationError

from tests.certificates import NOW, YEAR, Issued, issued, server
from tests.screens.machine import machine
from tests.unit.certificate_fuzz import mutated
from tui.commands import words
from tui.models.certificate import Judged
from tui.models.change import Refused
from tui.models.host import HostConfig
from tui.models.server import ServerConfig
from tui.services import document, draft, facts, recording
from tui.services.change import planner, transaction
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.parser import pair
from tui.services.trust import server as serving

AT = NOW.timestamp()
NAMES = (x509.DNSName("edge-7c21"), x509.DNSName("edge-7c21.site.example"))
ROOT = issued("Example Root CA")
MIDDLE = issued("Example Issuing CA", ROOT)
LEAF = server(MIDDLE, "edge-7c21.site.example")
OTHER = server(MIDDLE, "other.example")
STRANGER = issued("Stranger Root CA")


def leaf(**more: object) -> Issued:
    given: dict[str, object] = {"ca": False, "usage": ("digital_signature",), "names": NAMES, "ends": NOW + YEAR}
    return issued("edge-7c21", MIDDLE, **{**given, **more})  # type: ignore[arg-type]


def key(of: Issued, how: KeySerializationEncryption | None = None, form: str = "PKCS8", der: bool = False) -> bytes:
    made: bytes = of.key.private_bytes(
        Encoding.DER if der else Encoding.PEM, getattr(PrivateFormat, form), how or NoEncryption()
    )
    return made


def p12(of: Issued, passphrase: bytes = b"", *, with_key: bool = True) -> bytes:
    how: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return pkcs12.serialize_key_and_certificates(
        b"x", of.key if with_key else None, of.certificate, [MIDDLE.certificate, ROOT.certificate], how
    )


LOCK = BestAvailableEncryption(b"S3cret")
Case = tuple[bytes, list[bytes], str, str, int]
"""Data, other files, passphrase, codes, length of the chain."""
CASES: dict[str, Callable[[], Case]] = {
    "one file": lambda: (LEAF.pem + MIDDLE.pem + key(LEAF), [], "", "", 2),
    "key first": lambda: (key(LEAF) + LEAF.pem, [], "", "", 1),
    "any order, with the root and a stranger": lambda: (
        ROOT.pem + STRANGER.pem + MIDDLE.pem + LEAF.pem, [key(OTHER), key(LEAF)], "", "", 2,
    ),
    "two files": lambda: (LEAF.pem, [b"a note", key(LEAF)], "", "", 1),
    "key of OpenSSL": lambda: (LEAF.pem, [key(LEAF, form="TraditionalOpenSSL")], "", "", 1),
    "key of OpenSSL with passphrase": lambda: (LEAF.pem, [key(LEAF, LOCK, "TraditionalOpenSSL")], "S3cret", "", 1),
    "key in DER": lambda: (LEAF.der, [key(LEAF, der=True)], "", "", 1),
    "windows lines": lambda: ((LEAF.pem + key(LEAF)).replace(b"\n", b"\r\n"), [], "", "", 1),
    "key with passphrase": lambda: (LEAF.pem, [key(LEAF, LOCK)], "S3cret", "", 1),
    "key of OpenSSL, damaged": lambda: (
        LEAF.pem, [re.sub(rb"(DEK-Info: [A-Z0-9-]+,)[0-9A-F]+", rb"\1AB", key(LEAF, LOCK, "TraditionalOpenSSL"))],
        "S3cret", "S117", 0,
    ),
    "passphrase missing": lambda: (LEAF.pem, [key(LEAF, LOCK)], "", "S117", 0),
    "passphrase wrong": lambda: (LEAF.pem, [key(LEAF, LOCK)], "secret", "S117", 0),
    "locked stranger beside": lambda: (LEAF.pem, [key(OTHER, LOCK), key(LEAF)], "", "", 1),
    "PKCS#12": lambda: (p12(LEAF, b"S3cret"), [], "S3cret", "", 2),
    "PKCS#12 open": lambda: (p12(LEAF), [], "", "", 2),
    "PKCS#12 closed": lambda: (p12(LEAF, b"S3cret"), [], "", "S117", 0),
    "PKCS#12 wrong": lambda: (p12(LEAF, b"S3cret"), [], "x", "S117", 0),
    "PKCS#12 without key": lambda: (p12(LEAF, with_key=False), [key(LEAF)], "", "", 2),
    "PKCS#7": lambda: (
        pkcs7.serialize_certificates([MIDDLE.certificate, LEAF.certificate], Encoding.DER), [key(LEAF)], "", "", 2,
    ),
    "no key": lambda: (LEAF.pem, [], "", "S171", 0),
    "another key": lambda: (LEAF.pem + key(OTHER), [], "", "S170", 0),
    "only a key": lambda: (key(LEAF), [], "", "S177", 0),
    "a text": lambda: (b"hello", [], "", "S177", 0),
    "nothing": lambda: (b"", [], "", "S177", 0),
    "cut off": lambda: (LEAF.pem[:200] + key(LEAF), [], "", "S177", 0),
    "ended": lambda: (lambda x: (x.pem + key(x), [], "", "S172", 1))(leaf(ends=NOW - YEAR / 2)),
    "not begun": lambda: (lambda x: (x.pem + key(x), [], "", "S172", 1))(leaf(begins=NOW + YEAR / 2)),
    "weak": lambda: (lambda x: (x.pem + key(x), [], "", "S174", 1))(
        leaf(key=rsa.generate_private_key(65537, 1024)),  # noqa: S505 - that it is weak is the case
    ),
    "RSA": lambda: (lambda x: (x.pem + key(x), [], "", "", 1))(leaf(key=rsa.generate_private_key(65537, 2048))),
    "P-384": lambda: (lambda x: (x.pem + key(x), [], "", "", 1))(leaf(key=ec.generate_private_key(ec.SECP384R1()))),
    "Ed25519": lambda: (lambda x: (x.pem + key(x), [], "", "", 1))(leaf(key=ed25519.Ed25519PrivateKey.generate())),
    "a CA": lambda: (lambda x: (x.pem + key(x), [], "", "S175", 1))(leaf(ca=True)),
    "no names": lambda: (lambda x: (x.pem + key(x), [], "", "S176", 1))(leaf(names=())),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_a_file_holds(name: str) -> None:
    data, others, passphrase, codes, length = CASES[name]()
    pair = serving.judge(data, AT, passphrase=passphrase, others=others)
    assert " ".join(dict.fromkeys(i.code for i in pair.issues)) == codes
    assert len(pair.chain) == length
    assert "PRIVATE" not in repr(pair) + "".join(i.text + i.remedy for i in pair.issues)
    assert pair.key.startswith("-----BEGIN PRIVATE KEY-----\n") == bool(length)


def test_whatever_the_bytes_it_answers() -> None:
    """Mutations of the table, the same in every run: no exception, and no key without its certificate."""
    pair.warm_up()
    every = [make() for make in CASES.values()]
    pool = [data for data, others, *_ in every for data in (data, *others) if len(data) < 20_000]
    dice = random.Random(2026)
    for number in range(600):
        others = [base64.b64encode(mutated(dice, pool)).decode(), base64.b64encode(key(LEAF)).decode()]
        details = {"now": AT, "passphrase": ("", "S3cret")[number % 2], "others": others}
        said = pair.read(mutated(dice, pool), details)
        found = Judged.from_dict(said)
        assert found.issues or found.certificates
        assert bool(said["key"]) == bool(found.certificates)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return recording.host(machine(), tmp_path, FixedClock(AT))


def wish(of: Issued = LEAF, **more: object) -> HostConfig:
    return HostConfig(server=serving.judge(of.pem + MIDDLE.pem + key(of), AT).config.model_copy(update=more))


def planned(here: Host, config: HostConfig) -> planner.Plan:
    return planner.plan(config, facts.read(here), {})


def lying(here: Host) -> tuple[tuple[str, int] | None, ...]:
    paths = map(here.path, (serving.CERTIFICATE, serving.KEY))
    return tuple((p.read_text(), p.stat().st_mode & 0o777) if p.exists() else None for p in paths)


async def test_applied_kept_replaced_and_taken_back(host: Host) -> None:
    plan = planned(host, wish())
    assert [(s.image.path, s.image.mode) for s in plan.steps] == [(serving.KEY, 0o600), (serving.CERTIFICATE, 0o644)]
    assert [i.code for i in plan.issues] == ["S173"], "its addresses are not in it"
    assert "edge-7c21," not in plan.issues[0].text
    change = await transaction.apply(host, plan, {}, who="alice", line="ttyS0")
    await transaction.keep(host, {}, change.change_id)
    first = lying(host)
    assert first == ((wish().server.certificate, 0o644), (key(LEAF).decode(), 0o600))  # type: ignore[union-attr]
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*map(host.path, (serving.CERTIFICATE, serving.KEY)))
    assert planned(host, wish()).empty
    assert planned(host, wish(key=None)).empty
    second = planned(host, wish(OTHER))
    assert [d.label for d in second.differences] == ["SHA-256", "name"]
    change = await transaction.apply(host, second, {}, who="alice", line="ttyS0")
    await transaction.revert(host, {}, "asked", change.change_id)
    assert lying(host) == first


async def test_a_key_that_does_not_fit_is_refused(host: Host) -> None:
    wrong = wish(key=wish(OTHER).server.key)  # type: ignore[union-attr]
    plan = planned(host, wrong)
    assert [i.code for i in plan.errors] == ["S170"]
    with pytest.raises(Refused):
        await transaction.apply(host, replace(plan, issues=()), {}, who="a", line="b")
    assert lying(host) == (None, None)


async def test_without_a_key_at_all(host: Host) -> None:
    assert [i.code for i in planned(host, wish(key=None)).errors] == ["S171"]


async def test_of_our_own_making(host: Host) -> None:
    certificate, own = serving.made(facts.read(host), AT)
    plan = planned(host, HostConfig(server=serving.judge(certificate + own, AT).config))
    assert plan.issues == ()
    change = await transaction.apply(host, plan, {}, who="a", line="b")
    await transaction.keep(host, {}, change.change_id)
    shown = serving.shown(facts.read(host), AT)
    assert shown.leaf is not None
    assert (shown.leaf.subject, shown.key, shown.usable) == ("edge-7c21", "", True)
    assert set(shown.leaf.names) >= {"edge-7c21", "192.0.2.10", "2001:db8:0:1::10", "127.0.0.1"}


def test_the_key_is_in_no_dump(host: Host) -> None:
    config = wish()
    secret = key(LEAF).decode().splitlines()[1]
    plan = planned(host, config)
    for text in (repr(config), document.text(config), str(config.to_dict()), repr(plan), str(plan.config)):
        assert secret not in text.replace("\\n", "\n")
    said = "\n".join(words.planned(plan, facts.read(host)))
    assert "(another private key ***)" in said
    assert secret not in said
    draft.store(host, config)
    assert host.path(draft.PATH).stat().st_mode & 0o077 == 0
    assert draft.load(host) == config
    assert draft.load(host).server.key == config.server.key  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ({"certificate": "x"}, "S177"), ({"certificate": LEAF.pem.decode(), "key": "x"}, "S177"),
        ({"certificate": key(LEAF).decode()}, "S177"), ({"certificate": LEAF.pem.decode() * 11}, "S177"),
        ({"certificate": LEAF.pem.decode(), "key": key(LEAF, LOCK).decode()}, "S177"),
    ],
)  # fmt: skip
def test_documents_that_are_refused(text: dict[str, str], code: str) -> None:
    with pytest.raises(ValidationError, match=code) as refused:
        ServerConfig.model_validate(text)
    assert "PRIVATE KEY-----\n" not in str(refused.value)


async def test_damage_on_disk_is_a_problem_and_no_crash(host: Host) -> None:
    host.path("/etc/onsite").mkdir(parents=True)
    host.path(serving.CERTIFICATE).write_bytes(LEAF.pem)
    host.path(serving.KEY).write_bytes(key(OTHER))
    assert [i.code for i in serving.shown(facts.read(host), AT).issues] == ["S170"]
    assert [i.code for i in await serving.ServerTarget().problems(host, ())] == ["S170"]
