"""What a support bundle holds: each source read, bounded, masked; nothing is written here."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

from tui import __version__, settings
from tui.models.change import FileImage
from tui.models.support import Bundle, Member, Told
from tui.services import draft
from tui.services import facts as reading
from tui.services.change import audit, journal
from tui.services.host import Host
from tui.services.support import secrets
from tui.services.support.spelling import Spellings

LOG = "/var/lib/onsite/log"
SOCKET = "/run/onsite/agent.sock"
LARGEST = 1 << 20
"""Bytes of one member; of a log the end is what matters."""
UNITS = (
    "onsite-agent", "onsite-recover", "onsite-names", "onsite-network", "systemd-networkd", "NetworkManager",
    "systemd-timesyncd", "chrony", "containerd", "kubelet", "k3s", "k3s-agent", "rke2-server", "rke2-agent",
    "k0scontroller", "k0sworker",
)  # fmt: skip
PROGRAMS = ("systemctl", "containerd", "kubelet", "kubeadm", "k3s", "chronyd", "curl", "openssl")
FILES = (
    "/etc/os-release", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/environment", "/etc/localtime",
    "/etc/onsite", "/etc/systemd/network", "/run/systemd/network", "/etc/netplan", "/etc/network/interfaces",
    "/etc/network/interfaces.d", "/etc/NetworkManager/system-connections", "/etc/wpa_supplicant",
    "/etc/systemd/timesyncd.conf", "/etc/systemd/timesyncd.conf.d", "/etc/chrony", "/etc/chrony.conf",
    "/etc/systemd/system.conf.d", "/etc/apt/apt.conf.d", "/etc/dnf/dnf.conf", "/etc/docker/daemon.json",
    "/etc/containerd", "/etc/rancher", "/etc/k0s", "/oem",
)  # fmt: skip
"""Configuration that decides whether a host works. Certificates are taken, keys are not."""
_KEYS = (".key", ".p12", ".pfx", ".jks")
_ASKED = (
    ("host", "/v1/edge-mgmt/edgehosts/current"),
    ("settings", "/v1/edge-mgmt/settings"),
    ("events", "/v1/edge-mgmt/events/lifecycle"),
    ("cluster-events", "/v1/edge-mgmt/cluster/events"),
    ("audits", "/v1/edge-mgmt/edgehosts/current/audits"),
)
Source = tuple[str, str, Callable[[Host], str | None]]


def collect(host: Host, *, told: Told = lambda _done, _all: None, extra: frozenset[str] = frozenset()) -> Bundle:
    """Read and mask everything that helps somebody far away. Blocks for some seconds; run it in a thread.

    Args:
        extra: secrets that lie in no file, such as a password in a draft.
    """
    sources = [*_sources(host)]
    told(0, len(sources) + 1)
    spellings = Spellings(secrets.known(host) | extra)
    members: list[Member] = []
    hidden = 0
    for number, (name, what, read) in enumerate(sources, 1):
        told(number, len(sources) + 1)
        try:
            text = read(host)
        except Exception as error:  # noqa: BLE001 - half a broken host is what a bundle is made of
            text = f"could not be read: {type(error).__name__}\n"
        if text is None:
            continue
        try:
            data, count = spellings.masked(text[-LARGEST:])
        except ValueError:
            data, count = b"left out: not every secret in it could be masked\n", 1
        hidden += count
        members.append(Member(spellings.masked(name)[0].decode(), what, data))
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(host.clock.now()))
    members.insert(0, _contents(members, host))
    told(len(sources) + 1, len(sources) + 1)
    return Bundle(f"onsite-support-{_plain(host)}-{stamp}", tuple(members), hidden)


def _plain(host: Host) -> str:
    name = reading.identity.hostname(host) or "host"
    return "".join(c if c.isascii() and (c.isalnum() or c == "-") else "-" for c in name)[:63]


def _contents(members: list[Member], host: Host) -> Member:
    """What is in here, for whoever opens it."""
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(host.clock.now()))
    lines = [f"Support bundle of Onsite {__version__}, made at {when}. Secrets are masked as ***.", ""]
    lines += [f"{m.size:>9}  {m.name:<44} {m.what}" for m in members]
    return Member("contents.txt", "what is in this bundle", "\n".join([*lines, ""]).encode())


def _sources(host: Host) -> Iterator[Source]:
    yield "versions.json", "versions of Onsite, of this host and its programs", _versions
    yield "facts.json", "addresses, links and owners that were read just now", _facts
    yield "settings/onsite.toml", "settings of Onsite", partial(_text, path=settings.PATH)
    yield "checks.json", "result of the last checks", partial(_text, path="/var/lib/onsite/checks.json")
    yield "changes/audit.log", "who changed what", partial(_text, path=audit.PATH)
    yield "changes/draft.yaml", "what is typed and not applied", partial(_text, path=draft.PATH)
    yield "changes/pending.json", "the change that waits for its Keep", _pending
    for name in sorted(_names(host, journal.HISTORY))[-50:]:
        yield f"changes/{name}", "a change that has ended", _change_in(name)
    for name in sorted(_names(host, LOG), reverse=True):
        yield f"logs/{name}", "log of Onsite", partial(_text, path=f"{LOG}/{name}")
    for name, asked in _ASKED:
        yield f"agent/{name}.json", "what the local agent says", partial(_agent, path=asked)
    if host.kind == "real" and str(host.root) == "/":
        for unit in UNITS:
            yield f"journal/{unit}.log", f"journal of {unit}", partial(_journal, which=("-u", unit))
        yield "journal/kernel.log", "messages of the kernel since its start", partial(_journal, which=("-k", "-b"))
    for path in _configuration(host):
        yield f"files{path}", "configuration", partial(_text, path=path)


# --- sources -------------------------------------------------------------------------------------------------------


def _text(host: Host, path: str) -> str | None:
    """The end of a file; None where it is not there. What may not be read says so."""
    try:
        fd = os.open(host.path(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"could not be read: {error.strerror}\n"
    with os.fdopen(fd, "rb") as file:
        file.seek(max(0, os.fstat(fd).st_size - LARGEST))
        return file.read(LARGEST).decode("utf-8", "replace")


def _names(host: Host, folder: str) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(host.path(folder)) if entry.is_file(follow_symlinks=False)]
    except OSError:
        return []


def _configuration(host: Host) -> Iterator[str]:
    """Plain files among `FILES`, and those in folders there, at most three folders deep."""
    rest = [(path, 0) for path in reversed(FILES)]
    count = 0
    while rest and count < 500:
        path, depth = rest.pop()
        where = host.path(path)
        with contextlib.suppress(OSError):
            if where.is_dir() and not where.is_symlink():
                if depth < 3:
                    rest += [(f"{path}/{name}", depth + 1) for name in sorted(os.listdir(where), reverse=True)]  # noqa: PTH208
            elif where.is_file() and where.lstat().st_size <= LARGEST and not path.endswith(_KEYS):
                count += 1
                yield path


def _versions(host: Host) -> str:
    from importlib import metadata

    names = ("textual", "pydantic", "pyroute2", "httpx", "cryptography", "starlette", "uvicorn", "PyYAML")
    said: dict[str, Any] = {"onsite": __version__, "host": host.kind, "os": reading.identity.os_name(host)}
    said["python"] = platform.python_version()
    said["packages"] = {name: metadata.version(name) for name in names}
    if host.kind == "real":
        said["kernel"], said["machine"] = platform.release(), platform.machine()
        said["programs"] = {name: first for name in PROGRAMS if (first := _first_line(name))}
        said["command"] = sys.executable
    return json.dumps(said, indent=1) + "\n"


def _first_line(program: str) -> str:
    said = _run([program, "version"] if program in ("kubeadm",) else [program, "--version"], 5.0)
    return (said or "").strip().partition("\n")[0][:200]


def _facts(host: Host) -> str:
    return json.dumps(reading.masked(reading.read(host)).to_dict(), indent=1) + "\n"


def _pending(host: Host) -> str | None:
    change = journal.pending(host)
    return None if change is None else _change(change)


def _change_in(name: str) -> Callable[[Host], str]:
    return lambda host: _change(journal.from_json(host.path(f"{journal.HISTORY}/{name}").read_text()))


def _change(change: journal.Pending) -> str:
    """A change in plain text: contents of files are in base64 in the journal, where nobody could look into them."""
    data = asdict(change)
    for key in ("undo", "after", "volatile"):
        data[key] = [_image(image) for image in getattr(change, key)]
    return json.dumps(data, indent=1) + "\n"


def _image(image: FileImage) -> dict[str, Any]:
    from tui.models.masking import masked

    lines = None if image.content is None else masked(image.content.decode("utf-8", "replace")).splitlines()
    return {"path": image.path, "mode": oct(image.mode), "target": image.target, "lines": lines}


def _agent(host: Host, path: str) -> str | None:
    """What the agent answers; a sentence where it does not."""
    socket = host.path(SOCKET)
    if not socket.exists():
        return None
    import httpx

    from tui.services.agent.client import NO_TLS

    way = httpx.HTTPTransport(uds=str(socket), verify=NO_TLS)
    try:
        with httpx.Client(transport=way, trust_env=False, base_url="http://agent", timeout=5.0) as client:
            answer = client.get(path)
        return json.dumps(answer.json(), indent=1) + "\n" if answer.is_success else f"it answers {answer.status_code}\n"
    except (httpx.HTTPError, ValueError) as error:
        return f"no answer: {type(error).__name__}\n"


def _journal(_host: Host, which: tuple[str, ...]) -> str | None:
    said = _run(["journalctl", "--no-pager", "-q", "-o", "short-iso", "-n", "3000", *which], 20.0)
    return said or None


def _run(argv: list[str], seconds: float) -> str | None:
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/"}
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, env=environment, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout[-LARGEST:].decode("utf-8", "replace")
