"""People who log in: /etc/environment for every session (PAM, cron), a profile script for login shells.

Both are read by everybody, so neither has the password. The script takes the environment file where the reader may
read it, which is root. /etc/environment belongs to several (snapd rewrites it too): only the lines of these
variables are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tui.models.change import FileImage
from tui.models.facts import Facts
from tui.services.proxy.places import ENVIRONMENT, PAM, SHELL
from tui.services.proxy.settings import Settings

_OURS = re.compile(r"(?i)\s*(export\s+)?(http_proxy|https_proxy|no_proxy)\s*=")
LONGEST = 1024
"""Bytes of a value that PAM before 1.3 takes."""


def files(settings: Settings, facts: Facts) -> Iterator[FileImage]:
    values = settings.variables(bare=True, ipv6_networks=False)
    before = facts.file(PAM)
    kept = [line for line in (before.text or "").splitlines(keepends=True) if not _OURS.match(line)]
    if kept and values and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    text = "".join(kept) + "".join(f'{name}="{value}"\n' for name, value in values.items())
    absent = before.text is None and not text
    yield FileImage(PAM, None if absent else text.encode(), before.mode, before.uid, before.gid)
    if "shell" in facts.consumers:
        yield FileImage(SHELL, script(values).encode() if values else None)


def script(values: dict[str, str]) -> str:
    without = {n: v for n, v in values.items() if n.lower() == "no_proxy"}
    exports = "".join(f"    export {name}='{value}'\n" for name, value in values.items() if name not in without)
    names = " ".join(name for name in values if name not in without)
    return (
        "# Written by Onsite; change it there.\n"
        f"if [ -r {ENVIRONMENT} ]; then\n    . {ENVIRONMENT}\n    export {names}\nelse\n{exports}fi\n"
        + "".join(f"export {name}='{value}'\n" for name, value in without.items())
    )
