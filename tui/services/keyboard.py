"""The keyboard at the console: the layout in Debian's keyboard(5) or in vconsole.conf(5), loaded at once.

localectl writes the same files; here they are written by the transaction, so that they can be taken back.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.models.change import Difference, FileImage, Issue, Step
from tui.models.facts import Facts
from tui.services import reading, system
from tui.services.change.target import Part
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.host import HostConfig

TARGET = "keyboard"
_DEBIAN = "/etc/default/keyboard"
_CONSOLE = "/dev/tty0"
log = logging.getLogger(__name__)


def part(config: HostConfig, facts: Facts) -> Part:
    """What the keyboard of a draft adds to a plan."""
    wish = config.identity.keyboard if config.identity else None
    now = layout(facts)
    if wish is None or wish == now:
        return Part()
    path = facts.setters.keyboard
    if not path:
        text = "This host has no settings for the keyboard of a console."
        return Part(issues=(Issue("Y127", "error", "identity.keyboard", text, "Leave the field empty."),))
    before = facts.file(path)
    image = FileImage(path, _edited(before.text or "", path, wish).encode(), before.mode, before.uid, before.gid)
    return Part(
        steps=(Step(image, before.sha256, reload=TARGET, disruption="none"),),
        differences=(Difference("Host", "keyboard", now or "as it came", wish),),
    )


def layout(facts: Facts) -> str:
    """The layout that is set; "" where none is."""
    path = facts.setters.keyboard
    found = re.findall(rf"(?m)^\s*{_key(path)}=[\"']?([^\"'\s#]*)", facts.file(path).text or "")
    return str(found[-1]) if found else ""


def _key(path: str) -> str:
    return "XKBLAYOUT" if path == _DEBIAN else "KEYMAP"


def _edited(text: str, path: str, wish: str) -> str:
    """The text with this layout; a variant of the former layout goes, for it is none of the new one."""
    key = _key(path)
    value = f'{key}="{wish}"\n' if path == _DEBIAN else f"{key}={wish}\n"
    lines = [line if line.endswith("\n") else f"{line}\n" for line in text.splitlines(keepends=True)]
    kept = [line for line in lines if not re.match(rf"\s*({key}|XKBVARIANT|KEYMAP_TOGGLE)=", line)]
    at = next((n for n, line in enumerate(lines) if re.match(rf"\s*{key}=", line)), len(kept))
    kept.insert(min(at, len(kept)), value)
    return "".join(kept)


class KeyboardTarget:
    """The consoles follow the file: Debian's setupcon, elsewhere systemd's own unit."""

    name = TARGET

    async def reload(self, host: Host, paths: Sequence[str]) -> None:
        """Raises nothing: a console that cannot be told must not stop a change from being taken back."""
        try:
            await _load(host, paths)
        except OSError:
            log.exception("keyboard")  # `problems` says it

    async def problems(self, host: Host, paths: Sequence[str]) -> tuple[Issue, ...]:
        try:
            await _load(host, paths)
        except OSError as error:
            text = f"The layout is written, but the console did not load it: {error.strerror or error}."
            return (Issue("Y128", "warning", "identity.keyboard", text, "Try it on the line below it, or revert."),)
        return ()


async def _load(host: Host, paths: Sequence[str]) -> None:
    """Raises OSError where the layout is not known here. A host without a virtual terminal has nothing to load."""
    if reading.present(host, _CONSOLE):
        if _DEBIAN in paths and (setupcon := system.program(host, "setupcon")):
            await system.output(setupcon, "--keyboard-only", "--force")
        elif system.booted(host):
            await system.output("systemctl", "--quiet", "restart", "systemd-vconsole-setup.service")
