"""The secrets that this host is configured with, read from where they lie, so that they can be searched for.

They stay in the memory of this process. Who may not read a file cannot put it into a bundle either.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tui.models.masking import NAME
from tui.services.host import Host

HOMES = (
    "/etc/onsite", "/var/lib/onsite", "/run/onsite",
    "/etc/environment", "/etc/profile.d", "/etc/apt/apt.conf.d", "/etc/apt/auth.conf", "/etc/apt/auth.conf.d",
    "/etc/dnf/dnf.conf", "/etc/yum.conf",
    "/etc/netplan", "/etc/NetworkManager/system-connections", "/etc/NetworkManager/conf.d", "/etc/network",
    "/etc/wpa_supplicant", "/etc/wpa_supplicant.conf", "/var/lib/iwd", "/etc/systemd/network", "/run/systemd/network",
    "/etc/wireguard", "/etc/systemd/system", "/etc/systemd/system.conf.d",
    "/etc/containerd", "/etc/containers", "/etc/docker", "/etc/crictl.yaml", "/root/.docker", "/root/.netrc",
    "/var/lib/kubelet/config.json", "/etc/kubernetes", "/etc/rancher", "/var/lib/rancher/k3s/server/token",
    "/var/lib/rancher/k3s/server/node-token", "/var/lib/rancher/rke2/server/token", "/etc/k0s",
    "/oem", "/etc/ppp", "/etc/snmp", "/etc/cloud", "/var/lib/cloud/instance/user-data.txt",
)  # fmt: skip
"""Files and folders, in the host's own words."""
LARGEST, MOST, DEPTH = 1 << 20, 4000, 6
SHORTEST = 4
"""Characters. A secret that is shorter would black out half of every log; it is masked by its name alone."""
_STRUCTURED = 128 << 10
_NAMED = re.compile(rf"(?i)^{NAME}$|^(?:auth|pw|key|pin|sae-password|community|rocommunity)$")
_LINE = re.compile(rf"(?im)^[ \t+-]*(?:export |set )?[\"']?(?:{NAME})[\"']?[ \t]*[:= \t][ \t]*(.+?)[ \t]*[,;]?[ \t]*$")
_USERINFO = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'\"]*:([^\s'\"]*)@")
_NETRC = re.compile(r"\bpassword[ \t]+(\S+)")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(.*?)(?:-----END|\Z)", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
_WHOLE = re.compile(r"(?i)(?:token|secret|passwd|password|psk|\.pass|\.pin)")
"""Names of files that hold one secret and nothing else."""
_PLAIN_WORDS = {"true", "false", "none", "null", "yes", "no", "off", "file", "systemd", "default", "***"}


def known(host: Host) -> frozenset[str]:
    """Every secret in the files below `HOMES`. Blocks; nothing is raised for a file that cannot be read."""
    found: set[str] = set()
    for name, data in _files(host):
        if data[:16] == b"SQLite format 3\0":
            continue
        text = data.decode("utf-8", "replace")
        found.update(of_text(text))
        if _WHOLE.search(name) and len(text) <= 4096 and "\n" not in text.strip():
            found.add(text.strip())
    for path in _databases(host):
        found.update(_of_database(path))
    return frozenset(s for s in found if len(s) >= SHORTEST and s.lower() not in _PLAIN_WORDS)


def of_text(text: str, depth: int = 0) -> Iterator[str]:
    """The secrets in a text, by the names of its settings in whatever format, and in the forms that secrets have."""
    for value in _LINE.findall(text):
        yield from _spoken(value)
    for match in _USERINFO.finditer(text):
        yield from {match[1], unquote(match[1])}
    yield from _NETRC.findall(text)
    for body in _PEM.findall(text):
        yield from _key(body)
    if depth < 3:
        for run in _BASE64.findall(text):
            inside = _from_base64(run)
            if inside and ("PRIVATE KEY" in inside or (depth == 0 and '"' in inside)):
                yield from of_text(inside, depth + 1)
        yield from _structured(text, depth)


def _spoken(value: str) -> Iterator[str]:
    """A value without what a format puts around it: quotes, a comment, escapes."""
    yield value
    bare = value.strip("\"'")
    yield bare
    first = value.split(" #")[0].strip().strip("\"'")
    yield first
    with contextlib.suppress(ValueError):
        said = json.loads(f'"{bare}"')
        if isinstance(said, str):
            yield said
    yield re.sub(r"\\(.)", r"\1", bare)


def _key(body: str) -> Iterator[str]:
    """Each line of a private key; a whole one may be wrapped otherwise where it turns up."""
    lines = [line.strip() for line in body.replace("\\n", "\n").splitlines()]
    lines = [line for line in lines if len(line) >= 16 and ":" not in line]
    yield from lines
    joined = "".join(lines)
    if len(joined) >= 16:
        yield joined
        yield from (joined[at : at + 24] for at in range(0, len(joined) - 24, 24))


def _structured(text: str, depth: int) -> Iterator[str]:
    """The values of JSON, YAML or TOML below keys that are named like secrets."""
    if len(text) > _STRUCTURED or not re.search(r"[:=]", text):
        return
    for document in _documents(text):
        yield from _below(document, secret=False, seen=set(), depth=depth)


def _documents(text: str) -> Iterator[Any]:
    import tomllib

    with contextlib.suppress(ValueError, RecursionError):
        yield json.loads(text)
        return
    with contextlib.suppress(ValueError, RecursionError):
        yield tomllib.loads(text)
        return
    import yaml

    with contextlib.suppress(yaml.YAMLError, RecursionError, ValueError):
        yield from yaml.safe_load_all(text)


def _below(value: Any, *, secret: bool, seen: set[int], depth: int) -> Iterator[str]:
    if isinstance(value, dict | list):
        if id(value) in seen:  # an alias of YAML: a kilobyte of them would be walked for ever
            return
        seen.add(id(value))
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from _below(inside, secret=secret or bool(_NAMED.match(str(key))), seen=seen, depth=depth)
    elif isinstance(value, list):
        for inside in value:
            yield from _below(inside, secret=secret, seen=seen, depth=depth)
    elif isinstance(value, str):
        if secret:
            yield from {value, value.strip()}
            inside = _from_base64(value) or ""
            if re.fullmatch(r"[^:\s]+:[^\n]+", inside):  # "auth" of Docker: user:password
                yield from {inside, inside.partition(":")[2]}
        if "\n" in value and depth < 3:
            yield from of_text(value, depth + 1)
    elif secret and isinstance(value, int | float) and not isinstance(value, bool) and len(str(value)) >= 6:
        yield str(value)


def _from_base64(text: str) -> str | None:
    text = text.strip()
    try:
        return base64.b64decode(
            text + "=" * (-len(text) % 4), altchars=b"-_" if set("-_") & set(text) else None
        ).decode()
    except (binascii.Error, ValueError):
        return None


# --- the files -----------------------------------------------------------------------------------------------------


def _files(host: Host) -> Iterator[tuple[str, bytes]]:
    looks = 0
    for home in HOMES:
        rest = [(host.path(home), 0)]
        while rest and looks < MOST:
            path, depth = rest.pop()
            looks += 1
            with contextlib.suppress(OSError):
                status = path.lstat()
                if stat.S_ISDIR(status.st_mode) and depth < DEPTH:
                    rest += [(path / name, depth + 1) for name in sorted(os.listdir(path))]  # noqa: PTH208
                elif stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST:
                    yield path.name, _bytes(path)


def _bytes(path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        return file.read(LARGEST)


def _databases(host: Host) -> Iterator[Path]:
    """SQLite files of the agent."""
    for ending in ("*.db", "*.sqlite", "*.sqlite3"):
        with contextlib.suppress(OSError):
            yield from sorted(host.path("/var/lib/onsite").rglob(ending))


def _of_database(path: Path) -> Iterator[str]:
    """Texts in columns that are named like secrets, and in documents that lie in other columns."""
    with (
        contextlib.suppress(sqlite3.Error, OSError),
        contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)) as base,
    ):
        base.text_factory = lambda data: data.decode("utf-8", "replace")
        tables = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = base.execute('SELECT * FROM "{}" LIMIT 20000'.format(table.replace('"', '""')))  # noqa: S608
            names = [column[0] for column in rows.description]
            for row in rows:
                pairs = dict(zip(names, row, strict=True))
                told_by_name = any(
                    isinstance(v, str) and _NAMED.match(v) for k, v in pairs.items() if k in ("key", "name")
                )
                for name, value in pairs.items():
                    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
                    if isinstance(text, str) and text:
                        if (_NAMED.match(name) and name != "key") or (told_by_name and name == "value"):
                            yield text
                        yield from of_text(text, 1)
