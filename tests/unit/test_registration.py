"""The wish for a registration: typed values, what a plan says of it, and that its secrets are in one file only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.screens.machine import machine
from tui.models import values
from tui.models.change import Plan
from tui.models.facts import Facts, FileFact, Machine
from tui.models.host import HostConfig
from tui.models.masking import masked
from tui.models.registration import REGISTRATION_FORM, RegistrationConfig
from tui.models.wrong import Wrong
from tui.services import document, facts, recording, registration
from tui.services.change import planner
from tui.services.checks import run
from tui.settings import Settings

TOKEN = "tok-3f9c0ffee"


def wish(**more: object) -> RegistrationConfig:
    return RegistrationConfig.model_validate({"endpoint": "manage.example", "token": TOKEN, **more})


def planned(config: RegistrationConfig, host: Facts) -> Plan:
    return planner.plan(HostConfig(registration=config), host, {})


def after(plan: Plan, host: Facts) -> Facts:
    made = [FileFact(s.image.path, s.image.sha256, (s.image.content or b"").decode(), s.image.mode) for s in plan.steps]
    return replace(host, files=tuple(made))


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("plane", " https://Manage.Example/ ", "manage.example"), ("plane", "manage.example:443", "manage.example"),
        ("plane", "192.0.2.8:8443", "192.0.2.8:8443"), ("plane", "[2001:db8::8]:8443", "[2001:db8::8]:8443"),
        ("plane", "", ""), ("host_id", "edge-7C21.x_1", "edge-7C21.x_1"),
        ("registration_secret", f" {TOKEN}\n", TOKEN),
        ("tags", "city:berlin, row:2; shop", ("city:berlin", "row:2", "shop")),
        ("page", "https://join.example/r?x=1", "https://join.example/r?x=1"),
        ("project", " stores north ", "stores north"),
    ],
)  # fmt: skip
def test_typed(kind: str, typed: str, value: object) -> None:
    assert values.parse(kind, typed) == value


@pytest.mark.parametrize(
    ("kind", "typed", "code"),
    [
        ("plane", "http://manage.example", "R102"), ("plane", "manage.example/v1", "R102"), ("plane", "a b", "R101"),
        ("plane", "manage.example:99999", "R101"), ("plane", "user:pw@manage.example", "R102"),
        ("host_id", "-edge", "R103"), ("host_id", "x" * 129, "R103"), ("registration_secret", "to ken", "R104"),
        ("registration_secret", "x" * 2049, "R104"), ("tags", "a:b:c", "R106"), ("tags", "-", "R106"),
        ("page", "join.example", "R107"), ("page", "https://u:p@join.example", "R107"), ("project", "x" * 129, "R105"),
    ],
)  # fmt: skip
def test_not_typed_so(kind: str, typed: str, code: str) -> None:
    with pytest.raises(Wrong) as wrong:
        values.parse(kind, typed)
    assert wrong.value.issue.code == code
    assert "pw" not in str(wrong.value.issue)


@given(st.text())
@settings(max_examples=300)
def test_whatever_is_typed_nothing_else_is_raised(typed: str) -> None:
    for field in REGISTRATION_FORM.fields:
        try:
            values.parse(field.kind, typed)
        except Wrong as wrong:
            issue = wrong.issue
        else:
            continue
        assert issue.text
        assert not field.secret or len(typed.strip()) < 4 or typed.strip() not in issue.text


def test_the_plan_has_one_file_of_root_alone() -> None:
    plan = planned(wish(), machine())
    (step,) = plan.steps
    assert (step.image.path, step.image.mode) == (registration.KEPT, 0o600)
    assert json.loads(step.image.content or b"")["token"] == TOKEN
    assert [(d.label, d.after) for d in plan.differences] == [
        ("managed", "centrally"), ("endpoint", "manage.example"), ("way", "by token"),
        ("host id from", "serial number"),
        ("token", "another ***"),
    ]  # fmt: skip
    assert planned(wish(), after(plan, machine())).empty


def test_no_dump_has_a_secret() -> None:
    config = HostConfig(registration=wish(way="manual", pairing_key="pair-1234"))
    plan = planner.plan(config, machine(), {})
    said = (
        document.text(config)
        + repr(config)
        + json.dumps(plan.config)
        + repr(plan)
        + masked((plan.steps[0].image.content or b"").decode())
    )
    assert TOKEN not in said
    assert "pair-1234" not in said.replace('"pairing_key": "pair-1234"', "")


def test_an_empty_token_is_the_one_that_is_kept_for_the_same_endpoint() -> None:
    host = after(planned(wish(), machine()), machine())
    without = RegistrationConfig(endpoint="manage.example", project="north")
    plan = planned(without, host)
    assert json.loads(plan.steps[0].image.content or b"")["token"] == TOKEN
    assert [(d.label, d.before, d.after) for d in plan.differences] == [("project", "none", "north")]
    elsewhere = planned(RegistrationConfig(endpoint="other.example"), host)
    assert [i.code for i in elsewhere.errors] == ["R111"]
    assert TOKEN not in (elsewhere.steps[0].image.content or b"").decode()


def test_under_a_cluster_the_mode_stays() -> None:
    host = replace(after(planned(wish(), machine()), machine()), cluster_uses_address=True)
    assert [i.code for i in planned(RegistrationConfig(mode="local"), host).errors] == ["R110"]
    assert planned(wish(project="north"), host).errors == ()


def test_another_host_id_is_warned_of() -> None:
    host = after(planned(wish(), machine()), machine())
    plan = planned(wish(host_id_from="typed", host_id="edge-2"), host)
    assert [(i.code, i.severity) for i in plan.issues] == [("R112", "warning")]


@pytest.mark.parametrize(
    ("serial", "wanted", "known"),
    [
        ("7C21X0042", ("edge-7c21x0042", "serial"), True), ("To be filled by O.E.M.", ("", "machine"), True),
        ("0000000", ("", "machine"), True), ("AB 12/3", ("edge-ab-12-3", "serial"), True), ("", ("", ""), False),
    ],
)  # fmt: skip
def test_host_id(serial: str, wanted: tuple[str, str], known: bool, tmp_path: Path) -> None:
    host = recording.host(replace(machine(), machine=Machine("Acme", "EB", serial)), tmp_path)
    if known:
        host.path("/etc").mkdir(exist_ok=True)
        host.path("/etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    found, source = registration.host_id(wish(), host)
    assert source == wanted[1]
    if source == "serial":
        assert found == wanted[0]
    if source == "machine":
        assert found.startswith("edge-")
        assert "0123456789abcdef" not in found


def test_read_back_from_the_host(tmp_path: Path) -> None:
    host = recording.host(after(planned(wish(tags=["city:berlin"]), machine()), machine()), tmp_path)
    assert registration.of(host) == wish(tags=["city:berlin"])
    assert registration.kept(facts.read(host)) == wish(tags=["city:berlin"])
    host.path(registration.KEPT).write_text("[" * 100_000)
    assert registration.of(host) is None


def test_checks_go_where_the_host_registers() -> None:
    named = run.wanted(Settings(checks_endpoint="other.example"), wish())
    assert named.endpoint is not None
    assert named.endpoint.host == "other.example"
    ours = run.wanted(Settings(), wish(endpoint="manage.example:8443"))
    assert ours.endpoint is not None
    assert (ours.endpoint.host, ours.endpoint.port, ours.mode) == ("manage.example", 8443, "central")
    local = run.wanted(Settings(), RegistrationConfig(mode="local"))
    assert (local.endpoint, local.mode) == (None, "local")
