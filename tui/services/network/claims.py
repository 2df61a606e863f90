"""What the files and outputs of other network managers say about a link. Pure: texts in, answers out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def network_manager(state: str) -> bool | None:
    """What a file in /run/NetworkManager/devices says about its device; None where it does not say."""
    for line in state.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "managed":
            return {"true": True, "false": False}.get(value.strip().lower())
    return None


def nmcli(output: str) -> dict[str, bool]:
    """By name of the link, from `nmcli --terse --fields DEVICE,STATE device`; a colon in a name is escaped."""
    pairs = (line.rpartition(":") for line in output.splitlines())
    return {name.replace("\\:", ":"): state != "unmanaged" for name, _, state in pairs if name}


def ifupdown(texts: Mapping[str, str]) -> dict[str, str]:
    """Path by name of each link with an `iface` stanza of interfaces(5) that does something; "manual" does not."""
    found: dict[str, str] = {}
    for path, text in texts.items():
        for words in _lines(text):
            if words[0] == "iface" and len(words) > 1 and words[-1] != "manual" and words[1] != "lo":
                found[words[1].partition(":")[0]] = path
    return found


def sources(text: str) -> Iterator[str]:
    """The patterns of files that interfaces(5) includes. In a folder only plain names count."""
    for words in _lines(text):
        if len(words) > 1 and words[0] == "source":
            yield words[1]
        elif len(words) > 1 and words[0] == "source-directory":
            yield f"{words[1].rstrip('/')}/*"


def _lines(text: str) -> Iterator[list[str]]:
    for line in text.replace("\\\n", " ").splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            yield words


def udev_manager(database: str) -> str:
    """Who declares to manage the link (ID_NET_MANAGED_BY), unless that is networkd itself; "" for nobody."""
    for line in database.splitlines():
        if line.startswith("E:ID_NET_MANAGED_BY="):
            name = line.partition("=")[2]
            return "" if name == "io.systemd.Network" else name
    return ""


def link_file(database: str) -> str:
    """Path of the .link file by which udev has set a card up (ID_NET_LINK_FILE); "" where it does not say."""
    lines = (line for line in database.splitlines() if line.startswith("E:ID_NET_LINK_FILE="))
    return next(lines, "").partition("=")[2]


def fits(name: str, pattern: str) -> bool:
    """Shell pattern; most are plain names, and fnmatch brings `re` along."""
    if not any(c in pattern for c in "*?["):
        return name == pattern
    if pattern == "*":
        return True
    from fnmatch import fnmatchcase

    return fnmatchcase(name, pattern)
