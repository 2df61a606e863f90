"""What people type: taken when it means one thing, else refused with the cause and a remedy that works."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_interface
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.models import codes, values
from tui.models.change import Issue
from tui.models.values import Wrong, parse, show

FOUR, SIX = "192.0.2.10/24", "2001:db8:0:1::10/64"

TAKEN: list[tuple[str, str, Any]] = [
    ("addresses4", FOUR, (IPv4Interface(FOUR),)),
    ("addresses4", f"  {FOUR}\n", (IPv4Interface(FOUR),)),
    ("addresses4", "192.0.2.10/255.255.255.0", (IPv4Interface(FOUR),)),
    ("addresses4", "192.0.2.10 255.255.255.0", (IPv4Interface(FOUR),)),
    ("addresses4", "192.0.2.10\t/ 24", (IPv4Interface(FOUR),)),
    ("addresses4", "192.0.2.10\u00a0255.255.255.0", (IPv4Interface(FOUR),)),
    ("addresses4", "192.0.2.10 255.255.255.255", (IPv4Interface("192.0.2.10/32"),)),
    ("addresses4", "", ()),
    (
        "addresses4",
        "192.0.2.10/24, 198.51.100.7 255.255.255.128;203.0.113.1/30\n10.0.0.1/31",
        tuple(IPv4Interface(a) for a in (FOUR, "198.51.100.7/25", "203.0.113.1/30", "10.0.0.1/31")),
    ),
    ("addresses6", SIX, (IPv6Interface(SIX),)),
    ("addresses6", "2001:DB8:0:1:0:0:0:10/64", (IPv6Interface(SIX),)),
    ("addresses6", "2001:db8::192.0.2.1/64", (IPv6Interface("2001:db8::c000:201/64"),)),
    ("addresses6", "fe80::1/64 2001:db8::1/128", (IPv6Interface("fe80::1/64"), IPv6Interface("2001:db8::1/128"))),
    ("gateway4", " 192.0.2.1 ", IPv4Address("192.0.2.1")),
    ("gateway4", " ", None),
    ("gateway6", "fe80::1", IPv6Address("fe80::1")),
    ("gateway6", "", None),
    ("nameservers", "192.0.2.53 2001:db8::53", (IPv4Address("192.0.2.53"), IPv6Address("2001:db8::53"))),
    ("nameservers", "127.0.0.53", (IPv4Address("127.0.0.53"),)),
    ("domains", "Site.Example., example.com", ("site.example", "example.com")),
    ("domains", "xn--mnchen-3ya.example", ("xn--mnchen-3ya.example",)),
    ("mtu", "", None),
    ("mtu", "68", 68),
    ("mtu", "65535", 65535),
    ("flag", "Yes", True),
    ("flag", "off", False),
    ("choice", "static", "static"),
    ("text", " two words ", "two words"),
]

REFUSED = [
    ("addresses4", "192.0.2.10", "N101", "192.0.2.10/24"),
    ("addresses4", "192.0.2.10/", "N101", "192.0.2.10/24"),
    ("addresses4", "192.0.2.10 24", "N101", "Type 192.0.2.10/24."),
    ("addresses4", "192.0.2.10\\24", "N102", ""),
    ("addresses4", "192.0.2.10-20/24", "N102", ""),
    ("addresses4", "0x7f.0.0.1/8", "N114", ""),
    ("addresses4", "192.0.2.10/0.0.0.255", "N103", "Type 192.0.2.10/24."),
    ("addresses4", "192.0.2.10 0.0.255.255", "N103", "Type 192.0.2.10/16."),
    ("addresses4", "192.0.2.010/24", "N104", "Type 192.0.2.10/24."),
    ("addresses4", "192.0.2.10/024", "N104", "Type 192.0.2.10/24."),
    ("addresses4", "192.0.2.10/255.255.255.000", "N104", "Type 192.0.2.10/255.255.255.0."),
    ("addresses4", "192.0.2.10/255.255.225.0", "N105", ""),
    ("addresses4", "192.0.2.10/33", "N106", ""),
    ("addresses4", "192.0.2.10/0", "N106", ""),
    ("addresses4", "192.0.2.10 0.0.0.0", "N106", ""),
    ("addresses4", "192.0.2.10/-1", "N106", ""),
    ("addresses4", SIX, "N107", ""),
    ("addresses4", "192.0.2.10/24 255.255.255.0", "N108", ""),
    ("addresses4", "::ffff:192.0.2.10/24", "N110", "Type 192.0.2.10/24."),
    ("addresses4", "１９２.0.2.10/24", "N111", "Type 192.0.2.10/24."),
    ("addresses4", "192。0。2。10/24", "N111", "Type 192.0.2.10/24."),
    ("addresses4", "١٩٢.0.2.10/24", "N111", "Type 192.0.2.10/24."),
    ("addresses4", "192,0,2,10/24", "N112", "192.0.2.10/24"),
    ("addresses4", "192 0 2 10", "N112", ""),
    ("addresses4", "192.0:2.10/24", "N112", "Type 192.0.2.10/24."),
    ("addresses4", "https://192.0.2.10:8443/login", "N113", "192.0.2.10"),
    ("addresses4", "box.site.example", "N114", ""),
    ("addresses4", "192.0.2.10/24\x00", "N115", ""),
    ("addresses4", "192.0.2.10\u200b/24", "N115", ""),
    ("addresses4", "\ufeff192.0.2.10/24", "N115", ""),
    ("addresses4", "1" * 1001, "N116", ""),
    ("addresses4", "/24", "N117", ""),
    ("addresses4", "192.0.2.300/24", "N120", ""),
    ("addresses4", "192.0.2/24", "N120", ""),
    ("addresses4", "192.0.2.10./24", "N120", "Type 192.0.2.10/24."),
    ("addresses4", "192.0.2.10/24 192.0.2.10/25", "N121", ""),
    ("addresses4", "192.0.2.10/192.0.2.1", "N124", "192.0.2.10/24"),
    ("addresses4", "224.0.0.1/24", "N203", ""),
    ("addresses4", "127.0.0.1/8", "N204", ""),
    ("addresses4", "0.1.2.3/8", "N205", ""),
    ("addresses4", "240.0.0.1/8", "N206", ""),
    ("addresses6", "2001:db8::1", "N101", "2001:db8::1/64"),
    ("addresses6", "2001:db8::1/129", "N106", ""),
    ("addresses6", "2001:db8::1/ffff::", "N106", ""),
    ("addresses6", FOUR, "N107", ""),
    ("addresses6", "fe80::1%eth0/64", "N109", "Type fe80::1/64."),
    ("addresses6", "::ffff:192.0.2.10/120", "N110", "192.0.2.10"),
    ("addresses6", "[2001:db8::1]/64", "N122", "Type 2001:db8::1/64."),
    ("addresses6", "2001:db8:::1/64", "N123", ""),
    ("addresses6", "2001:db8::g/64", "N123", ""),
    ("addresses6", "2001:db8:1/64", "N123", ""),
    ("addresses6", "00:00:5e:00:53:01", "N123", ""),
    ("addresses6", "ff02::1/64", "N203", ""),
    ("addresses6", "::1/128", "N204", ""),
    ("addresses6", "::/64", "N205", ""),
    ("gateway4", "255.255.255.0", "N108", ""),
    ("gateway4", "192.0.2.1, 192.0.2.2", "N118", "Type 192.0.2.1."),
    ("gateway4", "192.0.2.1/24", "N119", "Type 192.0.2.1."),
    ("gateway6", "fe80::1%eth0", "N109", "Type fe80::1."),
    ("gateway6", "192.0.2.1", "N107", ""),
    ("nameservers", "192.0.2.53:53", "N122", "Type 192.0.2.53."),
    ("nameservers", "[2001:db8::53]:53", "N122", "Type 2001:db8::53."),
    ("nameservers", "dns.site.example", "N114", ""),
    ("nameservers", "8,8,8,8", "N112", "8.8.8.8"),
    ("nameservers", "0.0.0.0", "N205", ""),  # noqa: S104 - a value, nothing listens
    ("domains", "http://site.example", "N113", ""),
    ("domains", "*.site.example", "N141", ""),
    ("domains", "site..example", "N142", "Type site.example."),
    ("domains", "a" * 64 + ".example", "N142", ""),
    ("domains", ".".join(["abcdefg"] * 32), "N142", ""),
    ("domains", "münchen.example", "N143", "Type xn--mnchen-3ya.example."),
    ("domains", "straße.example", "N143", "xn--"),
    ("domains", "my_site.example", "N144", ""),
    ("domains", "192.0.2.53", "N145", ""),
    ("domains", "-site.example", "N146", ""),
    ("mtu", "1,500", "N131", "Type 1500,"),
    ("mtu", "9000 bytes", "N131", "Type 9000,"),
    ("mtu", "-1", "N131", ""),
    ("mtu", "１５００", "N131", "Type 1500,"),
    ("mtu", "1_500", "N131", ""),
    ("mtu", "67", "N132", ""),
    ("mtu", "9" * 999, "N132", ""),
    ("flag", "maybe", "N161", ""),
]


@pytest.mark.parametrize(("kind", "text", "value"), TAKEN)
def test_taken(kind: str, text: str, value: Any) -> None:
    assert parse(kind, text) == value


@pytest.mark.parametrize(("kind", "text", "code", "remedy"), REFUSED)
def test_refused(kind: str, text: str, code: str, remedy: str) -> None:
    with pytest.raises(Wrong) as caught:
        parse(kind, text)
    issue = caught.value.issue
    assert (issue.code, issue.severity, issue.field) == (code, "error", "")
    assert remedy in issue.remedy
    assert issue.text.endswith((".", ")"))


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, text, _, remedy in REFUSED if remedy.startswith("Type ")]
)
def test_what_the_remedy_says_to_type_is_taken(kind: str, text: str) -> None:
    with pytest.raises(Wrong) as caught:
        parse(kind, text)
    advised = re.match(r"Type (\S+?)[.,](?: |$)", caught.value.issue.remedy)
    assert advised is not None, caught.value.issue.remedy
    if caught.value.issue.code != "N110":  # its advice is for the other field
        parse(kind, advised[1])


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("00-00-5E-00-53-01", "00:00:5e:00:53:01"),
        ("0000.5e00.5301", "00:00:5e:00:53:01"),
        (" 00:00:5e:00:53:01 ", "00:00:5e:00:53:01"),
    ],
)
def test_mac(text: str, mac: str) -> None:
    assert values.mac(text) == mac


@pytest.mark.parametrize(
    "text", ["", "00:00:5e:00:53", "00:00-5e:00:53:01", "zz:00:5e:00:53:01", "００:00:5e:00:53:01"]
)
def test_mac_refused(text: str) -> None:
    with pytest.raises(Wrong) as caught:
        values.mac(text)
    assert caught.value.issue.code == "N151"


def healthy(interface: IPv4Interface | IPv6Interface) -> bool:
    """By the lists of the RFCs, not by the code under test."""
    ip = interface.ip
    bad4 = [ip_interface(n).network for n in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4")]
    bad6 = [ip_interface(n).network for n in ("::/127", "::ffff:0:0/96", "ff00::/8")]
    return interface.network.prefixlen > 0 and not any(ip in net for net in (bad4 if ip.version == 4 else bad6))


four = st.builds(lambda n, p: IPv4Interface((n, p)), st.integers(0, 2**32 - 1), st.integers(1, 32)).filter(healthy)
six = st.builds(lambda n, p: IPv6Interface((n, p)), st.integers(0, 2**128 - 1), st.integers(1, 128)).filter(healthy)
label = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
KINDS = {
    "addresses4": st.lists(four, max_size=20, unique_by=lambda a: a.ip).map(tuple),
    "addresses6": st.lists(six, max_size=15, unique_by=lambda a: a.ip).map(tuple),
    "gateway4": st.none() | four.map(lambda a: a.ip),
    "gateway6": st.none() | six.map(lambda a: a.ip),
    "nameservers": st.lists(four.map(lambda a: a.ip) | six.map(lambda a: a.ip), max_size=10, unique=True).map(tuple),
    "domains": st.lists(st.lists(label, min_size=1, max_size=4).map(".".join), max_size=5, unique=True).map(tuple),
    "mtu": st.none() | st.integers(68, 65535),
    "flag": st.booleans(),
    "text": st.from_regex(r"([a-z]( [a-z])*)?", fullmatch=True),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_is_shown_is_read_back(kind: str, data: st.DataObject) -> None:
    value = data.draw(KINDS[kind])
    assert parse(kind, show(kind, value)) == value


def outcome(kind: str, text: str) -> tuple[Any, Issue | None]:
    """The value, or the issue; anything else that is raised fails the test."""
    try:
        return parse(kind, text), None
    except Wrong as wrong:
        return None, wrong.issue


@pytest.mark.parametrize("kind", [*KINDS, "choice"])
@given(text=st.text(max_size=40) | st.text("0123456789.:/,; \u00a0%[]xfe", max_size=40))
def test_nothing_but_wrong_is_raised(kind: str, text: str) -> None:
    value, issue = outcome(kind, text)
    if issue is None:
        assert parse(kind, show(kind, value)) == value
    else:
        assert issue.code in codes.TITLES
        assert issue.text.isprintable()
        assert issue.remedy
