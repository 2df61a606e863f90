"""A support bundle has none of the host's secrets in any spelling, says what it holds, and is whole or not there."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import json
import random
import re
import sqlite3
import string
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.screens.machine import NOON, machine
from tui.models.change import Refused
from tui.models.host import HostConfig
from tui.models.masking import masked
from tui.models.support import Bundle
from tui.services import facts, recording
from tui.services.change import planner, transaction
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.proxy import places
from tui.services.support import pack
from tui.services.support.collect import collect
from tui.services.support.spelling import Spellings

SIGNS = string.ascii_letters + string.digits + string.punctuation + " äöüßéñλж€"
PEM = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def write(host: Host, path: str, text: str | bytes) -> None:
    where = host.path(path)
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_bytes(text.encode() if isinstance(text, str) else text)


# --- what is searched ------------------------------------------------------------------------------------------------


def spelled(secret: str) -> Iterator[bytes]:
    """Raw, percent-encoded, escaped, and in base64 wherever it may begin; written without looking at the program."""
    raw = secret.encode()
    yield raw
    yield quote(secret, safe="").encode()
    yield quote(secret).encode()
    yield quote_plus(secret).encode()
    yield json.dumps(secret)[1:-1].encode()
    for lead in (b"", b"x", b"xx"):
        coded = base64.b64encode(lead + raw).rstrip(b"=")
        first, last = (0, 2, 3)[len(lead)], (len(lead) + len(raw)) % 3
        yield coded[first : len(coded) - 1 if last else len(coded)]


def leaves(data: bytes, name: str = "") -> Iterator[tuple[str, bytes]]:
    """Every file in there, and the files in those, whatever compresses them."""
    yield name, data
    if data[:2] == b"\x1f\x8b":
        yield from leaves(gzip.decompress(data), name)
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for entry in archive:
                yield entry.name, entry.name.encode()
                file = archive.extractfile(entry)
                yield from leaves(file.read() if file else b"", entry.name)


RUN = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")


def views(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """The content, without line breaks, and what is in base64 in it, also several times over."""
    yield content
    joined = re.sub(rb"\s", b"", content) if depth == 0 else content
    yield joined
    if depth < 3:
        for run in RUN.findall(joined):
            with contextlib.suppress(ValueError):
                yield from views(base64.b64decode(run + b"=" * (-len(run) % 4)), depth + 1)


def found(data: bytes, secrets: dict[str, str]) -> list[str]:
    """Where which secret is."""
    searched = [(what, pattern) for what, secret in secrets.items() for pattern in spelled(secret)]
    return [
        f"{what} in {name} as {pattern!r}"
        for name, content in leaves(data)
        for view in views(content)
        for what, pattern in searched
        if pattern in view
    ]


# --- a host with a hundred of them ------------------------------------------------------------------------------------


def password(dice: random.Random) -> str:
    return "".join(dice.choice(SIGNS.replace("\n", "")) for _ in range(dice.randrange(8, 40))).strip() + "x7Q"


def word(dice: random.Random, size: int = 24) -> str:
    return "".join(dice.choice(string.ascii_letters + string.digits) for _ in range(size))


def quoted(text: str) -> str:
    """As YAML has it in double quotes."""
    return json.dumps(text, ensure_ascii=False)


async def configured(host: Host, dice: random.Random) -> dict[str, str]:
    """Put a hundred secrets where such a host has them; what was put there, by what it is."""
    secrets: dict[str, str] = {}

    def new(what: str, value: str) -> str:
        secrets[f"{what} {len(secrets)}"] = value
        return value

    for _ in range(3):  # three proxies one after the other, each kept: files, undo journals, history, audit
        one, two = password(dice), password(dice)
        wish = {
            "method": "two", "exceptions": [".svc"],
            "http": {"host": "proxy.example", "port": 3128, "user": "edge01", "password": new("proxy", one)},
            "https": {"host": "tls.example", "port": 3129, "user": "edge02", "password": new("proxy", two)},
        }  # fmt: skip
        plan = planner.plan(HostConfig.model_validate({"proxy": wish}), facts.read(host), {})
        assert not plan.errors
        change = await transaction.apply(host, plan, {}, who="alice", line="ttyS0")
        await transaction.keep(host, {}, change.change_id)
    for n in range(10):
        access = f"wlan{n}:\n      access-points:\n        site:\n          password: "
        access += quoted(new("netplan", password(dice)))
        write(host, f"/etc/netplan/{n}.yaml", f"network:\n  wifis:\n    {access}\n")
        psk = f"[wifi-security]\nkey-mgmt=wpa-psk\npsk={new('NetworkManager', word(dice))}\n"
        write(host, f"/etc/NetworkManager/system-connections/w{n}.nmconnection", psk)
        psk = f'network={{\n ssid="x"\n psk="{new("wpa", word(dice, 20))}"\n}}\n'
        write(host, f"/etc/wpa_supplicant/w{n}.conf", psk)
        psk = f"iface w{n} inet dhcp\n    wpa-psk {new('ifupdown', word(dice))}\n"
        write(host, f"/etc/network/interfaces.d/w{n}", psk)
    for n in range(6):
        one, two = (new("wireguard", base64.b64encode(dice.randbytes(32)).decode()) for _ in range(2))
        guard = f"[WireGuard]\nPrivateKey={one}\n[WireGuardPeer]\nPresharedKey={two}\n"
        write(host, f"/etc/systemd/network/wg{n}.netdev", guard)
        auth = new("auth", base64.b64encode(f"robot:{new('registry', word(dice, 12))}".encode()).decode())
        write(host, f"/etc/docker/{n}/config.json", json.dumps({"auths": {"r.example": {"auth": auth}}}))
        login = f"username: robot\n      password: {quoted(new('k3s', password(dice)))}"
        write(host, f"/etc/rancher/k3s/registries{n}.yaml", f"configs:\n  r.example:\n    auth:\n      {login}\n")
        header = f'[host."https://r{n}.example".header]\n  Authorization = "Bearer {new("bearer", word(dice, 40))}"\n'
        write(host, f"/etc/containerd/certs.d/r{n}/hosts.toml", header)
        site = f"stylus:\n  site:\n    edgeHostToken: {new('token', word(dice, 44))}\n"
        site += f"users:\n- name: site\n  passwd: |\n    {new('passwd', word(dice, 30))}\n"
        write(host, f"/oem/{n}.yaml", f"#cloud-config\n{site}")
        write(host, f"/var/lib/onsite/link-{n}.token", new("token", word(dice, 32)))
    for n, key in enumerate((rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1()))):
        pem = key.private_bytes(*PEM).decode()
        write(host, f"/etc/onsite/server-{n}.key", pem)
        for line in pem.splitlines()[1:3]:
            new("key", line[:40])
        coded = base64.b64encode(pem.encode()).decode()
        new("kubeconfig", coded[:48])
        write(host, f"/etc/kubernetes/{n}.conf", f"users:\n- user:\n    client-key-data: {coded}\n")
        write(host, f"/etc/onsite/notes-{n}.txt", f"pasted by somebody:\n{pem}")
    path = host.path("/var/lib/onsite/agent.db")
    base = sqlite3.connect(path)
    base.executescript("CREATE TABLE jobs (id INTEGER, document TEXT); CREATE TABLE pairs (id INTEGER, secret TEXT)")
    base.execute("INSERT INTO jobs VALUES (1, ?)", (json.dumps({"registrationToken": new("job", word(dice, 36))}),))
    base.execute("INSERT INTO pairs VALUES (1, ?)", (new("pair", word(dice, 36)),))
    base.commit()
    base.close()
    return secrets


def written_down(secrets: dict[str, str]) -> str:
    """A log in which careless programs wrote all of them, in every way that programs have."""
    lines = []
    for secret in secrets.values():
        wrapped = base64.encodebytes(b"GET / HTTP/1.1 " + secret.encode() * 3).decode()
        once = base64.b64encode(json.dumps({"undo": secret}).encode()).decode()
        lines += [
            f"login with {secret} failed", f"url https://u:{quote(secret, safe='')}@h/", f"q={quote_plus(secret)}&x=1",
            f"mixed {''.join(f'%{b:02x}' if i % 2 else quote(chr(b)) for i, b in enumerate(secret.encode()))}",
            json.dumps({"said": secret}), json.dumps(json.dumps({"said": secret})), repr(secret),
            base64.b64encode(f"user:{secret}".encode()).decode(), base64.b64encode(f"me:{secret}".encode()).decode(),
            base64.urlsafe_b64encode(f"abc:{secret}!".encode()).decode(),
            base64.b64encode(base64.b64encode(f"x:{secret}".encode())).decode(), wrapped, once,
            base64.b64encode(once.encode()).decode(), secret.encode().hex(),
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    every = ("shell", "systemd", "apt", "dnf", *places.UNITS)
    return recording.host(replace(machine(), consumers=every), tmp_path, FixedClock(NOON))


@pytest.mark.parametrize("seed", [2026, random.SystemRandom().randrange(1 << 32)], ids=["kept seed", "another seed"])
async def test_a_hundred_secrets_are_nowhere(host: Host, seed: int) -> None:
    print(f"seed {seed}")
    secrets = await configured(host, random.Random(seed))
    assert len(secrets) >= 100
    log = written_down(secrets)
    write(host, "/var/lib/onsite/log/onsite.log", log)
    every = found(log.encode(), secrets)
    assert {s.split(" in ")[0] for s in every} == set(secrets), "the search finds all of them where they are"
    bundle = collect(host)
    names = {m.name for m in bundle.members}
    assert {"facts.json", "logs/onsite.log", "files/oem/0.yaml", "files/etc/onsite/proxy.json"} <= names
    assert not [n for n in names if n.endswith(".key")]
    assert sum(n.startswith("changes/000") for n in names) == 3
    assert found(pack.packed(bundle, NOON), secrets) == []
    assert not [m.name for m in bundle.members if b"left out" in m.data or b"could not be read" in m.data]
    print(f"{len(secrets)} secrets, {len(bundle.members)} members, {bundle.size} B, masked at {bundle.hidden} places")


def test_it_still_says_something(host: Host) -> None:
    write(host, "/etc/netplan/1.yaml", "network:\n  wifis:\n    w:\n      password: correct-horse\n      dhcp4: true\n")
    write(host, "/var/lib/onsite/log/onsite.log", "12:00 lan0 has no carrier\n12:01 joined with correct-horse, ok\n")
    bundle = collect(host)
    shown = {m.name: m.data.decode() for m in bundle.members}
    assert shown["logs/onsite.log"] == "12:00 lan0 has no carrier\n12:01 joined with ***, ok\n"
    assert shown["files/etc/netplan/1.yaml"].endswith("password: ***\n      dhcp4: true\n")
    assert "192.0.2.10/24" in shown["facts.json"]
    assert bundle.name == "onsite-support-edge-7c21-20260131-120000"
    assert all(f"{m.size:>9}  {m.name}" in shown["contents.txt"] for m in bundle.members[1:])


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=4, max_size=60),
    st.binary(max_size=7),
)
@settings(deadline=None, max_examples=300)
def test_any_secret_in_any_spelling(secret: str, lead: bytes) -> None:
    spellings = Spellings({secret})
    raw = secret.encode()
    for text in (
        secret, quote(secret), quote(secret, safe=""), json.dumps(secret), raw.hex(),
        base64.b64encode(lead + raw + b" after").decode(), base64.b64encode(base64.b64encode(lead + raw)).decode(),
    ):  # fmt: skip
        shown, _ = spellings.masked(f"before {text} after")
        if len(raw) >= 8:
            assert not [p for p in spelled(secret) if p in shown and p not in b"before *** after"]


def test_patterns_of_foreign_files() -> None:
    text = masked(
        "    wpa-psk abcdefgh\nPresharedKey=abcdefgh=\nAuthorization: Basic abcdefgh\n client-key-data: abcdefgh\n"
        "-----BEGIN EC PRIVATE KEY-----\nabcdefgh\n-----END EC PRIVATE KEY-----\n"
        "session eyJhbGciOiJI.eyJzdWIiOi.abcdefgh\n"
    )
    assert "abcdefgh" not in text
    assert text.count("***") == 6


# --- writing ---------------------------------------------------------------------------------------------------------


def small(host: Host) -> tuple[Bundle, bytes]:
    bundle = collect(host)
    return bundle, pack.packed(bundle, NOON)


def test_what_is_shown_is_what_is_written(host: Host) -> None:
    bundle, data = small(host)
    steps: list[tuple[int, int]] = []
    path = pack.save(host, pack.FOLDER, bundle.file_name, data, lambda done, whole: steps.append((done, whole)))
    where = host.path(path)
    assert (where.stat().st_mode & 0o777, where.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert steps[-1] == (len(data), len(data))
    with tarfile.open(where) as archive:
        inside = {e.name.removeprefix(f"{bundle.name}/"): (e.size, e.mode) for e in archive}
    assert inside == {m.name: (m.size, 0o600) for m in bundle.members}


@pytest.mark.parametrize(
    ("typed", "code"),
    [("relative", "U101"), ("", "U101"), ("/nowhere/x.tar.gz", "U101"), ("/etc/hostname", "U103"), ("/a\0b", "U101")],
)
def test_where_it_cannot_be_written(host: Host, typed: str, code: str) -> None:
    bundle, data = small(host)
    before = sorted(p for p in host.root.rglob("*"))
    with pytest.raises(Refused) as refused:
        pack.save(host, typed, bundle.file_name, data)
    assert refused.value.issues[0].code == code
    assert sorted(p for p in host.root.rglob("*")) == before


def test_cancelled_means_nothing_is_left(host: Host) -> None:
    bundle, data = small(host)

    def stop(done: int, whole: int) -> None:
        raise KeyboardInterrupt

    for work in (
        lambda: collect(host, told=stop), lambda: pack.packed(bundle, NOON, stop),
        lambda: pack.save(host, "/etc", bundle.file_name, data, stop),
    ):  # fmt: skip
        with pytest.raises(KeyboardInterrupt):
            work()
    assert [p for p in host.path("/etc").iterdir() if "support" in p.name] == []
