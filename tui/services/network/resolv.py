"""Name resolution where `direct` is used: /run/onsite/resolv.conf, derived from link files and leases.

Derived, never edited: whoever changes a link file or a lease makes it anew, under a lock. resolv.conf(5): at most
three name servers count, and only one `search` line.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import subprocess

from tui.models.change import FileImage
from tui.models.facts import Facts, Link
from tui.services.host import Host
from tui.services.network import leases, linkfiles
from tui.services.network.dhcp_options import is_address, is_name
from tui.services.network.leases import replace_volatile

DERIVED = "/run/onsite/resolv.conf"
_CONF = "/etc/resolv.conf"
_MOST = 3


def link_to_it(facts: Facts) -> tuple[FileImage, ...]:
    """/etc/resolv.conf as a symbolic link to the derived file, unless systemd-resolved owns it.

    A relative link, so that it holds in a sandbox and in a chroot too.
    """
    if "systemd/resolve" in facts.file(_CONF).target:
        return ()
    return (FileImage(_CONF, target="../run/onsite/resolv.conf"),)


async def write(host: Host, links: tuple[Link, ...] = ()) -> None:
    """Make the derived file anew; where systemd-resolved owns /etc/resolv.conf, tell it instead.

    Args:
        links: those of the host, where the caller has just read them.

    Raises:
        OSError: it cannot be written.
    """
    folder = host.path(DERIVED).parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "resolv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        servers, search = _collect(host, links or host.kernel.links())
        if _resolved(host):
            await asyncio.to_thread(_tell_resolved, servers, search)
            return
        lines = ["# Derived by Onsite from /etc/onsite/links and the leases; it is written again and again."]
        lines += [f"nameserver {s}" for s in _unique(servers)[:_MOST]]
        if domains := _unique(search):
            lines.append(f"search {' '.join(domains)}")
        replace_volatile(host.path(DERIVED), "\n".join(lines) + "\n")


def _collect(host: Host, links: tuple[Link, ...]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Name servers and search domains by link, in the links' order: what a person set, else what the lease gave."""
    servers: dict[str, list[str]] = {}
    search: dict[str, list[str]] = {}
    owned = [
        (linkfiles.find(links, mac, str(wish.get("name", ""))), wish) for mac, wish in linkfiles.all_data(host).items()
    ]
    for link, wish in sorted(((k, w) for k, w in owned if k is not None), key=lambda pair: pair[0].index):
        lease = leases.read(host, link.name) if wish.get("ipv4", {}).get("method", "dhcp") == "dhcp" else None
        given = (lease.nameservers, lease.search_domains) if lease else ((), ())
        servers[link.name] = [s for s in wish.get("nameservers") or given[0] if is_address(s)]
        search[link.name] = [s for s in wish.get("search_domains") or given[1] if is_name(s)]
    return servers, search


def _unique(by_link: dict[str, list[str]]) -> list[str]:
    return list(dict.fromkeys(value for values in by_link.values() for value in values))


def _resolved(host: Host) -> bool:
    if host.kind != "real" or shutil.which("resolvectl") is None:
        return False
    try:
        return "systemd/resolve" in str(host.path(_CONF).readlink())
    except OSError:
        return False


def _tell_resolved(servers: dict[str, list[str]], search: dict[str, list[str]]) -> None:
    """resolvectl(1): an empty argument clears. The link goes without a name server where resolved does not answer."""
    for name in servers:
        for verb, values in (("dns", servers[name]), ("domain", search[name])):
            subprocess.run(
                ["resolvectl", verb, name, *(values or [""])],
                check=False, timeout=10, stdin=subprocess.DEVNULL, capture_output=True,
            )  # fmt: skip
