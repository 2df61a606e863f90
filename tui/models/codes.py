"""The codes of issues: short enough to read out on the phone, each with a page that Help shows and the docs hold.

N1 typed values, N2 address sanity, N3 what the network said, C1 changes, D1 documents, P1 proxy, S1 settings of
Onsite itself.
"""

from __future__ import annotations

import re
from pathlib import Path

TITLES = {
    "N101": "The prefix length is missing",
    "N102": "Not an IPv4 address",
    "N103": "A host mask instead of a mask",
    "N104": "A number begins with a zero",
    "N105": "The mask has holes",
    "N106": "The prefix length is out of range",
    "N107": "The other kind of address",
    "N108": "A mask instead of an address",
    "N109": "An IPv6 address with an interface name",
    "N110": "An IPv4 address in IPv6 dress",
    "N111": "Digits or signs of another script",
    "N112": "Dots are missing between the numbers",
    "N113": "A URL instead of the bare value",
    "N114": "A name instead of an address",
    "N115": "A character that cannot be seen",
    "N116": "The text is too long",
    "N117": "Nothing is typed",
    "N118": "Several values where one is possible",
    "N119": "A prefix where none belongs",
    "N120": "Not four numbers from 0 to 255",
    "N121": "The same value twice",
    "N122": "A port or brackets at an address",
    "N123": "Not an IPv6 address",
    "N124": "An address where the mask belongs",
    "N131": "The MTU is not a whole number",
    "N132": "The MTU is out of range",
    "N141": "A character that no domain has",
    "N142": "The domain is too long or has an empty part",
    "N143": "The domain has other letters than a-z",
    "N144": "An underscore in a domain",
    "N145": "A number or an address as a domain",
    "N146": "A hyphen at the edge",
    "N151": "Not a MAC address",
    "N161": "Neither yes nor no",
    "N201": "The address of the network itself",
    "N202": "The broadcast address",
    "N203": "A multicast address",
    "N204": "A loopback address",
    "N205": "No address at all",
    "N206": "A reserved address",
    "N207": "The gateway is in another network",
    "N208": "The gateway is this box",
    "N209": "The gateway is no single machine",
    "N210": "One address on two interfaces",
    "N211": "Two interfaces in one network",
    "N212": "Two ways out",
    "N213": "In a range of the cluster",
    "N214": "In a range that clusters use",
    "N215": "The network card cannot do this MTU",
    "N216": "The MTU is too small for IPv6",
    "N217": "No name server would be left",
    "N218": "More than three name servers",
    "N219": "Only a link-local address",
    "N220": "A search domain in .local",
    "N221": "No cable",
    "N222": "The cluster knows this address",
    "N223": "Static without an address",
    "N224": "A very big network",
    "N225": "A network of two",
    "N226": "The box as its own name server",
    "N227": "Many search domains",
    "N228": "A big MTU",
    "N229": "One name server only",
    "N230": "A very small MTU",
    "N231": "One interface twice",
    "N301": "The address is taken (IPv4)",
    "N302": "The gateway does not answer",
    "N303": "The port speaks with VLAN tags only",
    "N304": "No carrier",
    "N305": "The address is taken (IPv6)",
    "N306": "A router answers for everybody",
    "N307": "The network could not be tried",
    "N308": "No answer from DHCP",
    "C101": "Another change is pending",
    "C102": "A file has changed since Review",
    "C103": "The system refused the change",
    "C104": "The way back was not seen to work",
    "C105": "The disk does not take it",
    "C106": "Not permitted",
    "C107": "The time is over",
    "C108": "Nothing to keep or take back",
    "C110": "The interface is gone",
    "C111": "Onsite cannot write for this interface",
    "D101": "The file cannot be read",
    "D102": "The file is too large",
    "D103": "Not YAML",
    "D104": "More YAML than is taken",
    "D105": "An unknown key",
    "D106": "A key is missing",
    "D107": "A value of the wrong kind",
    "S101": "The settings file cannot be used",
    "P101": "Neither a name nor an address",
    "P102": "More than the host",
    "P103": "Not a port",
    "P104": "A sign that no login can have",
    "P105": "A colon in the user name",
    "P106": "An exception that nothing understands",
    "P107": "An exception with a port or as a URL",
    "X101": "Something unforeseen",
}
_PAGES = Path(__file__).resolve().parents[2] / "assets" / "codes"
"""Beside the program, in a checkout as in site-packages."""


def page(code: str) -> str:
    """The page of a code in Markdown, at most 25 lines of 64 characters; one sentence where there is none."""
    if re.fullmatch(r"[A-Z][0-9]{3}", code):
        path = _PAGES / f"{code}.md"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return f"There is no page for {code[:8]}.\n"
