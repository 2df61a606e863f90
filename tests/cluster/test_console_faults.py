"""What goes wrong while a cluster is made, done to real hosts, and the sentence that the console has for it.

Two hosts at their consoles, and a third where it takes three. Each fault is provoked on a host, seen on the screen by
its words and its remedy, and mended; the order is shuffled by a seed, which is printed (ONSITE_SEED repeats one,
ONSITE_FAULTS names some). Part of `make console-cluster`; writes the second table of docs/measured/console-cluster.md.

Not real: clock and version of a host. Nodes share the machine's clock and the project's code, so for those two the
agent of the host is started with another time source, and with another version. All else is done to the host.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

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
OTHER_AGENT = "/run/systemd/system/onsite-agent.service.d"
OTHER = "/etc/systemd/system/containerd.service.d/99-other.conf"
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no engine here: ONSITE_ENGINE_PAYLOAD names no payload folder"),
    pytest.mark.skipif(os.environ.get("ONSITE_FULL") != "1", reason="long: make console-cluster"),
    pytest.mark.timeout(3600),
]


class Seen(NamedTuple):
    """One fault on the screen.

    Attributes:
        knew: seconds from the fault until the agent said so; None where a key made it look.
        took: seconds from then on until the sentence stood on the screen.
    """

    what: str
    where: str
    sentence: str
    knew: float | None
    took: float


@dataclass
class Scene:
    lab: rig.Rig
    desk: Desk
    other: Desk
    third: Desk
    agent: Agent
    away: Agent
    since: int = 0
    """The last event before this fault: an earlier one may have left the same code."""

    def seen(self, *words: str, seconds: float = 60) -> None:
        """All of these on the screen, whatever lines they are broken into there."""
        self.desk.until(lambda: all(word in self.text for word in words), seconds, " / ".join(words))

    @property
    def text(self) -> str:
        """The page as one line, without the column of places."""
        return " ".join(" ".join(line[15:] for line in self.desk.lines[1:-1]).split())

    def sentence(self, *words: str) -> str:
        """What stands on the screen from the first of these words to the end of the sentence with the last.

        Read once the screen is quiet, for half a frame is no sentence; the last, where a form has a clipped one too.
        """
        self.desk.program.settle(0.3, 2.0)
        text = self.text
        starts = [found.start() for found in re.finditer(re.escape(words[0]), text)]
        start = max(place for place in starts if words[-1] in text[place:])
        end = text.index(words[-1], start) + len(words[-1])
        return text[start : max(end, text.find(".", end - 1) + 1)]

    def from_key(self, what: str, where: str, *words: str, key: str = "r") -> Seen:
        """From a key to these words: the agent looks, and what it finds is shown."""
        self.desk.press(key)
        return self.from_now(what, where, *words)

    def from_now(self, what: str, where: str, *words: str) -> Seen:
        began = time.monotonic()
        self.seen(*words)
        took = time.monotonic() - began
        return Seen(what, where, self.sentence(*words), None, took)

    def from_knowing(self, what: str, where: str, knows: Callable[[], bool], *words: str) -> Seen:
        """From the moment at which the agent says so to these words; 0 where the screen was not later."""
        began = time.monotonic()
        known = 0.0
        while True:
            if not known and knows():
                known = time.monotonic()
            self.desk.program.read(0.2)
            now = time.monotonic()
            if all(word in self.text for word in words):
                known = known or now
                return Seen(what, where, self.sentence(*words), known - began, now - known)
            assert now < (known + 60 if known else began + 600), f"not seen: {words}\n{self.desk}\n{self.agent.log()}"

    def told(self, code: str) -> bool:
        """Whether an event of the cluster names this code."""
        found = self.asked(f"/v1/onsite/events?about=cluster&after={self.since}&limit=1000").get("items", [])
        return any(f"{code}: " in item["message"] or item["reason"] == code for item in found)

    def asked(self, path: str) -> dict[str, Any]:
        """What the agent of n1 says; nothing where it does not."""
        words = ("curl", "-sf", "-m", "5", "--unix-socket", "/run/onsite/agent.sock", f"http://agent{path}")
        said: dict[str, Any] = json.loads(self.agent.node.direct(*words) or "{}")
        return said

    def restart(self, agent: Agent, script: str) -> None:
        """The agent of a host anew, after a few words of Python; "" for as it is."""
        if script:
            run = f"{script}; import runpy; runpy.run_module('agent', run_name='__main__')"
            words = f'[Service]\nExecStart=\nExecStart=/usr/bin/python3 -c "{run}"\n'
            agent.node.must(f"mkdir -p {OTHER_AGENT} && cat > {OTHER_AGENT}/other.conf", stdin=words)
        else:
            agent.node.must(f"rm -rf {OTHER_AGENT}")
        agent.node.must("systemctl daemon-reload && systemctl restart onsite-agent")
        agent.answers()

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
        nodes = [lab.node(1), lab.node(2), lab.node(3)]
        agents = [Agent(node) for node in nodes]
        desks = [stack.enter_context(Desk(node)) for node in nodes]
        made = Scene(lab, *desks, *agents[:2])
        errands.follow(desks[1], nodes[0].address, errands.lead(desks[0]))
        desks[0].shows("n2 ", 30)
        desks[0].press("s")
        errands.bring(desks[0], "engine.tar.zst", "shop.tgz")
        errands.synced(desks[0], "n2")
        yield made


SEED = int(os.environ.get("ONSITE_SEED") or random.SystemRandom().randrange(10**6))
CHOSEN = os.environ.get("ONSITE_FAULTS", "").split()
REPORT = Report("line 2")
DONE: set[str] = set()
CHECK = "check of the hosts"


# --- before anything is written ------------------------------------------------------------------------------------


def drafted(scene: Scene) -> None:
    """At the check of the hosts, with nothing in the way: n1, and n2 as a worker."""
    newest = scene.asked("/v1/onsite/events?about=cluster&limit=1").get("items")
    scene.since = newest[0]["id"] if newest else 0
    if "step 6 of 7" not in str(scene.desk):
        errands.draft(scene.desk, "shop", VIP, workers=("n2",))
    errands.fit(scene.desk)


def port_in_use(scene: Scene) -> Seen:
    drafted(scene)
    node = scene.other.node
    node.must("systemd-run --quiet --collect --unit=listener python3 -m http.server 10250")
    rig.wait_for(lambda: node.run("ss -ltn | grep -q :10250").ok, 30)
    seen = scene.from_key("3d.3: a reset that left something listening on n2", CHECK, "K109", "10250", "ss -ltnp")
    node.must("systemctl stop listener")
    scene.desk.press("r")
    return seen


def full_disk(scene: Scene) -> Seen:
    drafted(scene)
    node = scene.other.node
    node.must("mount -t tmpfs -o size=64M tmpfs /var/lib/containerd")
    seen = scene.from_key("the disk of n2 is full", CHECK, "K103", "GiB free", "Free space")
    node.must("umount /var/lib/containerd")
    scene.desk.press("r")
    return seen


def clock_off(scene: Scene) -> Seen:
    drafted(scene)
    scene.restart(scene.away, "import time; real = time.time; time.time = lambda: real() + 7200")
    rig.wait_for(lambda: scene.other.node.run("ss -ltn | grep -q :5081").ok, 60)
    words = ("K110 The clocks of the hosts differ by 7200 s.", "Set a time server on all of them")
    seen = scene.from_key("the clock of n2 two hours off (its agent's time source)", CHECK, *words)
    scene.restart(scene.away, "")
    scene.desk.press("r")
    return seen


def image_missing(scene: Scene) -> Seen:
    drafted(scene)
    scene.desk.press("escape")
    errands.bring(scene.desk, "lacking.tar.zst")
    scene.resumed()
    words = ("K116", "lacks images", "Make the bundle again")
    seen = scene.from_now("3d.5: the bundle lacks images of the engine", CHECK, *words)
    scene.desk.press("escape")
    scene.other.press("7")
    scene.other.shows("lacking 1.0.0", 300)
    scene.dropped(scene.desk, "lacking")
    scene.dropped(scene.other, "lacking")
    scene.resumed()
    return seen


def definition_lacks(scene: Scene) -> Seen:
    drafted(scene)
    scene.desk.press("escape")
    errands.bring(scene.desk, "till.tgz")
    _definition(scene, "till 1.0.0")
    words = ("K116", "registry.example/shop/till:2.1", "Import a bundle")
    seen = scene.from_now("a definition whose images no bundle has", CHECK, *words)
    scene.desk.press("escape")
    scene.dropped(scene.desk, "till")
    _definition(scene, "base 1.0.0")
    return seen


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


def other_version(scene: Scene) -> Seen:
    drafted(scene)
    scene.desk.press("^O")
    scene.desk.shows("step 5 of 7")
    scene.restart(scene.away, "import tui; tui.__version__ = '0.0.9'")
    status = "/v1/edge-mgmt/edgehosts/current/link/status"
    seen = scene.from_knowing(
        "n2 follows with another version (its agent says so)", "nodes", lambda: "0.0.9" in str(scene.asked(status)),
        "K426", "n2 has version 0.0.9", "Install the newer version",
    )  # fmt: skip
    scene.restart(scene.away, "")
    scene.desk.shows_no("K426", 120)
    scene.desk.press("^X")
    scene.desk.shows("step 6 of 7")
    return seen


def vip_taken(scene: Scene) -> Seen:
    drafted(scene)
    desk = scene.desk
    scene.lab.on_switch("addr", "add", f"{TAKEN}/24", "dev", "br0")
    desk.press("^O")
    desk.shows("step 5 of 7")
    desk.press("^O")
    desk.shows("step 4 of 7")
    desk.press("tab", "^A", "^K")
    desk.type(TAKEN)
    words = (f"{TAKEN} is in use: the machine with the MAC", "Take another address")
    seen = scene.from_key("another machine has the address of the cluster", "address", *words, key="tab")
    desk.press("up", "^A", "^K")
    desk.type(VIP)
    desk.press("tab")
    desk.shows(f"Nobody answers at {VIP}")
    for step in (5, 6):
        desk.press("^X")
        desk.shows(f"step {step} of 7", 30)
    scene.lab.on_switch("addr", "del", f"{TAKEN}/24", "dev", "br0")
    return seen


# --- while it is made ----------------------------------------------------------------------------------------------


def begun(scene: Scene) -> None:
    """A cluster of n1 with n2 as a worker, being made."""
    drafted(scene)
    errands.make(scene.desk, "shop")


def breaks(node: rig.Node) -> None:
    """From now on no pod starts there; what runs goes on."""
    node.must(f"cp {RUNC} /root/runc && printf '#!/bin/sh\\necho broken by a test >&2; exit 1\\n' > {RUNC}")


def mends(node: rig.Node) -> None:
    node.must(f"cp /root/runc {RUNC}")


def no_pods(scene: Scene) -> Seen:
    breaks(scene.other.node)
    begun(scene)
    seen = scene.from_knowing(
        "3d.1: the runtime of n2 runs and starts no pod", "Watch", lambda: scene.told("K204"),
        "K204", "n2: This host cannot start pods", "Mend what is named",
    )  # fmt: skip
    mends(scene.other.node)
    errands.undo(scene.desk)
    return seen


def second_member(scene: Scene) -> Seen:
    """The second of three control planes is announced to etcd, which then needs two, and starts no pod."""
    desk, second = scene.desk, scene.other.node
    drafted(scene)
    desk.press("escape")
    errands.follow(scene.third, desk.node.address, errands.lead(desk))
    desk.shows("n3 ", 30)
    desk.press("s")
    errands.synced(desk, "n2", "n3")
    scene.resumed()
    desk.press("^O")
    desk.shows("step 5 of 7")
    errands.role(desk, "n2", 2)
    errands.role(desk, "n3", 1)
    desk.shows("3 hosts")
    desk.press("^X")
    desk.shows("step 6 of 7")
    errands.make(desk, "shop")
    # No pod starts on a joining host before its certificates are there.
    rig.wait_for(lambda: second.run("test -e /etc/kubernetes/pki/ca.crt").ok, 600, lambda: str(desk))
    breaks(second)
    seen = scene.from_knowing(
        "3d.2: n2 is announced to etcd as the second member and never comes", "Watch", lambda: scene.told("K210"),
        "K210", "n2 did not join", "Mend what is named",
    )  # fmt: skip
    mends(second)
    errands.undo(desk)
    return seen


def other_config(scene: Scene) -> Seen:
    node = scene.other.node
    node.must(
        "containerd config default > /etc/other.toml && "
        f"printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/containerd --config /etc/other.toml\\n' > {OTHER} && "
        "systemctl daemon-reload && systemctl restart containerd"
    )
    begun(scene)
    seen = scene.from_knowing(
        "3d.4: the runtime of n2 runs with another configuration", "Watch", lambda: scene.told("K202"),
        "K202", "n2: The container runtime does not use", "Look for another containerd configuration",
    )  # fmt: skip
    node.must(f"rm {OTHER} && systemctl daemon-reload && systemctl restart containerd")
    errands.undo(scene.desk)
    return seen


def dies(scene: Scene) -> Seen:
    begun(scene)
    scene.seen(".. Hosts are prepared")
    scene.other.node.cut()
    words = ("K125", "n2 is away", "Switch it on")
    what = "the power of n2 is cut while it is prepared"
    seen = scene.from_knowing(what, "Watch", lambda: scene.told("K125"), *words)
    scene.other.node.boot()
    scene.away.answers()
    scene.other.again()
    scene.desk.shows_no("K125", 300)
    errands.undo(scene.desk)
    return seen


def deaf(scene: Scene) -> Seen:
    node = scene.other.node
    begun(scene)
    stop = "pid=$(pgrep -x kube-proxy) && kill -STOP $pid"
    rig.wait_for(lambda: node.run(stop).ok, 600, lambda: str(scene.desk))
    seen = scene.from_knowing(
        "3d.6: kube-proxy of n2 hears of no new service", "Watch", lambda: scene.told("K209"),
        "K209", "n2 has not heard of a new service", "restarted, then it is asked again",
    )  # fmt: skip
    errands.watched(scene.desk, "shop")
    scene.desk.press("escape")
    errands.delete(scene.desk, "shop")
    return seen


def left_behind(scene: Scene) -> Seen:
    node = scene.other.node
    begun(scene)
    errands.watched(scene.desk, "shop")
    scene.desk.press("escape")
    take = "until python3 -m http.server 10250; do sleep 0.1; done"
    node.must(f"systemd-run --quiet --unit=squatter sh -c '{take}'")
    errands.asked_to_delete(scene.desk, "shop")
    seen = scene.from_knowing(
        "3d.3: something takes a port of the engine while n2 is reset", "Watch", lambda: scene.told("K212"),
        "K212", "Left behind", "port 10250", "Try again",
    )  # fmt: skip
    node.must("systemctl stop squatter")
    scene.desk.press("escape")
    errands.delete(scene.desk, "shop")
    return seen


FAULTS = (
    port_in_use, full_disk, clock_off, image_missing, definition_lacks, other_version, vip_taken,
    no_pods, second_member, other_config, dies, deaf, left_behind,
)  # fmt: skip


def as_before(scene: Scene) -> None:
    """After a fault that was not seen: all of it taken away, so that the others can be tried."""
    desk, node = scene.desk, scene.other.node
    if not node.powered:
        node.boot()
        scene.other.again()
    mended = f"systemctl stop squatter listener; umount /var/lib/containerd; test -e /root/runc && cp /root/runc {RUNC}"
    node.run(f"{mended}; rm -f {OTHER}; systemctl daemon-reload; systemctl restart containerd")
    scene.restart(scene.away, "")
    scene.away.answers()
    with suppress(AssertionError):
        scene.lab.on_switch("addr", "del", f"{TAKEN}/24", "dev", "br0")
    desk.again()
    desk.press("9")
    desk.until(lambda: any(w in str(desk) for w in ("in no cluster", "Watch ", "Delete ")), 60, "the cluster")
    if "Delete " in str(desk):
        errands.delete(desk, "shop")
    elif "Watch " in str(desk):
        desk.to("Watch ")
        desk.press("enter")
        errands.undo(desk)
    if "Throw that draft away" in str(desk):
        desk.to("Throw that draft away")
        desk.press("enter")
        desk.shows("Throw the draft away?")
        desk.press("y")


def test_every_fault_is_seen_with_its_remedy(scene: Scene) -> None:
    order = list(FAULTS)
    random.Random(SEED).shuffle(order)
    print(f"seed {SEED}: {', '.join(f.__name__ for f in order)}")
    REPORT.note = f"Order shuffled by the seed {SEED} (`ONSITE_SEED={SEED}` repeats it)."
    missed = []
    for fault in (f for f in order if not CHOSEN or f.__name__ in CHOSEN):
        try:
            seen = fault(scene)
        except AssertionError as error:
            print(f"{fault.__name__}: {error}", flush=True)
            missed.append(fault.__name__)
            REPORT.row(fault.__name__, "", "not seen", "", "")
            as_before(scene)
        else:
            knew = "" if seen.knew is None else f"{seen.knew:.1f}"
            REPORT.row(seen.what, seen.where, seen.sentence, knew, f"{seen.took:.1f}")
            if seen.took > WITHIN:
                missed.append(f"{fault.__name__}, {seen.took:.1f} s")
        DONE.add(fault.__name__)
    assert not missed


def test_the_table_is_written() -> None:
    """Only where every fault was tried: a part must not take the place of the whole."""
    assert {f.__name__ for f in FAULTS} == DONE
    REPORT.write()
