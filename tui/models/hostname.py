"""The name of a host made into a value: RFC 1123 section 2.1, and what Kubernetes and hostname(5) ask beyond that."""

from __future__ import annotations

import re

from tui.models.wrong import Wrong, clean, quoted

LONGEST = 63
"""Characters in total: the name becomes the value of a Kubernetes label; Linux itself would take 64."""
EXAMPLE = "Type a name such as edge-7c21."
_RESERVED = ("localhost", "localhost.localdomain", "localdomain")


def hostname(text: str) -> str:
    """A host name in lower case, one label or several with dots between them.

    Raises:
        Wrong: Y101 a sign that no name has; Y102 too long or an empty part; Y103 reserved; Y104 a number;
            Y105 capital letters; N117 nothing is typed.
    """
    text = clean(text)
    shown = quoted(text)
    if not text:
        raise Wrong("N117", "Nothing is typed here.", EXAMPLE)
    if text.isascii() and text != text.lower():
        raise Wrong("Y105", f"{shown} has capital letters, which Kubernetes does not keep.", _fixed(text))
    labels = text.split(".")
    if len(text) > LONGEST or "" in labels:
        what = "an empty part" if "" in labels else f"{len(text)} characters; {LONGEST} is the limit"
        raise Wrong("Y102", f"The name has {what}.", EXAMPLE)
    for label in labels:
        odd = next((c for c in label if not re.fullmatch("[a-z0-9-]", c)), "")
        if odd:
            remedy = _fixed(text) if odd in "_ " else EXAMPLE
            raise Wrong("Y101", f"{quoted(odd)} cannot stand in a host name; a-z, digits and hyphens can.", remedy)
        if label.startswith("-") or label.endswith("-"):
            raise Wrong("Y101", f"{quoted(label)} begins or ends with a hyphen.", "Take that hyphen away.")
    if text in _RESERVED or labels[0] == "localhost":
        raise Wrong("Y103", f"{shown} is what every host calls itself.", EXAMPLE)
    if labels[-1].isdigit():
        raise Wrong("Y104", f"{shown} ends in a number alone, so it looks like an address.", EXAMPLE)
    return text


def _fixed(text: str) -> str:
    """The remedy with what was meant, in small letters and with hyphens."""
    fixed = re.sub("[^a-z0-9.-]+", "-", text.lower()).strip("-.")
    return f"Type {quoted(fixed)}." if fixed else EXAMPLE
