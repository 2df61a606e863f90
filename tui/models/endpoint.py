"""Typed parts of a proxy made into values: host, port, user and password, and what goes without it.

A password is never part of an Issue, not even of one that says what is wrong with it.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

from tui.models.domain import domain
from tui.models.wrong import Wrong, clean, quoted

LONGEST_SECRET = 255
"""Characters; RFC 7617 sets no limit, proxies do."""
_HOST = "Type a name such as proxy.site.example, or an address."
_EXCEPTION = "Type a name, .domain, an address or a network such as 10.0.0.0/8."


def host(text: str) -> str:
    """A host name in lower case or an IP address without brackets.

    Raises:
        Wrong: P101 neither; P102 a URL, or several parts at once.
    """
    text = clean(text)
    bare = text.removeprefix("[").removesuffix("]") if text.startswith("[") else text
    if "://" in text or "@" in text:
        raise Wrong("P102", "This is a URL; here only the host is needed.", "Type host, port and user in their fields.")
    try:
        return str(ip_address(bare))
    except ValueError:
        pass
    if re.fullmatch(r"(\[.*\]|[^:]*):[0-9]*", text) or "/" in text:
        name = re.split(r"[:/]", text)[0] if not text.startswith("[") else text.partition("]")[0] + "]"
        raise Wrong("P102", "This has more than the host.", f"Type {quoted(name)} here and the port in its field.")
    if re.fullmatch(r"[0-9.]+", text):
        raise Wrong("P101", f"{quoted(text)} is not an address.", _HOST)
    try:
        return domain(text)
    except Wrong as wrong:
        raise Wrong("P101", wrong.issue.text, _HOST) from None


def port(text: str) -> int | None:
    """A TCP port; None for an empty text.

    Raises:
        Wrong: P103.
    """
    text = clean(text)
    if not text:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text) or int(text) > 65535:
        raise Wrong("P103", f"{quoted(text)} is not a port; ports go from 1 to 65535.", "Often it is 3128 or 8080.")
    return int(text)


def user(text: str) -> str:
    """A user name; a colon cannot be in one (RFC 7617 section 2).

    Raises:
        Wrong: P105; P104 a character that cannot be sent.
    """
    text = clean(text)
    if ":" in text:
        raise Wrong("P105", "A user name for a proxy cannot have a colon.", "Type what is before it here.")
    return secret(text)


def secret(text: str) -> str:
    """A password exactly as typed, blanks at its ends too.

    Raises:
        Wrong: P104 too long, or with a character that no header can carry.
    """
    if len(text) > LONGEST_SECRET:
        raise Wrong("P104", f"This has more than {LONGEST_SECRET} characters.", "Check what was pasted.")
    for place, c in enumerate(text, 1):
        if ord(c) < 32 or ord(c) == 127 or "\x80" <= c < "\xa0" or "\ud800" <= c <= "\udfff":
            what = f"Character {place} is a control character, which no login can have."
            raise Wrong("P104", what, "Clear the field and type it by hand.")
    return text


def exception(text: str) -> str:
    """Who is reached without the proxy: a name, a domain with a dot before it, an address or a network.

    Raises:
        Wrong: P107 a URL or a port; P106 nothing of these.
    """
    text = clean(text)
    if "://" in text or (re.search(r":[0-9]+$", text) and text.count(":") == 1):
        raise Wrong("P107", f"{quoted(text)} has more than a host; not every program reads that.", _EXCEPTION)
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        if "/" not in bare:
            return str(ip_address(bare))
        return str(ip_network(bare, strict=False))
    except ValueError:
        pass
    name = re.sub(r"^(\*\.|\.)", "", text)
    if "/" in text or "*" in name or not name or re.fullmatch(r"[0-9.]+", name):
        raise Wrong("P106", f"{quoted(text)} is none that programs understand.", _EXCEPTION)
    try:
        return ("." if name != text else "") + domain(name)
    except Wrong as wrong:
        raise Wrong("P106", wrong.issue.text, _EXCEPTION) from None
