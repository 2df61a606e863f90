"""The wish for a proxy: typed values, what each consumer is told, what goes without it; no dump has a secret."""

from __future__ import annotations

import json
import logging
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from tests.screens.machine import machine
from tui.commands import words
from tui.models import endpoint, values
from tui.models.change import Plan, Refused
from tui.models.facts import Facts, FileFact
from tui.models.host import HostConfig
from tui.models.masking import masked
from tui.models.proxy import PROXY_FORM, ProxyConfig, Upstream
from tui.models.wrong import Wrong
from tui.services import document, facts, recording
from tui.services.change import planner
from tui.services.proxy import exceptions, kept, places
from tui.services.proxy.settings import Settings, listed

SECRET = "p@ss:/#?%&+ \"é'\\"
EVERY = ("shell", "systemd", "apt", "dnf", *places.UNITS)


def wish(password: str | None = SECRET, **more: object) -> ProxyConfig:
    upstream = {"host": "proxy.example", "port": 3128, "user": "edge01"} | (
        {} if password is None else {"password": password}
    )
    return ProxyConfig.model_validate({"method": "one", "http": upstream, "exceptions": [".svc", "10.0.0.0/8"], **more})


def host_with(*files: FileFact, consumers: tuple[str, ...] = EVERY) -> Facts:
    return replace(machine(), consumers=consumers, files=files)


def planned(config: ProxyConfig, host: Facts) -> Plan:
    return planner.plan(HostConfig(proxy=config), host, {})


def after(plan: Plan, host: Facts) -> Facts:
    """The facts once the plan has been carried out."""
    changed = {s.image.path: s.image for s in plan.steps}
    files = [f for f in host.files if f.path not in changed]
    files += [FileFact(i.path, i.sha256, i.content.decode(), i.mode) for i in changed.values() if i.content is not None]
    return replace(host, files=tuple(files))


def text(plan: Plan, path: str) -> str:
    return next((s.image.content or b"").decode() for s in plan.steps if s.image.path == path)


# --- typed values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("proxy", "proxy"), (" Proxy.Site.Example. ", "proxy.site.example"), ("192.0.2.8", "192.0.2.8"),
        ("2001:DB8::8", "2001:db8::8"), ("[2001:db8::8]", "2001:db8::8"),
    ],
)  # fmt: skip
def test_host(typed: str, value: str) -> None:
    assert endpoint.host(typed) == value


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "P101"), ("1.2.3", "P101"), ("a_b", "P101"), ("a b", "P101"), ("300.1.1.1", "P101"), ("prüfer", "P101"),
        ("http://proxy:3128", "P102"), ("proxy:3128", "P102"), ("u:geheim@proxy", "P102"), ("proxy/", "P102"),
        ("[2001:db8::8]:3128", "P102"),
    ],
)  # fmt: skip
def test_no_host(typed: str, code: str) -> None:
    with pytest.raises(Wrong) as wrong:
        endpoint.host(typed)
    assert wrong.value.issue.code == code
    assert "geheim" not in str(wrong.value.issue)


@pytest.mark.parametrize("typed", ["0", "65536", "31280000", "http", "-1", "3128.0", "٣١٢٨", "+80", "080"])
def test_no_port(typed: str) -> None:
    with pytest.raises(Wrong) as wrong:
        endpoint.port(typed)
    assert wrong.value.issue.code == "P103"


def test_port_and_user() -> None:
    assert (endpoint.port(" 8080 "), endpoint.port("")) == (8080, None)
    assert endpoint.user(" SITE\\edge01 ") == "SITE\\edge01"
    with pytest.raises(Wrong, match="colon"):
        endpoint.user("edge01:secret")


@pytest.mark.parametrize("typed", ["line\nend", "tab\t", "\x7f", "\x85", "x" * 256, "\x00"])
def test_no_password(typed: str) -> None:
    with pytest.raises(Wrong) as wrong:
        endpoint.secret(typed)
    assert wrong.value.issue.code == "P104"
    assert typed not in str(wrong.value.issue)


def test_a_password_keeps_its_blanks() -> None:
    assert values.parse("secret", " x ") == " x "


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("localhost, .Site.Example; *.x.example\n10.1.2.3/8 ::1 [2001:db8::1] 2001:db8::/32",
         ("localhost", ".site.example", ".x.example", "10.0.0.0/8", "::1", "2001:db8::1", "2001:db8::/32")),
        ("", ()), ("10.0.0.0/255.0.0.0", ("10.0.0.0/8",)),
    ],
)  # fmt: skip
def test_exceptions(typed: str, value: tuple[str, ...]) -> None:
    assert values.parse("exceptions", typed) == value


@pytest.mark.parametrize(
    ("typed", "code"),
    [("*", "P106"), ("a*b", "P106"), ("10.0.0", "P106"), ("10.0.0.0/33", "P106"), (".", "P106"),
     ("a.example:443", "P107"), ("http://a.example", "P107"), ("a.example, a.example", "N121")],
)  # fmt: skip
def test_no_exceptions(typed: str, code: str) -> None:
    with pytest.raises(Wrong) as wrong:
        values.parse("exceptions", typed)
    assert wrong.value.issue.code == code


@given(st.text())
@settings(max_examples=300)
def test_whatever_is_typed_nothing_else_is_raised(typed: str) -> None:
    for field in PROXY_FORM.fields:
        try:
            values.parse(field.kind, typed)
        except Wrong as wrong:
            issue = wrong.issue
        else:
            continue
        assert issue.text, field
        assert issue.remedy, field


# --- what each consumer is told --------------------------------------------------------------------------------------


def test_every_file_and_nothing_the_second_time() -> None:
    host = host_with(FileFact(places.DNF, "x", "[main]\ngpgcheck=1\n"))
    plan = planned(wish(), host)
    assert {s.image.path for s in plan.steps} == {
        places.KEPT, places.ENVIRONMENT, places.PAM, places.SHELL, places.MANAGER, places.APT, places.DNF,
        *map(places.drop_in, places.UNITS),
    }  # fmt: skip
    assert plan.restarts == places.UNITS
    assert plan.errors == ()
    assert planned(wish(), after(plan, host)).empty
    assert planned(wish(None), after(plan, host)).empty, "no password: the one that is kept"


def test_off_leaves_no_trace() -> None:
    former = FileFact(places.PAM, "x", "LANG=C.UTF-8\n")
    host = host_with(former, FileFact(places.DNF, "y", "[main]\ngpgcheck=1\n", 0o644))
    there = after(planned(wish(), host), host)
    gone = after(planned(ProxyConfig(), there), there)
    assert {f.path: f.text for f in gone.files} == {places.PAM: former.text, places.DNF: "[main]\ngpgcheck=1\n"}
    assert gone.file(places.DNF).mode == 0o644


def test_what_all_can_read_has_no_password() -> None:
    plan = planned(wish("geheim"), host_with())
    for step in plan.steps:
        assert step.image.mode == 0o600 or b"geheim" not in (step.image.content or b""), step.image.path
    holders = {s.image.path for s in plan.steps if b"geheim" in (s.image.content or b"")}
    assert holders == {places.KEPT, places.ENVIRONMENT, places.APT, places.DNF}


def test_other_lines_of_shared_files_stay() -> None:
    pam = '# by hand\nLANG="C"\nhttp_proxy=http://old:1\n export NO_PROXY=x\nmy_http_proxy=stays'
    dnf = "# c\n[main]\nproxy = http://old\ngpgcheck=1\n[other]\nproxy=http://theirs\n"
    plan = planned(wish(), host_with(FileFact(places.PAM, "x", pam), FileFact(places.DNF, "y", dnf)))
    said = text(plan, places.PAM)
    assert said.startswith('# by hand\nLANG="C"\nmy_http_proxy=stays\nhttp_proxy="http://edge01@proxy.example:3128"\n')
    assert "old" not in said
    said = text(plan, places.DNF)
    assert said.startswith(
        f"# c\n[main]\nproxy=http://proxy.example:3128\nproxy_username=edge01\nproxy_password={SECRET}\n"
    )
    assert said.endswith("gpgcheck=1\n[other]\nproxy=http://theirs\n")


@pytest.mark.parametrize("odd", [FileFact(places.PAM, "x", target="/elsewhere"), FileFact(places.PAM, "x", "a\ufffd")])
def test_a_shared_file_that_is_a_link_or_no_text_is_left_alone(odd: FileFact) -> None:
    plan = planned(wish(), host_with(odd))
    assert places.PAM not in {s.image.path for s in plan.steps}
    assert "P113" in [i.code for i in plan.issues]


def test_a_file_that_became_readable_is_closed_again() -> None:
    host = host_with()
    there = after(planned(wish(), host), host)
    opened = replace(
        there, files=tuple(replace(f, mode=0o644) if f.path == places.ENVIRONMENT else f for f in there.files)
    )
    assert [s.image.path for s in planned(wish(), opened).steps] == [places.ENVIRONMENT]


def test_two_proxies_and_ipv6() -> None:
    two = wish(method="two", https={"host": "2001:db8::8", "port": 8443, "scheme": "https"})
    told = Settings.of(two)
    assert (told.bare_http, told.https) == ("http://edge01@proxy.example:3128", "https://[2001:db8::8]:8443")
    assert told.http == "http://edge01:p%40ss%3A%2F%23%3F%25%26%2B%20%22%C3%A9%27%5C@proxy.example:3128"


def test_exceptions_in_each_spelling() -> None:
    entries = (".svc", "10.0.0.0/8", "192.0.2.8/30", "2001:db8::/32", "a.example", "::1")
    told = Settings.of(wish(exceptions=list(entries)))
    assert told.variables(bare=True, ipv6_networks=True)["no_proxy"].split(",")[3:7] == [
        f"192.0.2.{n}" for n in range(8, 12)
    ]
    assert "2001:db8::/32" not in listed(entries, ipv6_networks=False), "httpx does not start where it is listed"
    plan = planned(wish(exceptions=list(entries)), host_with())
    direct = [line.split()[0] for line in text(plan, places.APT).splitlines() if "DIRECT" in line]
    assert direct[:5] == [
        f"Acquire::http::Proxy::{h}" for h in ("192.0.2.8", "192.0.2.9", "192.0.2.10", "192.0.2.11", "a.example")
    ]


def test_warnings() -> None:
    docker = FileFact(places.DOCKER, "x", '{"proxies": {"http-proxy": "http://x"}}')
    many = [f"host-number-{n}.a-long-domain.example" for n in range(40)]
    found = {i.code: i for i in planned(wish("pa$s", exceptions=many), host_with(docker)).issues}
    assert set(found) == {"P111", "P112", "P114", "P115", "P116"}
    assert {i.severity for i in found.values()} == {"note", "warning"}
    assert "198.51.100.0/24 (network of wlan0)" in found["P112"].text
    alone = ProxyConfig.model_validate({"method": "one", "http": {"host": "p", "password": "geheim"}})
    assert [i.code for i in planned(alone, host_with()).errors] == ["P108"]
    assert "P109" in [i.code for i in planned(wish(None), host_with()).issues]


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_no_dump_has_the_secret(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    host = host_with(FileFact(places.PAM, "x", "https_proxy=http://a:geheim@b:1\n"))
    config = HostConfig(proxy=wish("geheim"))
    plan = planner.plan(config, host, {})
    logging.getLogger("x").error("%s %r %s", plan, config, host)
    words.complain(plan.issues)
    shown = ["\n".join(words.planned(plan, host)), document.text(config), json.dumps(plan.config), caplog.text]
    shown += [repr(plan), repr(host), str(plan.steps), str(plan.differences), *capsys.readouterr()]
    shown.append(json.dumps(facts.masked(after(plan, host)).to_dict()))
    assert [s for s in shown if "geheim" in s] == []
    assert "edge01" in shown[0]
    assert HostConfig.model_validate(plan.config).proxy == wish(None), "the journal's copy of the draft has none"


def test_masked_facts_are_no_oracle() -> None:
    """The hash of a file whose only unknown is the password would let anybody try passwords."""
    there = after(planned(wish(), host_with()), host_with())
    shown = facts.masked(there)
    assert {f.path for f in shown.files if f.sha256 == there.file(f.path).sha256}.isdisjoint(
        {places.KEPT, places.ENVIRONMENT, places.APT}
    )


@pytest.mark.parametrize("password", [["geheim"], {"geheim": "geheim"}, "geheim\n"])
def test_a_bad_document_does_not_repeat_the_secret(password: object) -> None:
    data = {"version": 1, "proxy": {"method": "one", "http": {"host": "p", "user": "u", "password": password}}}
    with pytest.raises(Refused) as refused:
        document.parse(yaml.safe_dump(data).encode())
    assert "geheim" not in "".join(traceback.format_exception(refused.value))
    with pytest.raises(ValidationError) as error:
        HostConfig.model_validate(data)
    assert "geheim" not in str(error.value)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("http_proxy='http://u:p@h:1'", "http_proxy='http://u:***@h:1'"),
        ('Acquire::http::Proxy "http://u:a%40b@h:1/";', 'Acquire::http::Proxy "http://u:***@h:1/";'),
        ("proxy_password=a b", "proxy_password=***"),
        ('  "password": "x",', '  "password": ***'),
        ("+proxy_password: x", "+proxy_password: ***"),
        ("http_proxy=http://h:1", "http_proxy=http://h:1"),
        ("https://h:1/a@b", "https://h:1/a@b"),
    ],
)
def test_masking(line: str, shown: str) -> None:
    assert masked(line) == shown


def test_the_kept_password_is_taken_for_the_same_proxy_only() -> None:
    host = after(planned(wish(), host_with()), host_with())

    def secret(**more: object) -> str:
        upstream = Upstream.model_validate({"host": "proxy.example", "port": 3128, "user": "edge01", **more})
        done = kept.completed(ProxyConfig(method="one", http=upstream), host)
        assert done.http is not None
        return done.http.secret

    assert secret() == SECRET
    assert [secret(host="evil.example"), secret(port=1), secret(user="other")] == ["", "", ""]
    assert secret(password=SecretStr("new")) == "new"


def test_what_is_kept_cannot_be_read_any_more() -> None:
    for content in ("", "{", "[]", '{"method": "three"}', "null"):
        assert kept.kept(Facts(files=(FileFact(places.KEPT, "x", content),))) is None


def test_a_recording_finds_the_same_consumers(tmp_path: Path) -> None:
    host = recording.host(host_with(FileFact(places.DNF, "x", "[main]\n")), tmp_path)
    assert set(facts.read(host).consumers) == set(EVERY)


# --- what goes without the proxy -------------------------------------------------------------------------------------


def test_proposed_with_reasons() -> None:
    host = replace(machine(), cluster_ranges=("10.42.0.0/16", "10.43.0.0/16"))
    found = {p.entry: p.reason for p in exceptions.proposed(host)}
    assert found["127.0.0.0/8"] == "this host itself"
    assert found["edge-7c21"] == "name of this host"
    assert found["192.0.2.0/24"] == found["2001:db8:0:1::/64"] == "network of lan0"
    assert found["10.43.0.0/16"] == "pods and services"
    assert found[".site.example"] == "search domain of lan0"
    assert {".svc", ".cluster.local"} <= found.keys()
    link = {"mac": host.links[0].mac, "ipv4": {"method": "static", "addresses": ["203.0.113.9/26"]}}
    drafted = {p.entry for p in exceptions.proposed(host, HostConfig.model_validate({"links": [link]}))}
    assert "203.0.113.0/26" in drafted
    assert "192.0.2.0/24" not in drafted, "the draft leaves that network"


LIST = (".site.example", "a.example", "10.0.0.0/8", "192.0.2.9", "2001:db8::/32", "2001:db8:1::5")


@pytest.mark.parametrize(
    ("host", "direct"),
    [
        ("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True),
        ("x.site.example", True), ("site.example", False), ("xsite.example", False), ("A.Example.", True),
        ("b.a.example", True), ("ba.example", False), ("10.255.0.1", True), ("11.0.0.1", False), ("192.0.2.9", True),
        ("192.0.2.99", False), ("2001:db8::77", True), ("2001:db9::1", False), ("example", False),
    ],
)  # fmt: skip
def test_bypasses_as_go_does(host: str, direct: bool) -> None:
    assert exceptions.bypasses(host, LIST) is direct


def test_readings() -> None:
    assert exceptions.readings("10.0.0.0/8") == {"Go": "yes", "curl": "yes", "Python": "no", "apt": "no"}
    assert exceptions.readings("192.0.2.8/30") == {"Go": "yes", "curl": "yes", "Python": "as 4", "apt": "as 4"}
    assert exceptions.readings("2001:db8::/32") == {"Go": "yes", "curl": "no", "Python": "no", "apt": "no"}
    assert exceptions.readings(".svc")["apt"] == "no"
    assert exceptions.readings("a.example")["apt"] == "yes"
