"""What the ladder is made of, without a network: models, the way out, packets, words."""

from __future__ import annotations

import asyncio
import random
import struct
import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.models.change import Issue
from tui.models.check import ProxyWay, Run, Rung, Target, Wanted
from tui.models.facts import Address, Facts, Lease, Link, Route
from tui.models.host import HostConfig
from tui.services.checks import dns, echo, http, ladder, sntp, way
from tui.services.checks import run as checking
from tui.services.checks.climb import Climb
from tui.services.checks.rungs import certificate, ntp
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.settings import Settings, load

MAC = "00:00:5e:00:53:01"
LAN = Link(
    2, "lan0", MAC, MAC, admin_up=True, operstate="up", carrier=True,
    addresses=(Address("192.0.2.10/24", "dhcp"), Address("2001:db8:0:1::10/64", flags=0xC0), Address("fe80::1/64")),
    routes=(Route("default", "192.0.2.1", protocol=16), Route("198.51.100.0/24", "192.0.2.2")),
    lease=Lease("192.0.2.10/24", "192.0.2.1", ("192.0.2.53",)), method4="dhcp",
)  # fmt: skip
SECOND = Link(3, "lan1", "00:00:5e:00:53:02", carrier=True, admin_up=True, addresses=(Address("10.1.0.5/16"),))
FACTS = Facts(links=(SECOND, LAN))
STATIC = {"method": "static", "addresses": ["192.0.2.30/24"], "gateway": "192.0.2.9"}
BAD = Issue("D242", "error", "", "It has expired.", "Renew it.")


def draft(**link: object) -> HostConfig:
    return HostConfig.model_validate({"links": [{"mac": MAC, **link}]})


# --- targets and proxies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "path", "authority"),
    [
        ("api.example", "https", "api.example", 443, "/", "api.example"),
        ("api.example:8443", "https", "api.example", 8443, "/", "api.example:8443"),
        ("http://web.example/a?b=c", "http", "web.example", 80, "/a?b=c", "web.example"),
        ("[2001:db8::1]:5000", "https", "2001:db8::1", 5000, "/", "[2001:db8::1]:5000"),
        ("https://API.example/v1", "https", "api.example", 443, "/v1", "api.example"),
    ],
)
def test_target(text: str, scheme: str, host: str, port: int, path: str, authority: str) -> None:
    found = Target.parse("registry", text)
    assert (found.scheme, found.host, found.port, found.path) == (scheme, host, port, path)
    assert found.authority == authority


@pytest.mark.parametrize("text", ["", "ftp://x", "https://", "a b", "x:99999", "user@host", "https://[::1"])
def test_no_target(text: str) -> None:
    with pytest.raises(ValueError, match="registry: "):
        Target.parse("registry", text)


@pytest.mark.parametrize(
    ("exception", "host", "direct"),
    [
        ("site.example", "site.example", True),
        ("site.example", "a.site.example", True),
        ("site.example", "website.example", False),
        (".site.example", "a.site.example", True),
        (".site.example", "site.example", False),
        ("*.site.example", "a.site.example", True),
        ("192.0.2.0/24", "192.0.2.7", True),
        ("192.0.2.0/24", "198.51.100.7", False),
        ("192.0.2.0/24", "2001:db8::1", False),
        ("2001:db8::/32", "2001:db8::1", True),
        ("SITE.example", "Site.Example", True),
        ("", "site.example", False),
        ("*", "anything.example", True),
    ],
)
def test_exceptions_of_a_proxy(exception: str, host: str, direct: bool) -> None:
    assert ProxyWay("proxy", 3128, exceptions=(exception,)).covers(host) is not direct


def test_password_of_a_proxy_is_in_no_text() -> None:
    assert "word" not in repr(ProxyWay("proxy", 3128, "edge", "word"))


# --- runs ----------------------------------------------------------------------------------------------------------


def test_run_and_back() -> None:
    rungs = (Rung("carrier", "Cable", 1.0, "ok", 0.1, "up"), Rung("tls", "TLS", 9.0, "failed", 1.0, "bad", BAD))
    run = Run("lan0", rungs, mode="local", finished=5.0, boot_id="x", boottime=3.0)
    assert Run.from_dict(run.to_dict()) == run
    assert run.line == "D242 It has expired."


@pytest.mark.parametrize("data", [{}, {"rungs": 3}, {"rungs": [{}]}, {"link": "a", "rungs": [{"issue": {}}]}])
def test_no_run(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not the result of a check"):
        Run.from_dict(data)


def test_a_failure_is_blamed_before_a_warning_below_it() -> None:
    warning = Rung("nameserver", "N", 1.0, "warning", issue=replace(BAD, code="D211", severity="warning"))
    failure = Rung("tls", "T", 1.0, "failed", issue=BAD)
    assert Run("lan0", (warning, failure)).blame == failure
    assert Run("lan0", (warning,)).blame == warning
    assert Run("lan0", (warning,)).verdict == "warning"
    assert Run("lan0", ()).verdict == "not tried"


def test_age_does_not_follow_a_clock_that_was_set() -> None:
    run = Run("lan0", (), finished=1000.0, boot_id="b", boottime=50.0)
    assert run.age(now=9_999_999.0, boot_id="b", boottime=70.0) == 20.0
    assert run.age(now=1060.0, boot_id="another", boottime=3.0) == 60.0
    assert run.age(now=3.0, boot_id="another", boottime=3.0) == 0.0


def test_last_run_is_read_back_and_damage_is_none(tmp_path: Path) -> None:
    host = Host(tmp_path, NetlinkKernel(), "recorded", FixedClock(5000.0))
    assert checking.last(host) is None
    run = Run("lan0", (Rung("tls", "T", 1.0, "failed", issue=BAD),), finished=5000.0 - 7300)
    checking.keep(host, run)
    assert checking.last(host) == run
    assert checking.aged(run, host) == "2 hours ago"
    for damage in ("", "[]", "{", '{"rungs": 1}', "\0"):
        host.path(checking.PATH).write_text(damage)
        assert checking.last(host) is None


def test_settings_say_what_is_to_be_reached(tmp_path: Path) -> None:
    (tmp_path / "etc/onsite").mkdir(parents=True)
    (tmp_path / "etc/onsite/onsite.toml").write_text(
        '[checks]\nendpoint = "api.example"\nntp = ["192.0.2.1", "time.example"]\nmode = "local"\n'
    )
    goal = checking.wanted(load(tmp_path))
    assert (goal.endpoint, goal.registry) == (Target("management plane", "https", "api.example", 443), None)
    assert (goal.ntp, goal.mode, goal.main) == (("192.0.2.1", "time.example"), "local", goal.endpoint)
    assert checking.wanted(Settings()) == Wanted()


@pytest.mark.parametrize("text", ["mode = 'far'", "ntp = 'x'", "ntp = [3]", "endpoint = 3", "endpoints = 'x'"])
def test_settings_that_make_no_sense(tmp_path: Path, text: str) -> None:
    (tmp_path / "etc/onsite").mkdir(parents=True)
    (tmp_path / "etc/onsite/onsite.toml").write_text(f"[checks]\n{text}\n")
    with pytest.raises(ValueError, match="checks"):
        load(tmp_path)


# --- the way out ---------------------------------------------------------------------------------------------------


def test_way_of_what_the_host_has() -> None:
    out = way.of(FACTS)
    assert out is not None
    assert out.link.name == "lan0", "the one with the gateway"
    assert out.addresses == (ip_interface("192.0.2.10/24"),), "neither link-local nor tentative"
    assert (out.gateways, out.nameservers) == ((ip_address("192.0.2.1"),), (ip_address("192.0.2.53"),))
    assert (out.families, out.leased, out.drafted) == ((4,), True, False)


@pytest.mark.parametrize(
    ("to", "door"),
    [
        ("192.0.2.77", ("lan0", "192.0.2.10")),
        ("10.1.9.9", ("lan1", "10.1.0.5")),
        ("203.0.113.1", ("lan0", "192.0.2.10")),
        ("2001:db8::1", None),
    ],
)
def test_door(to: str, door: tuple[str, str] | None) -> None:
    out = way.of(FACTS)
    assert out is not None
    assert out.door(ip_address(to)) == (door and (door[0], ip_address(door[1])))


def test_way_of_a_draft() -> None:
    out = way.of(FACTS, draft(ipv4=STATIC, nameservers=["192.0.2.54"]))
    assert out is not None
    assert (out.addresses, out.missing) == ((), (ip_interface("192.0.2.30/24"),))
    assert (out.gateways, out.nameservers) == ((ip_address("192.0.2.9"),), (ip_address("192.0.2.54"),))
    leased = way.of(FACTS, draft(nameservers=[]))
    assert leased is not None
    assert (leased.addresses, leased.gateways) == ((ip_interface("192.0.2.10/24"),), (ip_address("192.0.2.1"),))
    assert leased.nameservers == (ip_address("192.0.2.53"),), "those of the lease"


def test_no_way() -> None:
    assert way.of(Facts()) is None
    assert way.of(FACTS, name="nic9") is None


@pytest.mark.parametrize(
    ("to", "mode", "silent", "why"),
    [
        ("203.0.113.1", "central", False, ""),
        ("203.0.113.1", "central", True, "does not answer"),
        ("203.0.113.1", "local", False, "air gap"),
        ("192.0.2.200", "local", True, ""),
        ("10.1.200.1", "local", False, ""),
        ("198.51.100.9", "local", False, ""),
        ("127.0.0.53", "local", False, "air gap"),
        ("127.0.0.53", "central", False, ""),
        ("2001:db8::1", "central", False, "no IPv6 address"),
    ],
)
def test_where_a_packet_may_go(to: str, mode: str, silent: bool, why: str) -> None:
    out = way.of(FACTS)
    assert out is not None
    climb = Climb(out, Wanted(mode="local" if mode == "local" else "central"), FixedClock())
    climb.silent = set(out.gateways) if silent else set()
    said = climb.forbidden(ip_address(to))
    assert why in said if why else said == ""


def test_without_a_gateway_nothing_beyond_is_asked() -> None:
    out = way.of(Facts(links=(replace(LAN, routes=()),)))
    assert out is not None
    assert Climb(out, Wanted(), FixedClock()).forbidden(ip_address("203.0.113.1")) == "no gateway is set"


# --- a climb that cannot begin -------------------------------------------------------------------------------------


async def test_without_a_cable_nothing_else_is_tried() -> None:
    out = way.of(Facts(links=(replace(LAN, carrier=False),)))
    assert out is not None
    told: list[tuple[int, str]] = []
    rungs = await ladder.climb(out, Wanted(), FixedClock(), lambda number, rung: told.append((number, rung.verdict)))
    assert [rung.verdict for rung in rungs] == ["failed"] + ["not tried"] * (len(rungs) - 1)
    assert all(rung.reason for rung in rungs)
    assert told[:3] == [(0, "running"), (0, "failed"), (1, "running")]
    assert [rung.name for rung in rungs] == [rung.name for rung in ladder.rungs(out, Wanted())]


async def test_a_rung_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.services.checks.rungs import carrier

    async def forever(climb: Climb) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(carrier, "check", forever)
    monkeypatch.setattr(carrier, "LIMIT", 0.05)
    out = way.of(Facts(links=(replace(LAN, mac="", addresses=(), method4="off"),)))
    assert out is not None
    first = (await asyncio.wait_for(ladder.climb(out, Wanted(), FixedClock()), 30))[0]
    assert (first.verdict, first.issue.code if first.issue else "") == ("failed", "D291")
    assert 0.05 <= first.seconds < 1


# --- packets -------------------------------------------------------------------------------------------------------


def test_dns_question_and_answer() -> None:
    packet = dns.question(0x1234, "Api.Example.", 28)
    assert packet.hex() == "123401000001000000000000" + "03417069074578616d706c6500" + "001c0001"
    records = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 60, 2) + b"\xc0\x0c"  # an alias, passed over
    records += b"\xc0\x0c" + struct.pack("!HHIH", 28, 1, 60, 16) + IPv6Address("2001:db8::1").packed
    answer = packet[:2] + struct.pack("!HHHHH", 0x8180, 1, 2, 0, 0) + packet[12:] + records
    assert dns.parse(answer) == dns.Answer(0, (IPv6Address("2001:db8::1"),))
    refused = packet[:2] + struct.pack("!HHHHH", 0x8185, 1, 0, 0, 0) + packet[12:]
    assert dns.parse(refused).word == "REFUSED"
    assert dns.question(1, "", 1)[12:] == b"\0\0\1\0\1", "the root"


@pytest.mark.parametrize("name", ["a..b", "x" * 64, ".a", "\udcff.example"])
def test_names_that_cannot_be_asked_for(name: str) -> None:
    with pytest.raises(dns.Malformed):
        dns.question(1, name, 1)


@given(st.binary(max_size=200))
def test_dns_answers_of_any_shape(data: bytes) -> None:
    for packet in (data, b"\0\1\x81\x80\0\1\0\2\0\0\0\0" + data):
        try:
            dns.parse(packet)
        except dns.Malformed:
            continue


def test_ntp_offset_and_era() -> None:
    now = 2_085_978_496.0 + 100  # after NTP's 32 bits have turned over, in 2036
    seconds = int(now + 30 + 2_208_988_800)
    stamp = struct.pack("!II", seconds & 0xFFFFFFFF, 1 << 31)
    data = bytes([0x24, 2]) + bytes(30) + stamp + stamp
    time = sntp.parse(data, now, now + 1)
    assert time.offset == pytest.approx(30.0)
    assert (time.synchronised, time.stratum) == (True, 2)
    for first, stratum in ((0xE4, 2), (0x24, 0), (0x24, 16)):
        assert not sntp.parse(bytes([first, stratum]) + data[2:], now, now + 1).synchronised


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0.2 seconds"), (61, "1 minute"), (-7200, "2 hours"), (86400 * 40, "40 days"), (63e6, "2 years")],
)
def test_spans_in_words(seconds: float, words: str) -> None:
    assert ntp.in_words(seconds) == words


def test_http_head() -> None:
    head = http.head(b"HTTP/1.1 302 Found\r\nDate: Sat, 31 Jan 2026 12:00:00 GMT\r\nLOCATION: x\r\n\r\nbody: y\r\n")
    assert (head.status, str(head), head.fields["location"]) == (302, "302 Found", "x")
    assert head.date == 1769860800.0
    assert "body" not in head.fields
    assert http.head(b"HTTP/1.0 200\r\nDate: yesterday\r\n\r\n").date is None


@pytest.mark.parametrize(
    "data", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n", b"\x15\x03\x01"]
)
def test_what_is_no_http(data: bytes) -> None:
    with pytest.raises(http.NotHttp) as caught:
        http.head(data)
    assert str(caught.value).isascii()


@given(st.binary(max_size=300))
def test_heads_of_any_shape(data: bytes) -> None:
    for answer in (data, b"HTTP/1.1 200 OK\r\n" + data):
        try:
            assert 0 <= http.head(answer).status <= 999
        except http.NotHttp:
            continue


@given(st.binary(max_size=300))
def test_certificates_of_any_shape(data: bytes) -> None:
    assert certificate.read(data).subject


@given(st.binary(max_size=100))
def test_checksum_of_a_packet_with_its_checksum_is_zero(data: bytes) -> None:
    data += b"\0" * (len(data) % 2)
    assert echo.checksum(data + echo.checksum(data).to_bytes(2)) == 0


def test_trust_is_that_of_the_host_alone(tmp_path: Path) -> None:
    """An empty store trusts nobody, whatever this machine trusts."""
    host = Host(tmp_path, NetlinkKernel(), "user")
    assert checking.trust(host) == ""
    assert certificate.context("").cert_store_stats()["x509"] == 0
    (tmp_path / "etc/pki/tls/certs").mkdir(parents=True)
    (tmp_path / "etc/pki/tls/certs/ca-bundle.crt").write_text("# the authorities of Fedora\n")
    assert checking.trust(host) == "# the authorities of Fedora\n"


def test_no_rung_reads_the_surroundings_of_the_process() -> None:
    """Neither its resolver nor its environment nor its proxy: no source of a check names one."""
    folder = Path(checking.__file__).parent
    sources = [folder / "rungs", folder]
    text = "\n".join(path.read_text() for place in sources for path in place.glob("*.py"))
    resolver = ("getaddrinfo", "gethostby", "/etc/resolv.conf", "create_connection")
    for word in (*resolver, "os.environ", "getenv", "getproxies", "httpx", "default_certs", "default_context"):
        assert word not in text, word


def test_looking_at_the_last_run_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "var/lib/onsite").mkdir(parents=True)
    run = Run("lan0", (Rung("tls", "T", 1.0, "failed", issue=BAD),))
    checking.keep(Host(tmp_path, NetlinkKernel(), "recorded"), run)
    program = f"""
import sys
from pathlib import Path
from tui.services.host import Host
from tui.services.checks import run
print(run.last(Host(Path({str(tmp_path)!r}), None)).line)
print(sorted({{'asyncio', 'ssl', 'pydantic', 'httpx', 'cryptography', 'textual'}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "D242 It has expired.\n[]\n"


def test_every_order_of_answers_resolves_the_same() -> None:
    """Records in any order give the same addresses."""
    packet = dns.question(7, "a.example", 1)
    addresses = [IPv4Address(n).packed for n in range(0xC0000201, 0xC0000205)]
    random.Random(5).shuffle(addresses)
    body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + a for a in addresses)
    answer = packet[:2] + struct.pack("!HHHHH", 0x8180, 1, 4, 0, 0) + packet[12:] + body
    assert [a.packed for a in dns.parse(answer).addresses] == addresses
