"""Jobs: journalled, resumed after a kill at any moment, cancelled in reverse order, paused; never two in one lane."""

from __future__ import annotations

import asyncio
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent import events
from agent.app import build
from agent.jobs import Jobs, Kind, Step, Work
from agent.store import MIGRATIONS, Store, TooNew
from tests.contract import answer_schema, violations
from tui.models.change import Issue, Refused
from tui.services.clock import SystemClock
from tui.services.host import Host
from tui.services.network.kernel import NetlinkKernel

CODE = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "agent.db")
    yield opened
    opened.close()


class Line:
    """A kind of job whose steps write down what they do, and wait where they are told to."""

    def __init__(self, store: Store, steps: int = 3, title: str = "Painting") -> None:
        self.jobs = Jobs(store, SystemClock())
        self.done: list[str] = []
        self.wrong: dict[int, Exception] = {}
        self.gates: dict[int, asyncio.Event] = {}
        self.reached = asyncio.Event()
        self.jobs.add(Kind("paint", title, "cluster", "painting", lambda _a: [self.step(n) for n in range(steps)]))

    def step(self, n: int) -> Step:
        async def run(work: Work) -> None:
            self.done.append(f"begun {n}")
            if n in self.gates:
                self.reached.set()
                await self.gates[n].wait()
            if n in self.wrong:
                raise self.wrong[n]
            work.keep(**{f"of{n}": work.argument["colour"]})
            work.told(1.0, f"{n} is {work.argument['colour']}")
            self.done.append(f"done {n}")

        async def undo(_work: Work) -> None:
            self.done.append(f"undone {n}")

        return Step(f"Painted{n}", f"Paint part {n}", run, undo)

    def state(self, job: str) -> dict[str, Any]:
        row = self.jobs.store.row("SELECT * FROM jobs WHERE id = ?", job)
        assert row is not None
        return self.jobs.shown(row)


def steps_of(shown: dict[str, Any]) -> list[str]:
    return [step["state"] for step in shown["steps"]]


async def test_steps_run_in_order_and_leave_events(store: Store) -> None:
    line = Line(store)
    job = line.jobs.start("paint", {"colour": "red"}, "alice")
    assert await line.jobs.wait(job) == "done"
    assert line.done == [f"{word} {n}" for n in range(3) for word in ("begun", "done")]
    assert steps_of(line.state(job)) == ["done"] * 3
    told = store.rows("SELECT type, status, message FROM events ORDER BY id")
    assert [tuple(r) for r in told[:2]] == [("Painted0", "Unknown", ""), ("Painted0", "True", "0 is red")]
    row = store.row("SELECT argument, who FROM jobs")
    assert row is not None
    assert tuple(row) == ("{}", "alice")


async def test_one_in_a_lane(store: Store) -> None:
    line = Line(store)
    line.gates[1] = asyncio.Event()
    job = line.jobs.start("paint", {"colour": "red"})
    await line.reached.wait()
    with pytest.raises(Refused) as refused:
        line.jobs.start("paint", {"colour": "blue"})
    assert (refused.value.issues[0].code, "Painting" in refused.value.issues[0].text) == ("A120", True)
    assert line.jobs.running("painting") == job
    line.gates[1].set()
    assert await line.jobs.wait(job) == "done"
    second = line.jobs.start("paint", {"colour": "blue"})
    assert await line.jobs.wait(second) == "done"


async def test_a_refusal_says_why_and_a_retry_goes_on_there(store: Store) -> None:
    line = Line(store)
    line.wrong[1] = Refused(Issue("N301", "error", "", "The address is taken.", "Take another."))
    job = line.jobs.start("paint", {"colour": "red"})
    assert await line.jobs.wait(job) == "failed"
    shown = line.state(job)
    assert (shown["code"], steps_of(shown)) == ("N301", ["done", "failed", "waiting"])
    last = store.rows("SELECT * FROM events ORDER BY id")[-1]
    assert (last["status"], last["reason"]) == ("False", "Failed")
    assert last["message"].startswith("N301: The address is taken.")
    line.wrong.clear()
    line.jobs.retry(job)
    assert await line.jobs.wait(job) == "done"
    assert line.done.count("begun 0") == 1
    assert line.done.count("begun 1") == 2


async def test_what_nobody_foresaw_is_in_the_log_and_not_in_the_answer(store: Store, caplog: Any) -> None:
    line = Line(store)
    line.wrong[0] = ZeroDivisionError("secret detail")
    job = line.jobs.start("paint", {"colour": "red"})
    assert await line.jobs.wait(job) == "failed"
    assert line.state(job)["code"] == "X101"
    assert "secret detail" not in str(line.state(job))
    assert "secret detail" in caplog.text
    assert job in caplog.text


async def test_cancel_takes_back_in_reverse_order(store: Store) -> None:
    line = Line(store)
    line.gates[1] = asyncio.Event()
    job = line.jobs.start("paint", {"colour": "red"})
    await line.reached.wait()
    line.jobs.cancel(job)
    assert await line.jobs.wait(job) == "cancelled"
    assert line.done == ["begun 0", "done 0", "begun 1", "undone 1", "undone 0"]
    assert steps_of(line.state(job)) == ["undone", "undone", "waiting"]
    with pytest.raises(Refused) as refused:
        line.jobs.cancel(job)
    assert refused.value.issues[0].code == "A121"


async def test_cancel_before_it_has_begun(store: Store) -> None:
    line = Line(store)
    job = line.jobs.start("paint", {"colour": "red"})
    line.jobs.cancel(job)
    assert await line.jobs.wait(job) == "cancelled"
    assert line.done == []


async def test_a_failed_job_can_be_taken_back(store: Store) -> None:
    line = Line(store)
    line.wrong[1] = Refused(Issue("N301", "error", "", "Taken.", "Take another."))
    job = line.jobs.start("paint", {"colour": "red"})
    await line.jobs.wait(job)
    line.jobs.cancel(job)
    assert await line.jobs.wait(job) == "cancelled"
    assert line.done[-2:] == ["undone 1", "undone 0"]


async def test_pause_and_go_on(store: Store) -> None:
    line = Line(store)
    line.gates[1] = asyncio.Event()
    job = line.jobs.start("paint", {"colour": "red"})
    await line.reached.wait()
    line.jobs.pause(job)
    assert await line.jobs.wait(job) == "paused"
    line.gates[1].set()
    line.jobs.retry(job)
    assert await line.jobs.wait(job) == "done"
    assert not [x for x in line.done if x.startswith("undone")]


async def test_an_agent_that_ends_goes_on_with_it_at_the_next_start(store: Store) -> None:
    line = Line(store)
    line.gates[1] = asyncio.Event()
    job = line.jobs.start("paint", {"colour": "red"})
    await line.reached.wait()
    await line.jobs.stop()
    assert line.state(job)["state"] == "running"
    after = Line(store)
    after.jobs.resume()
    assert await after.jobs.wait(job) == "done"
    assert after.done[0] == "begun 1"
    row = store.row("SELECT kept FROM jobs")
    assert row is not None
    assert row["kept"] == '{"of0": "red", "of1": "red", "of2": "red"}'


async def test_work_of_another_version_is_not_guessed_at(store: Store) -> None:
    line = Line(store)
    line.gates[1] = asyncio.Event()
    job = line.jobs.start("paint", {"colour": "red"})
    await line.reached.wait()
    await line.jobs.stop()
    after = Line(store, steps=4)
    after.jobs.resume()
    assert await after.jobs.wait(job) == "failed"
    assert after.state(job)["code"] == "A122"


PROGRAM = """
import asyncio, sys
from pathlib import Path
from agent.jobs import Jobs, Kind, Step
from agent.store import Store
from tui.services.clock import SystemClock

folder = Path(sys.argv[1])

def step(n):
    async def run(work):
        with (folder / "log").open("a") as log:
            log.write(f"{n}\\n")
        work.keep(**{str(n): n})
        await asyncio.sleep(0)
    return Step(f"Step{n}", f"step {n}", run)

async def main():
    jobs = Jobs(Store(folder / "agent.db"), SystemClock())
    jobs.add(Kind("count", "Counting", "host", "counting", lambda a: [step(n) for n in range(a["steps"])]))
    row = jobs.store.row("SELECT id FROM jobs")
    if row is None:
        job = jobs.start("count", {"steps": 40})
    else:
        job = row["id"]
        jobs.resume()
    print("going", flush=True)
    print(await jobs.wait(job), flush=True)

asyncio.run(main())
"""


def test_killed_at_random_moments_it_ends_all_the_same(tmp_path: Path) -> None:
    chance, kills = random.Random(8), 0
    while True:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        with subprocess.Popen(command, cwd=CODE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "going\n"
            if kills < 6:
                time.sleep(chance.uniform(0.0, 0.02))  # the moment is the thing under test
                process.send_signal(signal.SIGKILL)
                kills += 1
            said = process.stdout.read()  # communicate() would miss what came along with the first line
        if process.returncode == 0:
            break
    assert said == "done\n"
    done = [int(line) for line in (tmp_path / "log").read_text().split()]
    assert sorted(set(done)) == list(range(40))
    assert done == sorted(done)
    assert len(done) <= 40 + kills


# --- the store itself ------------------------------------------------------------------------------------------------


def test_only_its_owner_reads_it(tmp_path: Path, store: Store) -> None:
    store.run("INSERT INTO events (about, type, status, reason, message, happened) VALUES ('host','a','b','c','d',0)")
    files = list(tmp_path.iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_file_of_a_newer_agent_is_left_alone(tmp_path: Path) -> None:
    first = Store(tmp_path / "new.db")
    first.run(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    first.close()
    with pytest.raises(TooNew):
        Store(tmp_path / "new.db")


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "agent.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        Store(tmp_path / "agent.db")
    assert not (tmp_path / "elsewhere").exists()


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    def fill() -> None:
        with store.transaction():
            events.record(store, "host", "A", "True", "", "", 0.0)
            with store.transaction():
                events.record(store, "host", "B", "True", "", "", 0.0)
            raise ValueError("on the way")

    with pytest.raises(ValueError, match="on the way"):
        fill()
    assert store.rows("SELECT * FROM events") == []


# --- events over HTTP ------------------------------------------------------------------------------------------------


@pytest.fixture
async def asked(tmp_path: Path) -> Any:
    app = build(Host(tmp_path, NetlinkKernel(), "user"))
    transport = httpx.ASGITransport(app, client=("uid:0", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        yield app.state, client
    await app.state.jobs.stop()
    app.state.store.close()


async def test_lifecycle_has_the_steps_in_order_and_nothing_of_an_earlier_run(asked: Any) -> None:
    state, client = asked
    line = Line(state.store)
    for colour in ("red", "blue"):
        await line.jobs.wait(line.jobs.start("paint", {"colour": colour}))
    answer = (await client.get("/v1/edge-mgmt/events/lifecycle")).json()
    assert violations(answer, answer_schema("GET", "/v1/edge-mgmt/events/lifecycle", 200)) == []
    (category,) = answer["expectedOrder"]
    assert category["category"] == "Painting"
    assert [c["type"] for c in category["conditionsOrder"]] == ["Painted0", "Painted1", "Painted2"]
    assert {e["message"] for e in answer["clusterEvents"]} == {"", "0 is blue", "1 is blue", "2 is blue"}
    everything = (await client.get("/v1/onsite/events", params={"about": "cluster", "limit": 1000})).json()
    assert len(everything["items"]) == 12


async def test_pages_of_events_meet_without_gap_or_overlap(asked: Any) -> None:
    state, client = asked
    fill(state.store, 250)
    seen, before = [], 2**40
    while True:
        page = (await client.get("/v1/onsite/events", params={"before": before, "limit": 100})).json()
        seen += [event["id"] for event in page["items"]]
        if not page["more"]:
            break
        before = seen[-1]
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 250
    newer = (await client.get("/v1/onsite/events", params={"after": seen[9]})).json()
    assert [event["id"] for event in newer["items"]] == sorted(seen[:9])


@pytest.mark.parametrize("query", [{"limit": "x"}, {"after": "1.5"}, {"before": str(2**70)}, {"about": "moon"}])
async def test_a_question_that_makes_no_sense(asked: Any, query: dict[str, str]) -> None:
    answer = await asked[1].get("/v1/onsite/events", params=query)
    assert answer.status_code == 400
    assert answer.json()["code"] == "BadRequest"


def fill(store: Store, count: int) -> None:
    store.many(
        "INSERT INTO events (about, type, status, reason, message, happened) VALUES ('host', ?, 'True', 'R', ?, ?)",
        [(f"Type{n}", f"message {n}", 1e9 + n) for n in range(count)],
    )


async def quickest(client: httpx.AsyncClient, path: str, times: int = 5) -> float:
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        assert (await client.get(path)).status_code == 200
        found.append(time.perf_counter() - begun)
    return min(found)


async def test_time_grows_no_faster_than_what_is_returned(asked: Any) -> None:
    state, client = asked
    fill(state.store, 1000)
    few, page_of_few = (
        await quickest(client, "/v1/edge-mgmt/events/lifecycle"),
        await quickest(client, "/v1/onsite/events"),
    )
    fill(state.store, 9000)
    many, page_of_many = (
        await quickest(client, "/v1/edge-mgmt/events/lifecycle"),
        await quickest(client, "/v1/onsite/events"),
    )
    print(f"lifecycle: 1000 in {few:.4f} s, 10000 in {many:.4f} s; a page: {page_of_few:.4f} s, {page_of_many:.4f} s")
    assert many < 10 * few * 1.5
    assert page_of_many < 2 * page_of_few + 0.005


def test_old_events_go_away(store: Store, monkeypatch: Any) -> None:
    monkeypatch.setattr(events, "KEPT", 100)
    for n in range(1000):
        events.record(store, "host", f"T{n}", "True", "", "", float(n))
    assert len(store.rows("SELECT id FROM events")) == 100


async def test_jobs_over_http(asked: Any) -> None:
    state, client = asked
    line = Line(state.store)
    state.jobs.kinds = line.jobs.kinds
    line.gates[0] = asyncio.Event()
    job = state.jobs.start("paint", {"colour": "secret colour"})
    await line.reached.wait()
    listed = (await client.get("/v1/onsite/jobs")).json()["items"]
    assert [(x["id"], x["state"], x["steps"][0]["state"]) for x in listed] == [(job, "running", "running")]
    assert "secret" not in str(listed)
    assert (await client.post(f"/v1/onsite/jobs/{job}/cancel")).status_code == 202
    await state.jobs.wait(job)
    assert (await client.get(f"/v1/onsite/jobs/{job}")).json()["state"] == "cancelled"
    again = await client.post(f"/v1/onsite/jobs/{job}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "A121")
    for path in ("/v1/onsite/jobs/none", f"/v1/onsite/jobs/{job}/explode"):
        answer = await (client.post if "explode" in path else client.get)(path)
        assert answer.status_code == 404
