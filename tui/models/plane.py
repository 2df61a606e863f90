"""Typed parts of a registration made into values: where the management plane is, and as whom this host comes there.

A token is never part of an Issue, not even of one that says what is wrong with it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tui.models import endpoint
from tui.models.wrong import Wrong, clean, quoted

LONGEST_ID = 128
"""Characters of a host id that the management plane takes."""
LONGEST_SECRET = 2048
"""Characters of a token: some planes hand out signed ones, which are long."""


def plane(text: str) -> str:
    """Host and port of a management plane, without https:// and without 443; "" for an empty text.

    Raises:
        Wrong: R101 no such address; R102 another scheme, or more than a host and a port.
    """
    text = clean(text)
    if not text:
        return ""
    scheme, found, rest = text.rpartition("://")
    if found and scheme.lower() != "https":
        raise Wrong("R102", f"{quoted(scheme)}:// is not safe: the token would be read on the way.", "Leave it out.")
    example = "Type it as the site plan has it, such as manage.example."
    try:
        parts = urlsplit(f"//{rest.rstrip('/')}")
    except ValueError:
        raise Wrong("R101", f"{quoted(text)} is not an address.", example) from None
    if parts.path or parts.query or parts.fragment or "@" in rest:
        shown = quoted(rest.partition("/")[0].rpartition("@")[2])
        raise Wrong("R102", "This has more than a host and a port.", f"Type {shown}.")
    try:
        host, port = endpoint.host(parts.hostname or ""), parts.port
    except Wrong as wrong:
        raise Wrong("R101", wrong.issue.text, example) from None
    except ValueError:
        raise Wrong(
            "R101", "The port is not a number from 1 to 65535.", "Leave it out: it is nearly always 443."
        ) from None
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, 443) else f"{host}:{port}"


def identity(text: str) -> str:
    """A host id as the management plane takes it; "" for an empty text.

    Raises:
        Wrong: R103 too long, or a sign that an id cannot have.
    """
    text = clean(text)
    if len(text) > LONGEST_ID:
        raise Wrong("R103", f"A host id has at most {LONGEST_ID} characters; this has {len(text)}.", "Shorten it.")
    if text and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", text):
        remedy = "Type letters, digits, dots and hyphens, such as edge-7c21x0042."
        raise Wrong("R103", f"{quoted(text)} cannot be a host id.", remedy)
    return text


def secret(text: str) -> str:
    """A token or a pairing key, without the blanks that copying brings along. It is never part of what is raised.

    Raises:
        Wrong: R104.
    """
    text = text.strip()
    if len(text) > LONGEST_SECRET or not text.isascii() or any(not "!" <= c <= "~" for c in text):
        what = "It is too long" if len(text) > LONGEST_SECRET else "It has a blank or a sign that it cannot have"
        raise Wrong("R104", f"{what}.", "Copy it again, all of it and nothing else.")
    return text


def project(text: str) -> str:
    """The name of a project; "" for an empty text. Raises Wrong R105 for what no name can be."""
    text = clean(text)
    if len(text) > 128 or "\n" in text:
        raise Wrong("R105", "The name of a project has at most 128 characters, in one line.", "Check what was pasted.")
    return text


def tag(text: str) -> str:
    """One tag, name:value or only a name.

    Raises:
        Wrong: R106.
    """
    name, colon, value = (x.strip() for x in clean(text).partition(":"))
    word = r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?"
    if not re.fullmatch(word, name) or (value and not re.fullmatch(word, value)):
        remedy = "Write name:value, such as city:berlin; 63 characters each."
        raise Wrong("R106", f"{quoted(text)} cannot be a tag.", remedy)
    return name + colon + value if value else name


def page(text: str) -> str:
    """The address of a registration page; "" for an empty text.

    Raises:
        Wrong: R107.
    """
    text = clean(text)
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or not text.isascii() or " " in text:
        raise Wrong("R107", f"{quoted(text)} is not a web address.", "Type it such as https://join.example/r.")
    if "@" in parts.netloc:
        raise Wrong("R107", "This address has a password in it; a code can be read by everybody.", "Take it out.")
    return text
