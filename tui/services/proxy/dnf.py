"""dnf: proxy, user and password as three settings in [main] of dnf.conf, so nothing is percent-encoded.

There is no folder for parts of it that dnf 4 and 5 both read, so the file is edited: these lines are ours, the others
stay. libcurl below dnf reads exceptions from the environment. One proxy only: the one for HTTPS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.models.change import FileImage
from tui.models.facts import Facts
from tui.services.proxy.places import DNF

if TYPE_CHECKING:
    from tui.models.proxy import ProxyConfig

_OURS = re.compile(r"(?i)proxy(_username|_password|_auth_method)?\s*=")


def files(config: ProxyConfig, facts: Facts) -> Iterator[FileImage]:
    from tui.models.proxy import bracketed

    if "dnf" not in facts.consumers:
        return
    before = facts.file(DNF)
    upstream = config.upstreams[1]
    ours: list[str] = []
    if upstream is not None:
        ours = [f"proxy={upstream.scheme}://{bracketed(upstream.host)}:{upstream.port}\n"]
        if upstream.user:
            ours += [f"proxy_username={upstream.user}\n", f"proxy_password={upstream.secret}\n"]
    text = before.text or ""
    if upstream is not None and upstream.secret:
        mode = 0o600
    else:  # open again what a password had closed
        mode = 0o644 if re.search(r"(?m)^proxy_password\s*=", text) else before.mode
    yield FileImage(DNF, _edited(text, ours).encode(), mode, before.uid, before.gid)


def _edited(text: str, ours: list[str]) -> str:
    """The text with our lines at the head of [main] and without those that said it before."""
    out: list[str] = []
    section = ""
    for line in text.splitlines(keepends=True):
        if line.startswith("["):
            section = line.strip().lower()
        if section == "[main]" and _OURS.match(line):
            continue
        out.append(line if line.endswith("\n") else line + "\n")
        if line.startswith("[") and section == "[main]":
            out += ours
            ours = []
    return "".join(out) + ("[main]\n" + "".join(ours) if ours else "")
