"""The name of the host: /etc/hostname, our own line of /etc/hosts, and cloud-init told not to set it again.

hostnamed writes /etc/hostname by renaming, which a bind mount refuses and which replaces a symbolic link; so the file
is written here, where it really lies, and the kernel's name by sethostname(2). hostnamed and resolved see both.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from tui.models.change import Difference, FileImage, Issue, Step
from tui.models.facts import Facts, FileFact
from tui.services import reading
from tui.services.change.target import Part
from tui.services.facts.setters import CLOUD, HOSTNAME, HOSTS
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.identity import IdentityConfig

Value = TypeVar("Value")
TARGET = "hostname"
OURS = "127.0.1.1"
"""The address of our own line (Debian policy): a name resolves although no interface is up."""
_CLOUD = "# Written by Onsite; change it there.\npreserve_hostname: true\nmanage_etc_hosts: false\n"
_FALLBACK = "localhost"


def part(config: HostConfig, facts: Facts) -> Part:
    """What the name of a draft adds to a plan."""
    wish = config.identity.hostname if config.identity else None
    if wish is None:
        return Part()
    steps = tuple(_steps(wish, facts))
    if not steps:
        return Part()
    changed = wish != facts.hostname
    was = facts.hostname or "none"
    return Part(
        steps=steps,
        differences=(Difference("Host", "name", was, wish if changed else f"{wish}, written down"),),
        issues=tuple(_issues(wish, facts)) if changed else (),
    )


def current(facts: Facts) -> IdentityConfig:
    """What the host has, as a wish; what the model would refuse is left out."""
    from tui.models.hostname import hostname
    from tui.models.identity import IdentityConfig
    from tui.models.keymap import keymap
    from tui.services.keyboard import layout

    return IdentityConfig(hostname=accepted(hostname, facts.hostname), keyboard=accepted(keymap, layout(facts)) or None)


def accepted(parse: Callable[[str], Value], text: str) -> Value | None:
    """The value of a text that was read from the host; None where nobody could have typed it."""
    from tui.models.wrong import Wrong

    try:
        return parse(text)
    except Wrong:
        return None


def locked(facts: Facts) -> Issue | None:
    """Why the name cannot be changed any more; None where it can."""
    if not facts.cluster_uses_address:
        return None
    text = f"A Kubernetes cluster runs on this host and knows it as {facts.hostname}; it does not survive another name."
    remedy = "Keep the name, or take the node out of the cluster first and join it again afterwards."
    return Issue("Y121", "error", "identity.hostname", text, remedy)


def _steps(wish: str, facts: Facts) -> Iterator[Step]:
    file = real(facts, HOSTNAME)
    if _written(file.text) != wish or facts.hostname != wish:
        yield _step(file, f"{wish}\n")
    hosts = real(facts, HOSTS)
    text = with_name(hosts.text or "", wish, (facts.hostname, _written(file.text)))
    if text != hosts.text:
        yield _step(hosts, text)
    if facts.setters.cloud_init and facts.file(CLOUD).text != _CLOUD:
        yield _step(facts.file(CLOUD), _CLOUD)


def _step(before: FileFact, text: str) -> Step:
    image = FileImage(before.path, text.encode(), before.mode, before.uid, before.gid)
    return Step(image, before.sha256, reload=TARGET, disruption="none")


def _issues(wish: str, facts: Facts) -> Iterator[Issue]:
    if (issue := locked(facts)) is not None:
        yield issue
    if "." in wish:
        text = f"{wish} has dots; a name of one part is what most programs expect."
        yield Issue("Y122", "warning", "identity.hostname", text, f"Type {wish.partition('.')[0]}, or go on with it.")
    if facts.setters.cloud_init:
        text = "cloud-init sets the name at every start; it is told to leave it (preserve_hostname)."
        yield Issue("Y123", "note", "identity.hostname", text, "Nothing; the file is shown under Files.")


def with_name(hosts: str, name: str, former: tuple[str, ...]) -> str:
    """The text of a hosts(5) file with this name in our own line; every other line stays as it is.

    A domain behind the former name stays; names that others put into the line stay too.
    """
    lines = hosts.splitlines(keepends=True)
    for number, line in enumerate(lines):
        content, hash_, comment = line.rstrip("\n").partition("#")
        words = content.split()
        if words[:1] != [OURS]:
            continue
        names = [_renamed(word, name, former) for word in words[1:]]
        if name not in names:
            names.insert(0, name)
        now = list(dict.fromkeys(names))
        if now != words[1:]:
            lines[number] = f"{OURS}\t{' '.join(now)}{' #' + comment if hash_ else ''}\n"
        return "".join(lines)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    short = name.partition(".")[0]
    return "".join([*lines, f"{OURS}\t{name}{' ' + short if short != name else ''}\n"])


def _renamed(word: str, name: str, former: tuple[str, ...]) -> str:
    for old in filter(None, former):
        if word == old:
            return name
        if word.startswith(f"{old}.") and "." not in name:
            return name + word[len(old) :]
    return word


def real(facts: Facts, path: str) -> FileFact:
    """The file where it really lies, for one that may be a link: the link itself stays."""
    found = facts.file(path)
    for _ in range(4):
        if not found.target:
            break
        found = facts.file(os.path.normpath(os.path.join(os.path.dirname(found.path), found.target)))  # noqa: PTH118, PTH120 - paths of a host, which may be another one
    return found


def _written(text: str | None) -> str:
    """The name in a hostname(5) file."""
    lines = (line.partition("#")[0].strip() for line in (text or "").splitlines())
    return next((line for line in lines if line), "")


class NameTarget:
    """The kernel's name follows /etc/hostname. A practice host has no name of its own in the kernel."""

    name = TARGET

    async def reload(self, host: Host, paths: Sequence[str]) -> None:
        """Raises OSError where the kernel refuses."""
        name = reading.line(host, HOSTNAME) or _FALLBACK
        if host.kind == "real" and name != os.uname().nodename:
            socket.sethostname(name)

    async def problems(self, host: Host, paths: Sequence[str]) -> tuple[Issue, ...]:
        wanted = reading.line(host, HOSTNAME)
        if host.kind != "real" or not wanted or wanted == os.uname().nodename:
            return ()
        text = f"The host still calls itself {os.uname().nodename}, not {wanted}."
        return (Issue("Y131", "error", "identity.hostname", text, "Try again; see the Log for what the system said."),)
