"""The files of the `direct` backend: one a link, the wish as YAML, kept under /etc and volatile under /run."""

from __future__ import annotations

import errno
import logging
from itertools import chain
from typing import TYPE_CHECKING, Any

from tui.models.facts import Link
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.link import LinkConfig

log = logging.getLogger(__name__)

KEPT = "/etc/onsite/links"
VOLATILE = "/run/onsite/links"
_HEADER = "# Written by Onsite. Edits by hand are noticed, and shown before they are overwritten.\n"


def path(folder: str, identity: str) -> str:
    """A file name cannot be relied on to hold a colon on every medium it is copied to. A made link has none."""
    return f"{folder}/{identity.replace(':', '-')}.yaml"


def render(config: LinkConfig) -> bytes:
    import yaml

    data = config.pruned().model_dump(mode="json", exclude_none=True)
    return (_HEADER + yaml.safe_dump(data, sort_keys=False)).encode()


def effective(host: Host, identity: str) -> LinkConfig | None:
    """The wish that counts now: the volatile file's, else the kept one's; None where there is neither.

    Raises:
        OSError: the file cannot be read, or does not hold such a wish (EINVAL).
    """
    from tui.models.link import LinkConfig

    name, data = _load(host, identity)
    try:
        return None if data is None else LinkConfig.model_validate(data)
    except ValueError as error:
        raise _unusable(name, error) from error


def identities(host: Host) -> list[str]:
    """Of every link that a file configures, sorted."""
    files = (file for folder in (VOLATILE, KEPT) for file in host.path(folder).glob("[!.]*.yaml"))
    return sorted({identity_of(file.stem) for file in files})


def identity_of(stem: str) -> str:
    """The identity in the name of a file: a MAC with hyphens, or the name of a made link, which may have some too."""
    return stem.replace("-", ":") if len(stem) == 17 else stem


def all_data(host: Host) -> dict[str, dict[str, Any]]:
    """Every link's wish by its identity, as plain data: the DHCP client reads it too, and pydantic would cost it 11 MB.

    A file that cannot be used is logged: the other links still count.
    """
    found = {}
    for identity in identities(host):
        try:
            _, data = _load(host, identity)
        except OSError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says all, and this runs at every boot
            continue
        if data is not None:
            found[identity] = data
    return found


def find(links: tuple[Link, ...], identity: str, name: str = "") -> Link | None:
    """The made link of that name, or the link of that permanent MAC; failing that of that MAC, or of that name."""
    made = (link for link in links if link.made and link.name == identity)
    permanent = (link for link in links if link.permanent_mac == identity)
    current = (link for link in links if link.mac == identity and not link.made)
    named = (link for link in links if name and link.name == name and not link.identity)
    return next(chain(made, permanent, current, named), None)


def _load(host: Host, identity: str) -> tuple[str, dict[str, Any] | None]:
    import yaml

    for folder in (VOLATILE, KEPT):
        name = path(folder, identity)
        try:
            data = yaml.safe_load(host.path(name).read_bytes())
        except FileNotFoundError:
            continue
        except (ValueError, yaml.YAMLError) as error:
            raise _unusable(name, error) from error
        lists = ("nameservers", "search_domains")
        if not isinstance(data, dict) or not isinstance(data.get("ipv4", {}), dict):
            raise _unusable(name, "it is no mapping, or its ipv4 is none")
        if not all(isinstance(data.get(key, []), list) for key in lists):
            raise _unusable(name, f"one of {', '.join(lists)} is no list")
        return name, data
    return "", None


def _unusable(name: str, why: object) -> OSError:
    return OSError(errno.EINVAL, f"not the configuration of a link: {why}", name)
