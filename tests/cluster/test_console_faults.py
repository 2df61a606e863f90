"""What goes wrong while a cluster is made, done to real hosts, and the sentence that the console has for it.

Two hosts at their consoles. Each fault is provoked on a host, seen on the screen by its words and its remedy, and
mended; the order is shuffled by a seed, which is printed (ONSITE_SEED repeats one). Part of `make console-cluster`;
writes the second table of docs/measured/console-cluster.md.

Not real: clock and version of a host. Nodes share the machine's clock and the project's code, so for those two the
agent of the host is started with another time source, and with another version. All else is done to the host.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster import errands, other_content, rig
from tests.cluster.asking import STICK, Agent, stick_for
from tests.cluster.console_report import Report
from tests.cluster.desk import Desk
from tests.cluster.reach import PAYLOAD

FOLDER = rig.payload()
VIP, TAKEN = "10.66.0.100", "10.66.0.77"
WITHIN = 10.0
"""Seconds from the agent's knowing to the screen."""
RUNC = "/usr/lib/sandbox-quirks/runc"
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no engine here: ONSITE_ENGINE_PAYLOAD names no payload folder"),
    pytest.mark.skipif(os.environ.get("ONSITE_FULL") != "1", reason="long: make console-cluster"),
    pytest.mark.timeout(3600),
]


@dataclass
class Scene:
    lab: rig.Rig
    desk: Desk
    other: Desk
    agent: Agent
    away: Agent

    def seen(self, *words: str, seconds: float = 60) -> None:
        """All of these on the screen, whatever lines they are broken into there."""
        self.desk.until(lambda: all(word in self.text for word in words), seconds, " / ".join(words))

    @property
    def text(self) -> str:
        """The page as one line, without the column of places."""
        return " ".join(" ".join(line[15:] for line in self.desk.lines[1:-1]).split())

    def from_key(self, *words: str) -> float:
        """Seconds from R to these words: the agent looks, and what it finds is shown."""
        self.desk.press("r")
        began = time.monotonic()
        self.seen(*words)
        return time.monotonic() - began

    def from_knowing(self, what: Callable[[], bool], *words: str, seconds: float = 400) -> float:
        """Seconds from the moment at which the agent says so to these words; 0 where the screen was not later."""
        end, known = time.monotonic() + seconds, 0.0
        while True:
            if not known and what():
                known = time.monotonic()
            self.desk.program.read(0.2)
            if all(word in self.text for word in words):
                return max(0.0, time.monotonic() - known) if known else 0.0
            assert time.monotonic() < end, f"not seen: {words}\n{self.desk}\n{self.agent.log()}"

    def told(self, code: str) -> bool:
        """Whether an event of the cluster names this code."""
        found = self.agent.get("/v1/onsite/events?about=cluster&limit=200")["items"]
        return any(f"{code}: " in item["message"] or item["reason"] == code for item in found)

    def restart(self, agent: Agent, script: str) -> None:
        """The agent of a host anew, after a few words of Python; "" for as it is."""
        agent.node.must("systemctl stop onsite-agent; systemctl reset-failed; true")
        if not script:
            agent.start()
            return
        run = f"{script}; import runpy; runpy.run_module('agent', run_name='__main__')"
        agent.node.must(
            f'systemd-run --quiet --unit=onsite-agent --setenv=PYTHONDONTWRITEBYTECODE=1 python3 -c "{run}"'
        )

    def resumed(self) -> None:
        """Back in the draft, at the check of the hosts."""
        self.desk.press("9")
        self.desk.shows("Go on with")
        self.desk.to("Go on with")
        self.desk.press("enter")
        self.desk.shows("of 7")

    def dropped(self, desk: Desk, name: str) -> None:
        """Delete content at a console."""
        desk.press("7")
        desk.shows(name, 300)
        desk.to(name)
        desk.press("d")
        desk.shows("Delete this content?")
        desk.press("y")
        desk.until(lambda: not any(f" {name}" in line and " 1." in line for line in desk.lines), 60, f"no {name}")


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    if why := rig.missing():
        pytest.skip(why)
    assert FOLDER is not None
    with ExitStack() as stack:
        stick = stack.enter_context(stick_for(FOLDER))
        other_content.definition(stick, "till", other_content.greedy)
        other_content.bundle_without(stick, FOLDER, "lacking", "kube-", "busybox")
        lab = stack.enter_context(rig.Rig({FOLDER: PAYLOAD, stick: STICK}))
        nodes = [lab.node(1), lab.node(2)]
        agents = [Agent(node) for node in nodes]
        desks = [stack.enter_context(Desk(node)) for node in nodes]
        made = Scene(lab, *desks, *agents)
        errands.follow(desks[1], nodes[0].address, errands.lead(desks[0]))
        desks[0].shows("n2 ", 30)
        desks[0].press("s")
        errands.bring(desks[0], "engine.tar.zst", "shop.tgz")
        errands.synced(desks[0], "n2")
        yield made


REPORT = Report("line 2")
DONE: set[str] = set()


# --- before anything is written ------------------------------------------------------------------------------------


def port_in_use(scene: Scene) -> tuple[str, str, float]:
    node = scene.other.node
    node.must("systemd-run --quiet --unit=squatter python3 -m http.server 10250")
    rig.wait_for(lambda: node.run("ss -ltn | grep -q :10250").ok, 30)
    took = scene.from_key("K109", "10250", "ss -ltnp")
    node.must("systemctl stop squatter")
    return "3d.3: a reset that left something listening on n2", "check of the hosts", took


def full_disk(scene: Scene) -> tuple[str, str, float]:
    node = scene.other.node
    node.must("mount -t tmpfs -o size=64M tmpfs /var/lib/containerd")
    took = scene.from_key("K103", "GiB free", "Free space")
    node.must("umount /var/lib/containerd")
    return "the disk of n2 is full", "check of the hosts", took


def clock_off(scene: Scene) -> tuple[str, str, float]:
    scene.restart(scene.away, "import time; real = time.time; time.time = lambda: real() + 7200")
    rig.wait_for(lambda: scene.other.node.run("ss -ltn | grep -q :5081").ok, 60)
    took = scene.from_key("K110 The clocks of the hosts differ by 7200 s.", "Name & time")
    scene.restart(scene.away, "")
    return "the clock of n2 two hours off (its agent's time source)", "check of the hosts", took


def image_missing(scene: Scene) -> tuple[str, str, float]:
    scene.desk.press("escape")
    errands.bring(scene.desk, "lacking.tar.zst")
    scene.resumed()
    began = time.monotonic()
    scene.seen("K116", "lacks images", "Make the bundle again")
    took = time.monotonic() - began
    scene.desk.press("escape")
    scene.other.press("7")
    scene.other.shows("lacking 1.0.0", 300)
    scene.dropped(scene.desk, "lacking")
    scene.dropped(scene.other, "lacking")
    scene.resumed()
    return "3d.5: the bundle lacks images of the engine", "check of the hosts", took


def definition_lacks(scene: Scene) -> tuple[str, str, float]:
    scene.desk.press("escape")
    errands.bring(scene.desk, "till.tgz")
    _definition(scene, "till 1.0.0")
    began = time.monotonic()
    scene.seen("K116", "registry.example/shop/till:2.1", "Import a bundle")
    took = time.monotonic() - began
    scene.desk.press("escape")
    scene.dropped(scene.desk, "till")
    _definition(scene, "base 1.0.0")
    return "a definition whose images no bundle has", "check of the hosts", took


def _definition(scene: Scene, title: str) -> None:
    """From the draft back to its definition, another one, and on to the check of the hosts."""
    desk = scene.desk
    scene.resumed()
    for step in (5, 4, 3, 2):
        desk.press("^O")
        desk.shows(f"step {step} of 7", 30)
    desk.shows(title)
    desk.to(title)
    desk.press("enter")
    for step in (3, 4, 5):
        desk.shows(f"step {step} of 7", 30)
        desk.press("^X")
    desk.shows("step 6 of 7", 60)


def other_version(scene: Scene) -> tuple[str, str, float]:
    scene.desk.press("^O")
    scene.desk.shows("step 5 of 7")
    scene.restart(scene.away, "import tui; tui.__version__ = '0.0.9'")
    status = "/v1/edge-mgmt/edgehosts/current/link/status"
    took = scene.from_knowing(
        lambda: "0.0.9" in str(scene.agent.get(status)), "K426", "n2 has version 0.0.9", "Bring all hosts to one"
    )
    scene.restart(scene.away, "")
    scene.desk.shows_no("K426", 120)
    scene.desk.press("^X")
    scene.desk.shows("step 6 of 7")
    return "n2 follows with another version (its agent says so)", "nodes", took


def vip_taken(scene: Scene) -> tuple[str, str, float]:
    desk = scene.desk
    scene.lab.on_switch("addr", "add", f"{TAKEN}/24", "dev", "br0")
    desk.press("^O")
    desk.shows("step 5 of 7")
    desk.press("^O")
    desk.shows("step 4 of 7")
    desk.press("tab", "^A", "^K")
    desk.type(TAKEN)
    desk.press("tab")
    began = time.monotonic()
    scene.seen(f"{TAKEN} is in use: the machine with the MAC", "Take another address")
    took = time.monotonic() - began
    desk.press("up", "^A", "^K")
    desk.type(VIP)
    desk.press("tab")
    desk.shows(f"Nobody answers at {VIP}")
    for step in (5, 6):
        desk.press("^X")
        desk.shows(f"step {step} of 7", 30)
    scene.lab.on_switch("addr", "del", f"{TAKEN}/24", "dev", "br0")
    return "another machine has the address of the cluster", "address", took


BEFORE = (port_in_use, full_disk, clock_off, image_missing, definition_lacks, other_version, vip_taken)


# --- while it is made ----------------------------------------------------------------------------------------------


def _begun(scene: Scene) -> None:
    """A cluster of n1 with n2 as a worker, being made; from the draft, where there is one."""
    if "step 6 of 7" not in str(scene.desk):
        errands.draft(scene.desk, "shop", VIP, workers=("n2",))
    errands.make(scene.desk, "shop")


def no_pods(scene: Scene) -> tuple[str, str, float]:
    node = scene.other.node
    node.must(f"cp {RUNC} /root/runc && printf '#!/bin/sh\\necho broken by a test >&2; exit 1\\n' > {RUNC}")
    _begun(scene)
    took = scene.from_knowing(lambda: scene.told("K204"), "K204", "cannot start pods", "Mend what is named")
    node.must(f"cp /root/runc {RUNC}")
    errands.undo(scene.desk)
    return "3d.1: the runtime of n2 runs and starts no pod", "Watch", took


def other_config(scene: Scene) -> tuple[str, str, float]:
    node, place = scene.other.node, "/etc/systemd/system/containerd.service.d/99-other.conf"
    node.must(
        "containerd config default > /etc/other.toml && "
        f"printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/containerd --config /etc/other.toml\\n' > {place} && "
        "systemctl daemon-reload && systemctl restart containerd"
    )
    _begun(scene)
    took = scene.from_knowing(lambda: scene.told("K202"), "K202")
    node.must(f"rm {place} && systemctl daemon-reload && systemctl restart containerd")
    errands.undo(scene.desk)
    return "3d.4: the runtime of n2 runs with another configuration", "Watch", took


def dies(scene: Scene) -> tuple[str, str, float]:
    _begun(scene)
    scene.seen(".. Hosts are prepared")
    scene.other.node.cut()
    took = scene.from_knowing(lambda: scene.told("K125"), "K125", "n2 is away", "Switch it on")
    scene.other.node.boot()
    scene.away.start()
    scene.desk.shows_no("K125", 300)
    errands.undo(scene.desk)
    return "the power of n2 is cut while it is prepared", "Watch", took


def deaf(scene: Scene) -> tuple[str, str, float]:
    node = scene.other.node
    _begun(scene)
    stop = "pid=$(pgrep -x kube-proxy) && kill -STOP $pid"
    rig.wait_for(lambda: node.run(stop).ok, 600, lambda: str(scene.desk))
    took = scene.from_knowing(lambda: scene.told("K209"), "K209", "has not heard of a new service")
    errands.watched(scene.desk, "shop")
    errands.delete(scene.desk, "shop")
    return "3d.6: kube-proxy of n2 hears of no new service", "Watch", took


DURING = (no_pods, other_config, dies, deaf)


def _tried(scene: Scene, faults: list[Any]) -> None:
    for fault in faults:
        what, where, took = fault(scene)
        REPORT.row(what, where, "sentence with remedy", f"{took:.1f}")
        assert took < WITHIN, (what, took)
        DONE.add(fault.__name__)


def _shuffled(faults: tuple[Any, ...]) -> list[Any]:
    seed = int(os.environ.get("ONSITE_SEED") or random.SystemRandom().randrange(10**6))
    order = list(faults)
    random.Random(seed).shuffle(order)
    print(f"seed {seed}: {', '.join(f.__name__ for f in order)}")
    REPORT.note += f"Order shuffled by the seed {seed}. "
    chosen = os.environ.get("ONSITE_FAULTS", "").split()
    return [f for f in order if not chosen or f.__name__ in chosen]


def test_before_anything_is_written(scene: Scene) -> None:
    errands.draft(scene.desk, "shop", VIP, workers=("n2",))
    errands.fit(scene.desk)
    _tried(scene, _shuffled(BEFORE))


def test_while_it_is_made(scene: Scene) -> None:
    _tried(scene, _shuffled(DURING))


def test_the_table_is_written() -> None:
    """Only where every fault was tried: a part must not take the place of the whole."""
    assert {f.__name__ for f in (*BEFORE, *DURING)} == DONE
    REPORT.write()
