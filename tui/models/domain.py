"""Typed search domains made into values (RFC 1123 section 2.1, RFC 1035 section 2.3.4, RFC 5890 for xn-- labels)."""

from __future__ import annotations

import re

from tui.models.wrong import Wrong, clean, quoted

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
EXAMPLE = "Type a domain such as site.example."


def domain(text: str) -> str:
    """A domain in lower case without the dot at its end.

    Raises:
        Wrong: with the issue to show at the field.
    """
    text = clean(text)
    name = text.lower().removesuffix(".")
    shown = quoted(text)
    if not name:
        raise Wrong("N117", "Nothing is typed here.", EXAMPLE)
    if "://" in name:
        raise Wrong("N113", f"{shown} is a URL; here only the domain is needed.", EXAMPLE)
    if not text.isascii():
        raise Wrong("N143", f"{shown} has letters outside of a-z.", _xn(text))
    if parts := re.split(r"[,;\s]+", name)[1:]:
        raise Wrong("N118", f"There are {len(parts) + 1} entries; here only one is possible.", EXAMPLE)
    labels = name.split(".")
    if "" in labels:
        raise Wrong("N142", f"{shown} has an empty part: a dot at the start, or two dots.", _joined(labels))
    if len(name) > 253:
        raise Wrong("N142", f"The domain has {len(name)} characters; 253 is the limit.", EXAMPLE)
    for label in labels:
        _check(label)
    if labels[-1].isdigit():
        raise Wrong("N145", f"{shown} is a number or an address; here a domain is needed.", EXAMPLE)
    return name


def _check(label: str) -> None:
    shown = quoted(label)
    if len(label) > 63:
        raise Wrong("N142", f"{shown} has {len(label)} characters; 63 between two dots is the limit.", EXAMPLE)
    if "_" in label:
        fixed = label.replace("_", "-")
        remedy = f"Ask what the domain is really called; names have hyphens, such as {quoted(fixed)}."
        raise Wrong("N144", f"{shown} has an underscore, which a domain of hosts cannot have.", remedy)
    if label.startswith("-") or label.endswith("-"):
        raise Wrong("N146", f"{shown} begins or ends with a hyphen.", "Take that hyphen away.")
    if not _LABEL.fullmatch(label):
        odd = next((c for c in label if not re.fullmatch("[a-z0-9-]", c)), label)
        raise Wrong("N141", f"{quoted(odd)} cannot stand in a domain; letters, digits and hyphens can.", EXAMPLE)


def _joined(labels: list[str]) -> str:
    rest = ".".join(x for x in labels if x)
    return f"Type {quoted(rest)}." if rest and len(rest) <= 40 else EXAMPLE


def _xn(text: str) -> str:
    """The remedy with the xn-- form, where converting it is beyond doubt (IDNA 2003 and 2008 differ on four signs)."""
    if not any(c in text for c in "ßς\u200c\u200d"):
        try:
            converted = domain(text.encode("idna").decode("ascii"))
        except (UnicodeError, Wrong):
            pass
        else:
            if len(converted) <= 60:
                return f"Type {converted}."
    return "Type its xn-- form; whoever runs the name servers of this site knows it."
