"""Where each family of distributions keeps the authorities of a site, and the command that makes programs see them.

| family | folder | command |
| --- | --- | --- |
| Debian, Ubuntu, Alpine | /usr/local/share/ca-certificates, *.crt, one certificate a file | update-ca-certificates(8) |
| Red Hat, Fedora | /etc/pki/ca-trust/source/anchors | update-ca-trust(8) |
| SUSE | /etc/pki/trust/anchors | update-ca-certificates(8) |
"""

from __future__ import annotations

from typing import NamedTuple

from tui.models.facts import Trust
from tui.services import reading
from tui.services.host import Host

_DEBIAN_HOME = "/usr/share/ca-certificates"
REGISTRIES = ("/etc/containerd/certs.d", "/etc/containers/certs.d", "/etc/docker/certs.d")
"""Folders with one folder a registry; containerd, podman and docker read *.crt there at each pull."""
SERVER = ("/etc/onsite/server.crt", "/etc/onsite/server.key")
"""Certificate and key of the management API of this host."""
_DAEMONS = ("containerd", "docker", "k3s", "k3s-agent", "rke2-server", "rke2-agent", "kubelet", "crio")


class Store(NamedTuple):
    """One family's trust store.

    Attributes:
        home: what is there on a host of this family, and on no other.
        folder: where a site puts its authorities.
        bundle: what OpenSSL and Go read; made by the command.
        command: adds; `fresh` is what it needs beside to forget what is gone.
    """

    family: str
    home: tuple[str, ...]
    folder: str
    bundle: str
    command: tuple[str, ...]
    fresh: tuple[str, ...] = ()


STORES = (
    Store(
        "redhat", ("/etc/pki/ca-trust/source",), "/etc/pki/ca-trust/source/anchors",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", ("update-ca-trust", "extract"),
    ),
    Store(
        "suse", ("/etc/pki/trust",), "/etc/pki/trust/anchors", "/var/lib/ca-certificates/ca-bundle.pem",
        ("update-ca-certificates",), ("-f",),
    ),
    Store(
        "debian", ("/etc/ca-certificates.conf", "/usr/sbin/update-ca-certificates", _DEBIAN_HOME),
        "/usr/local/share/ca-certificates", "/etc/ssl/certs/ca-certificates.crt", ("update-ca-certificates",),
        ("--fresh",),
    ),
)  # fmt: skip


def store_of(host: Host) -> Store | None:
    """The trust store of this host; None where there is none that we know."""
    return next((s for s in STORES if any(reading.present(host, home) for home in s.home)), None)


def by_family(family: str) -> Store | None:
    return next((s for s in STORES if s.family == family), None)


def ours(store: Store, sha256: str) -> str:
    """The path of the file for that authority."""
    return f"{store.folder}/{name_of(sha256)}"


def name_of(sha256: str) -> str:
    return f"onsite-{sha256[:8]}.crt"


def is_ours(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith("onsite-") and name.endswith(".crt")


def anchors(host: Host, store: Store) -> list[str]:
    """Paths of what the site put there, whoever did."""
    ending = ".crt" if store.family == "debian" else ""
    return [f"{store.folder}/{name}" for name in reading.names(host, store.folder, ending)]


def facts(host: Host) -> Trust:
    """What a plan has to know of the trust store and the registries of this host; a few looks at folders."""
    store = store_of(host)
    if store is None:
        return Trust()
    found = (f"{top}/{name}" for top in REGISTRIES for name in reading.names(host, top))
    registries = tuple(path for path in found if reading.present(host, f"{path}/."))
    return Trust(
        store.family,
        registries,
        tuple(path for path in registries if reading.present(host, f"{path}/hosts.toml")),
        tuple(name for name in _DAEMONS if reading.present(host, f"/run/systemd/units/invocation:{name}.service")),
        -(-host.clock.now() // 3600) * 3600,
    )


def paths(host: Host, trust: Trust) -> tuple[str, ...]:
    """The files that a plan may rewrite, and those of others in the same folder, which are shown."""
    store = by_family(trust.store)
    if store is None:
        return ()
    copies = [f"{folder}/{name}" for folder in trust.registries for name in reading.names(host, folder, ".crt")]
    return (*anchors(host, store), *(path for path in copies if is_ours(path)))


def command_of(host: Host, store: Store, *, fresh: bool) -> list[str] | None:
    """The distribution's own command for this root; None where it cannot be pointed at another root than `/`.

    Debian's takes every folder as an option (not in its man page, but in the script since 2011).
    """
    argv = [*store.command, *(store.fresh if fresh else ())]
    if host.kind == "real" and str(host.root) == "/":
        return argv
    if host.kind == "recorded" or store.family != "debian":
        return None
    paths = {
        "--certsconf": "/etc/ca-certificates.conf", "--certsdir": _DEBIAN_HOME, "--localcertsdir": store.folder,
        "--etccertsdir": "/etc/ssl/certs", "--hooksdir": "/etc/ca-certificates/update.d",
    }  # fmt: skip
    return [*argv, *(word for option, path in paths.items() for word in (option, str(host.path(path))))]
