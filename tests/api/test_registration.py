"""The agent registers with a practice hub: three ways, every fault with its sentence, a hub that is away, kills."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import re
import signal
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
import yaml

from agent.app import build
from agent.practice.hub import TOKEN
from agent.registration import memory, way
from agent.registration.plane import Applicant, Forgotten, Standing
from agent.registration.registrar import PENDING, Registrar, Timing
from tests.contract import violations
from tests.hub import CODE, FAST, Applying, Hub, applying, practice_hub, write
from tui.models.change import Issue, Refused
from tui.models.contract.cluster import ClusterConfiguration
from tui.services import registration
from tui.services.clock import FixedClock
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel
from tui.services.proxy import places

UID = "edge-7c21x0042"
KILLS = 24


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with practice_hub(tmp_path_factory.mktemp("hub")) as made:
        yield made


@pytest.fixture
async def host(hub: Hub, tmp_path: Path) -> AsyncIterator[Applying]:
    hub.forget()
    async with applying(tmp_path, (hub.folder / "authority.crt").read_text()) as made:
        yield made
    hub.order("none")


def trusting(hub: Hub) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=ssl.create_default_context(cafile=str(hub.folder / "authority.crt")),
        base_url=f"https://{hub.endpoint}", trust_env=False,
    )  # fmt: skip


# --- three ways ----------------------------------------------------------------------------------------------------


async def test_by_token(hub: Hub, host: Applying) -> None:
    host.set(endpoint=hub.endpoint, token=TOKEN, tags=["city:berlin"], project="north")
    host.begin()
    await host.until("paired")
    assert [s.mark for s in host.timeline.steps] == ["ok"] * 7 + [""]
    hub.order("assign")
    timeline = await host.until("in use")
    assert [s.mark for s in timeline.steps] == ["ok"] * 8
    assert hub.entries[UID]["labels"] == {"city": "berlin"}
    assert hub.entries[UID]["health"]["state"] == "healthy"


async def test_by_token_waiting_for_approval(hub: Hub, host: Applying) -> None:
    hub.order("approval")
    host.set(endpoint=hub.endpoint, token=TOKEN)
    host.begin()
    await host.until("waiting")
    assert (host.step("token").mark, host.step("known").mark, host.step("known").code) == ("ok", "waiting", "R130")
    hub.order("approve")
    await host.until("paired")


async def test_by_hand_with_a_pairing_key(hub: Hub, host: Applying) -> None:
    host.set(endpoint=hub.endpoint, way="manual", pairing_key="pair-1")
    host.begin()
    await host.until("waiting")
    assert host.step("known").code == "R130"
    async with trusting(hub) as operator:
        entry = {"metadata": {"name": UID, "uid": UID}, "spec": {"hostPairingKey": "pair-1"}}
        assert (await operator.post("/v1/edgehosts", json=entry)).status_code == 201
    await host.until("paired")
    hub.order("assign")
    await host.until("in use")
    assert list(hub.entries) == [UID]


async def test_by_the_page_of_the_qr_code(hub: Hub, host: Applying) -> None:
    host.set(endpoint=hub.endpoint, way="manual", registration_url=f"https://{hub.endpoint}/r")
    host.begin()
    await host.until("waiting")
    config = registration.of(host.host)
    assert config is not None
    async with trusting(hub) as phone:
        assert "Host entered" in (await phone.get(registration.link(config, UID))).text
    await host.until("paired")
    hub.order("assign")
    await host.until("in use")


async def test_locally_nothing_is_sent(hub: Hub, host: Applying) -> None:
    host.set(mode="local")
    host.begin()
    await host.until("local")
    assert hub.requests == []
    host.set(endpoint=hub.endpoint, token=TOKEN)
    await host.until("paired")


async def test_while_a_change_waits_for_its_keep_nothing_new_is_sent(hub: Hub, host: Applying) -> None:
    write(host.host, PENDING, "{}")
    host.set(endpoint=hub.endpoint, token=TOKEN)
    host.begin()
    await host.until("held")
    assert hub.requests == []
    host.host.path(PENDING).unlink()
    await host.until("paired")


# --- another management plane ---------------------------------------------------------------------------------------


class Other:
    """All that another plane has to be (docs/adding-a-management-plane.md); it believes everybody."""

    known: ClassVar[dict[str, set[str]]] = {}
    """The keys with which each host came."""

    def __init__(self, endpoint: str, host: Host) -> None:
        self.skew: float | None = None

    async def register(self, applicant: Applicant) -> Standing:
        self.known.setdefault(applicant.uid, set()).add(applicant.key)
        return Standing("ready", "speaks for the host")

    async def health(self, uid: str, credential: str) -> None:
        if uid not in self.known or credential != "speaks for the host":
            raise Forgotten

    async def clusters(self, uid: str, credential: str) -> tuple[str, ...]:
        return ("theirs",)

    async def assignment(self, uid: str, credential: str) -> ClusterConfiguration | None:
        return None


async def test_another_management_plane_is_one_small_class(hub: Hub, host: Applying) -> None:
    """Way, pauses, memory and timeline are the registrar's; what it forgets is made again with the same key."""
    host.set(endpoint=hub.endpoint, token=TOKEN)
    host.registrar = Registrar(host.host, FAST, plane=Other, dice=random.Random(7))
    host.task = asyncio.create_task(host.registrar.run())
    await host.until("in use")
    assert [s.mark for s in host.timeline.steps] == ["ok"] * 8
    assert host.step("cluster").said == "theirs"
    Other.known[UID].clear()
    memory.save(host.host, replace(memory.load(host.host), credential="of another one"))
    await until(lambda: Other.known[UID] == {memory.load(host.host).pairing_key})
    assert hub.entries == {}


# --- faults --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """`orders` at the hub, `values` in the settings, and what the timeline has to say: step and code."""

    name: str
    step: str
    code: str
    orders: tuple[str, ...] = ()
    values: tuple[tuple[str, Any], ...] = ()
    proxy: bool = False
    paired: bool = False
    """It works in spite of it, with a warning."""


FAULTS = (
    Fault("duplicate host id", "known", "R120", ("duplicate",)),
    Fault("unknown token", "token", "R121", values=(("token", "mistyped"),)),
    Fault("expired token", "token", "R122", ("expired-token",)),
    Fault("token switched off", "token", "R131", ("inactive-token",)),
    Fault("token without project", "token", "R123", ("no-project",)),
    Fault("unknown project", "token", "R132", ("unknown-project",), (("project", "nowhere"),)),
    Fault("another pairing key", "paired", "R128", ("pairing",), (("way", "manual"),)),
    Fault("wrong clock", "tls", "P145", ("clock",)),
    Fault("intercepted TLS", "tls", "P144", ("intercepted",)),
    Fault("intercepted TLS by the proxy", "tls", "P144", ("intercepted",), proxy=True),
    Fault("captive portal", "tls", "R125", ("portal",)),
    Fault("refused proxy", "reach", "P138", ("proxy-refuses",), proxy=True),
    Fault("proxy wants a login", "reach", "P136", ("proxy-login",), proxy=True),
    Fault("5xx of the hub", "token", "R126", ("unwell",)),
    Fault("hub asks to wait", "token", "R129", ("busy",)),
    Fault("no management plane there", "known", "R127", ("garbage",)),
    Fault("nobody listens", "reach", "P132", values=(("endpoint", "localhost:9"),)),
    Fault("name that nobody knows", "name", "P131", values=(("endpoint", "hub.invalid"),)),
)
SEED = random.SystemRandom().randrange(10**6)
SHUFFLED = random.Random(SEED).sample(FAULTS, len(FAULTS))


async def test_every_fault_has_its_sentence(
    hub: Hub, host: Applying, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One host, one fault after the other, each followed by the way out: it registers."""
    monkeypatch.setattr(way, "PLAIN", hub.sockets[1].getsockname()[1])
    said: list[str] = []
    for fault in SHUFFLED:
        await host.end()
        hub.forget()
        memory.save(host.host, memory.Memory())
        # To localhost nobody goes by a proxy; by its name only the proxy finds the hub.
        endpoint = hub.endpoint.replace("localhost", "hub.site.example") if fault.proxy else hub.endpoint
        values = {"endpoint": endpoint, "token": TOKEN} | dict(fault.values)
        hub.order(*fault.orders)
        if fault.name == "another pairing key":
            await _enter(hub)
        proxy = (
            {"method": "one", "http": {"host": "localhost", "port": hub.proxy}} if fault.proxy else {"method": "off"}
        )
        write(host.host, places.KEPT, json.dumps(proxy))
        host.set(**values)
        host.begin()
        await host.until("failed")
        step = host.timeline.trouble
        assert step is not None, fault
        said.append(f"{fault.name:<30}{step.code}  {step.name:<7}{step.text}")
        assert (step.name, step.code) == (fault.step, fault.code), step
        assert step.text.endswith(".")
        assert step.remedy
        assert 0 <= host.timeline.next_try < 10
        hub.order("none")
        host.set(**values | {"endpoint": endpoint, "token": TOKEN, "project": ""})
        await host.until("paired")
    with capsys.disabled():
        print(f"\nfaults of registering, order by seed {SEED}:", *said, sep="\n  ")


async def _enter(hub: Hub) -> None:
    async with trusting(hub) as operator:
        await operator.post("/v1/edgehosts", json={"metadata": {"uid": UID}, "spec": {}})


async def test_a_clock_that_is_off_is_said_though_it_works(hub: Hub, tmp_path: Path) -> None:
    hub.forget()
    async with applying(tmp_path, (hub.folder / "authority.crt").read_text()) as host:
        host.host.clock = FixedClock(time.time() - 3 * 3600)
        host.set(endpoint=hub.endpoint, token=TOKEN)
        host.begin()
        await host.until("paired")
        async with asyncio.timeout(10):
            while host.step("tls").code != "R124":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert "3 hours behind" in host.step("tls").text


async def test_a_deleted_entry_is_made_again(hub: Hub, host: Applying) -> None:
    host.set(endpoint=hub.endpoint, token=TOKEN)
    host.begin()
    await host.until("paired")
    hub.order("forget")
    async with asyncio.timeout(20):
        while UID not in hub.entries or host.timeline.state != "paired":  # noqa: ASYNC110
            await asyncio.sleep(0.02)


# --- assignment ----------------------------------------------------------------------------------------------------


def cluster_of(uid: str, name: str = "shop-12") -> dict[str, Any]:
    """`v1ClusterConfiguration`: one control plane, the host as the hub knows it."""
    pool = {"name": "control-plane", "isControlPlane": True, "hosts": [{"hostUid": uid, "hostAddress": "192.0.2.10"}]}
    endpoint = {"controlPlaneEndpoint": {"type": "VIP", "host": "192.0.2.10"}}
    cloud = {"spec": {"clusterConfig": endpoint, "machinePoolConfig": [pool]}}
    return {"metadata": {"name": name}, "spec": {"archiveUploadPath": "/nowhere/at-all", "cloudConfig": cloud}}


async def test_an_assignment_in_public_words_is_taken_up_once(hub: Hub, host: Applying) -> None:
    """It is refused at first, as where the content is not there yet; then taken; then the hub wants another one."""
    why_not, taken = [Issue("B124", "error", "", "There is no such definition.", "Import it.")], []

    async def assign(wanted: ClusterConfiguration, uid: str) -> None:
        if why_not:
            raise Refused(*why_not)
        taken.append((wanted.metadata.name if wanted.metadata else "", uid))

    document = hub.folder / "assignment.json"
    document.write_text(json.dumps(cluster_of(UID)))
    try:
        host.set(endpoint=hub.endpoint, token=TOKEN)
        host.begin(replace(FAST, longest=0.2))
        host.registrar.assign = assign
        await host.until("paired")
        hub.order("assign")
        await host.until("in use")
        assert (host.step("cluster").mark, host.step("cluster").code) == ("failed", "B124")
        why_not.clear()
        await until(lambda: host.step("cluster").mark == "ok")
        asked = len(downloads(hub))
        await until(lambda: len(downloads(hub)) > asked + 2)
        assert taken == [("shop-12", UID)], "asked for again and again, taken up once"
        await host.end()
        host.begin(replace(FAST, longest=0.2))
        host.registrar.assign = assign
        document.write_text(json.dumps(cluster_of(UID, "shop-13")))
        await until(lambda: len(taken) > 1)
        assert taken == [("shop-12", UID), ("shop-13", UID)], "a restart does not take the first one up again"
    finally:
        document.unlink()


async def test_an_assignment_in_words_of_a_vendor_is_left_alone(hub: Hub, host: Applying) -> None:
    async def assign(wanted: ClusterConfiguration, uid: str) -> None:
        raise AssertionError(wanted)

    host.set(endpoint=hub.endpoint, token=TOKEN)
    host.begin()
    host.registrar.assign = assign
    await host.until("paired")
    hub.order("assign")
    await host.until("in use")
    await until(lambda: downloads(hub) != [])
    assert (host.step("cluster").mark, host.step("cluster").said) == ("ok", "practice-cluster")


@pytest.mark.parametrize("led", [True, False], ids=["leads", "follows"])
async def test_an_assignment_goes_the_way_of_the_local_path(tmp_path: Path, led: bool) -> None:
    """As POST of the same document: the same refusal. Where another host leads, nothing at all."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("a" * 32)
    app = build(Host(tmp_path, NetlinkKernel(), "user"))
    own = app.state.cluster_hosts.own
    try:
        document = ClusterConfiguration.model_validate(cluster_of("edge-as-the-hub-knows-it"))
        if not led:
            await app.state.registrar.assign(document, "edge-another")
            return
        with pytest.raises(Refused) as refused:
            await app.state.registrar.assign(document, "edge-as-the-hub-knows-it")
        transport = httpx.ASGITransport(app, client=("uid:0", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
            answer = await client.post("/v1/edge-mgmt/cluster", json=cluster_of(own))
        assert refused.value.issues[0].code == "B124"
        assert "B124" in answer.text
    finally:
        app.state.store.close()


def downloads(hub: Hub) -> list[dict[str, Any]]:
    return [request for request in hub.requests if request["path"].endswith("/spc/download")]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - the registrar tells nobody
            await asyncio.sleep(0.02)


# --- away ----------------------------------------------------------------------------------------------------------


async def test_a_hub_that_is_away_for_an_hour_is_met_again_without_a_storm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An hour in nine seconds: every pause of the real timing, four hundred times faster."""
    pace = 400.0
    with practice_hub(tmp_path / "hub") as hub:
        async with applying(tmp_path / "root", (hub.folder / "authority.crt").read_text()) as host:
            host.set(endpoint=hub.endpoint, token=TOKEN)
            hub.order("unwell")
            host.begin(replace(Timing(), pace=pace, look=0.05))
            await asyncio.sleep(3600 / pace)  # the hour itself
            asked, attempts = len(hub.requests), host.timeline.attempts
            hub.order("none")
            await host.until("paired", seconds=600 / pace + 5)
    with capsys.disabled():
        print(f"\nan hour without the hub: {attempts} attempts, {asked} requests")
    assert 8 <= attempts <= 25
    assert asked <= attempts + 2


async def test_try_now(hub: Hub, host: Applying) -> None:
    hub.order("unwell")
    host.set(endpoint=hub.endpoint, token=TOKEN)
    host.begin(replace(FAST, first=3600.0, longest=3600.0))
    await host.until("failed")
    assert host.timeline.next_try > 1000
    hub.order("none")
    host.registrar.try_now()
    await host.until("paired")


# --- on the wire ---------------------------------------------------------------------------------------------------


async def test_requests_are_those_of_the_public_description(
    hub: Hub, host: Applying, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    host.set(endpoint=hub.endpoint, token=TOKEN, tags=["city:berlin", "spare"], project="north")
    host.begin()
    await host.until("paired")
    await host.end()
    described = yaml.safe_load((CODE / "assets/hub-api.yaml").read_text())
    seen = set()
    for request in hub.requests:
        path = re.sub(r"/v1/edgehosts/(?!register)[^/]+", "/v1/edgehosts/{uid}", request["path"])
        operation = described["paths"][path][request["method"].lower()]
        for parameter in operation.get("parameters", []):
            assert violations(request["body"], expanded(parameter["schema"], described["definitions"])) == []
        seen.add(operation["operationId"])
    assert seen == {"v1EdgeHostDevicesRegister", "v1EdgeHostDevicesHealthUpdate", "v1EdgeHostDevicesUidConfigGet"}
    kept = memory.load(host.host)
    for secret in (TOKEN, kept.pairing_key, kept.credential):
        assert secret
        assert secret not in caplog.text
        assert secret not in host.timeline.model_dump_json()
    assert oct(host.host.path(memory.PATH).stat().st_mode)[-3:] == "600"


def expanded(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema with what it refers to in place."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return expanded(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        return {key: expanded(value, definitions) for key, value in schema.items()}
    return [expanded(value, definitions) for value in schema] if isinstance(schema, list) else schema


# --- kills ---------------------------------------------------------------------------------------------------------

FORKING = """
import asyncio, os, sys
from pathlib import Path
from agent.registration import palette, registrar, way
from tests.hub import FAST, player
from tui.services import facts, http
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        asyncio.run(player(Path(line.strip())).run())
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""
"""An agent for each line, which is a root, without the second that Python takes to import it."""


async def test_killed_at_any_moment_there_is_one_entry_and_no_lost_pairing(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGKILL at moments spread over all of registering, each on a fresh host; then the agent starts again."""
    forking = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FORKING, cwd=CODE, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert forking.stdin is not None
    assert forking.stdout is not None
    found = {"before anything": 0, "key on the disk": 0, "entry at the hub": 0, "paired": 0}
    authority = (hub.folder / "authority.crt").read_text()
    for number in range(KILLS):
        hub.forget()
        async with applying(tmp_path / str(number), authority) as host:
            host.set(endpoint=hub.endpoint, token=TOKEN)
            forking.stdin.write(f"{host.host.root}\n".encode())
            pid = int(await forking.stdout.readline())
            await asyncio.sleep(0.02 * 1.16**number)
            if number == KILLS - 1:  # however slow this machine is
                async with asyncio.timeout(20):
                    while not memory.load(host.host).credential:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
            os.kill(pid, signal.SIGKILL)
            assert (await forking.stdout.readline()).strip() == b"ended"
            before, entries = memory.load(host.host), hub.entries
            stage = (bool(before.pairing_key), bool(entries), bool(before.credential))
            found[list(found)[sum(stage)]] += 1
            host.begin()
            await host.until("paired")
            assert list(hub.entries) == [UID]
            assert before.pairing_key in ("", hub.entries[UID]["key"])
            assert before.credential in ("", memory.load(host.host).credential)
    forking.kill()
    await forking.communicate()
    with capsys.disabled():
        print(f"\nkilled {KILLS} times: {found}; each time one entry and one key")
    assert found["key on the disk"] + found["entry at the hub"]
    assert found["paired"]
