"""Registers the host, stays registered, and says how it stands: one round after the other, for as long as it runs.

Whoever is away is asked more and more seldom, each time after a pause with some chance in it, so that a thousand hosts
do not come back at once. Nothing is sent in local mode, and nothing while a change of the registration may still be
taken back.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent import host as described
from agent.registration import memory, way
from agent.registration.memory import Memory
from agent.registration.palette import Palette, not_entered
from agent.registration.plane import Applicant, Forgotten, Plane, Trouble
from tui.models.change import Issue, Refused
from tui.models.timeline import LABELS, Mark, State, Step, Timeline
from tui.services import facts, reading, registration
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.contract.cluster import ClusterConfiguration
    from tui.models.registration import RegistrationConfig

PENDING = "/var/lib/onsite/pending.json"
SKEWED = 300.0
"""Seconds that the clocks may differ: what signed tokens commonly allow."""
HARDWARE = ("archType", "cpu", "memory", "disks", "os")
"""What a management plane is told of the machine: where its shapes are those of the local API."""
log = logging.getLogger("agent")


@dataclass(frozen=True, slots=True)
class Timing:
    """All in seconds. `pace`: how many times faster than life, for practice and tests."""

    first: float = 5.0
    longest: float = 600.0
    approval: float = 30.0
    heartbeat: float = 60.0
    look: float = 1.0
    step: float = 10.0
    pace: float = 1.0

    def after(self, failures: int, dice: random.Random) -> float:
        """The pause after so many failures in a row: doubled each time, and by chance down to half of that."""
        whole = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return whole * dice.uniform(0.5, 1.0)


class Registrar:
    """One host's registration.

    Attributes:
        timeline: how it stands.
        assign: takes up a cluster that the plane wants of the host that it knows by this id; raises Refused.
    """

    def __init__(
        self, host: Host, timing: Timing | None = None, plane: Callable[[str, Host], Plane] = Palette,
        dice: random.Random | None = None,
    ) -> None:  # fmt: skip
        self.host, self.timing, self._plane = host, timing or Timing(), plane
        self.dice = dice or random.Random()  # noqa: S311 - chance, not secrecy
        self.timeline = Timeline()
        self._wake = asyncio.Event()
        self._failures, self._look, self._due, self._kept = 0, True, 0.0, ""
        self.assign: Callable[[ClusterConfiguration, str], Awaitable[None]] | None = None
        self._looked_for: tuple[str, ...] = ()
        self._look_again = 0.0

    def try_now(self) -> None:
        """Do not wait for the next try."""
        self._look = True
        self._wake.set()

    def told(self) -> Timeline:
        """The timeline, with the seconds that are left until the next try."""
        left = max(0.0, self._due - asyncio.get_running_loop().time()) if self._due else -1.0
        return self.timeline.model_copy(update={"next_try": left})

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                pause = await self._round()
            except Exception:
                log.exception("registration")
                self._failures += 1
                pause = self.timing.after(self._failures, self.dice)
            await self._wait(pause)

    async def _wait(self, pause: float) -> None:
        """Until the pause is over, somebody wants it now, or the settings differ; a negative pause has no end."""
        loop = asyncio.get_running_loop()
        self._due = loop.time() + pause / self.timing.pace if pause >= 0 else 0.0
        while not self._due or loop.time() < self._due:
            left = self._due - loop.time() if self._due else self.timing.look
            try:
                await asyncio.wait_for(self._wake.wait(), max(0.01, min(self.timing.look, left)))
            except TimeoutError:
                if self._settings() != self._kept:
                    self._failures, self._look = 0, True
                    break
            else:
                break
        self._wake.clear()
        self._due = 0.0

    def _settings(self) -> str:
        """What decides what is done: the settings, and whether a change waits."""
        text = reading.text(self.host, registration.KEPT)
        name = "" if text is None else hashlib.sha256(text.encode()).hexdigest()
        return f"{name}{' waits' if os.path.lexists(self.host.path(PENDING)) else ''}"

    # --- one round -------------------------------------------------------------------------------------------------

    async def _round(self) -> float:
        """One round; returns the seconds until the next, negative for none."""
        self._kept = self._settings()
        digest, _, waits = self._kept.partition(" ")
        config = registration.of(self.host)
        if config is None:
            self.timeline = Timeline() if not digest else _unreadable()
            return -1.0
        if config.mode == "local":
            self.timeline = Timeline(state="local")
            return -1.0
        uid, source = registration.host_id(config, self.host)
        self._begin(config, uid, source)
        if waits and memory.load(self.host).config != digest:
            self.timeline = self.timeline.model_copy(update={"state": "held"})
            return -1.0
        if not uid:
            raise RuntimeError("no host id")
        kept = memory.prepared(self.host, config.endpoint, uid, config.secrets.get("pairing_key", ""), digest)
        self._remember(kept)
        try:
            pause = await self._stand(config, kept)
        except Trouble as trouble:
            return self._failed(trouble)
        self._failures = 0
        return pause

    async def _stand(self, config: RegistrationConfig, kept: Memory) -> float:
        """Come as far as possible now."""
        if self._look:
            for step, said, notes in await way.look(self.host, config.endpoint, kept.uid, limit=self.timing.step):
                self._done(step, said, notes)
            self._look = False
        plane = self._plane(config.endpoint, self.host)
        try:
            if not kept.credential:
                kept = await self._register(plane, config, kept)
                if not kept.credential:
                    return self.timing.approval * self.dice.uniform(0.8, 1.2)
            kept = await self._live(plane, kept)
        except Forgotten:
            memory.save(self.host, replace(kept, credential="", times={}))
            text = f"{config.endpoint} does not accept this host any more."
            issue = Issue("R134", "error", "", text, "It registers again by itself.")
            raise Trouble("paired", issue) from None
        finally:
            self._clock(plane)
        return self.timing.heartbeat * self.dice.uniform(0.8, 1.2)

    async def _register(self, plane: Plane, config: RegistrationConfig, kept: Memory) -> Memory:
        standing = await plane.register(await self._applicant(config, kept))
        self._done("token" if config.way == "token" else "", config.project or "default project")
        if standing.state == "unpaired":
            raise Trouble("known", not_entered(config.endpoint, kept.uid), waits=True)
        kept = memory.save(self.host, replace(kept, credential=standing.credential or kept.pairing_key))
        self._done("known", f"as {kept.uid}")
        self._done("paired", standing.state)
        return self._noted(kept, "token", "known", "paired")

    async def _live(self, plane: Plane, kept: Memory) -> Memory:
        await plane.health(kept.uid, kept.credential)
        self._done("heartbeat", "answered")
        clusters = await plane.clusters(kept.uid, kept.credential)
        kept, why_not = await self._assigned(plane, kept, clusters)
        if why_not is not None:
            self._set("cluster", "failed", time=self.host.clock.now(), said=", ".join(clusters), issue=why_not)
        elif clusters:
            self._done("cluster", ", ".join(clusters))
        self._state("in use" if clusters else "paired")
        return self._noted(kept, "heartbeat", *(["cluster"] if clusters else []))

    async def _assigned(self, plane: Plane, kept: Memory, clusters: tuple[str, ...]) -> tuple[Memory, Issue | None]:
        """Take up an assignment that is in public words, once for each; one that was refused is tried again."""
        loop = asyncio.get_running_loop()
        if self.assign is None or not clusters or (clusters == self._looked_for and loop.time() < self._look_again):
            return kept, None
        self._looked_for, self._look_again = clusters, loop.time() + self.timing.longest / self.timing.pace
        wanted = await plane.assignment(kept.uid, kept.credential)
        if wanted is None:
            return kept, None
        name = hashlib.sha256(json.dumps(wanted.sent(), sort_keys=True).encode()).hexdigest()
        if name == kept.assigned:
            return kept, None
        try:
            await self.assign(wanted, kept.uid)
        except Refused as refused:
            log.warning("assignment: %s", refused)
            self._looked_for = ()
            return kept, refused.issues[0]
        log.info("assignment: taken up")
        return memory.save(self.host, replace(kept, assigned=name)), None

    async def _applicant(self, config: RegistrationConfig, kept: Memory) -> Applicant:
        def read() -> Applicant:
            info, links = described.edge_host_info(self.host), facts.read(self.host, files=False).links
            nics = info["spec"]["networkInfo"]
            first = next((n for n in nics if n.get("isDefault") and n.get("ip")), None)
            first = first or next((n for n in nics if n.get("ip")), nics[0] if nics else {})
            state = "cluster" if info["status"]["isClusterPhase"] else "registration"
            hardware = {k: v for k, v in info["spec"]["hardwareSpec"].items() if k in HARDWARE}
            device = hardware | {"nics": nics, "hostState": state, "hostType": "agent-mode"}
            token = config.secrets.get("token", "") if config.way == "token" else ""
            mac = str(first.get("macAddr", "")) if links else ""
            return Applicant(
                kept.uid, kept.pairing_key, token, config.project, config.tags, str(first.get("ip", "")), mac, device
            )

        return await asyncio.to_thread(read)

    # --- what is told ----------------------------------------------------------------------------------------------

    def _begin(self, config: RegistrationConfig, uid: str, source: str) -> None:
        """A timeline for these settings; one that is there goes on."""
        same = (self.timeline.endpoint, self.timeline.host_id, self.timeline.way) == (config.endpoint, uid, config.way)
        known = {s.name: s for s in self.timeline.steps} if same else {}
        steps = [known.get(name) or Step(name=name) for name in LABELS]
        if config.way == "manual":
            steps = [Step(name="token", mark="not needed", said="by hand") if s.name == "token" else s for s in steps]
        goes_on = same and self.timeline.state not in ("not set up", "local", "held")
        self.timeline = Timeline(
            state=self.timeline.state if goes_on else "trying",
            endpoint=config.endpoint, host_id=uid, host_id_from=source, way=config.way, steps=steps,
            attempts=self.timeline.attempts + 1 if same else 1,
        )  # fmt: skip

    def _remember(self, kept: Memory) -> None:
        """After a restart: steps that were made before stand there with their time."""
        for step in self.timeline.steps:
            if not step.mark and step.name in kept.times:
                self._set(step.name, "ok", time=kept.times[step.name], said="earlier")

    def _noted(self, kept: Memory, *steps: str) -> Memory:
        """Times of first success survive a power cut."""
        made = {s.name: s.time for s in self.timeline.steps}
        new = {name: made[name] for name in steps if name in made and name not in kept.times}
        return memory.save(self.host, replace(kept, times=kept.times | new)) if new else kept

    def _done(self, name: str, said: str, notes: tuple[Issue, ...] = ()) -> None:
        mark: Mark = "warning" if notes else "ok"
        for step in self.timeline.steps:
            if step.name == name:
                first = step.time if step.mark == "ok" and step.time else self.host.clock.now()
                self._set(name, mark, time=first, said=said, issue=notes[0] if notes else None)

    def _set(self, name: str, mark: Mark, *, time: float, said: str = "", issue: Issue | None = None) -> None:
        made = Step(name=name, mark=mark, time=time, said=said)
        if issue is not None:
            made = made.model_copy(update={"code": issue.code, "text": issue.text, "remedy": issue.remedy})
        steps = [made if step.name == name else step for step in self.timeline.steps]
        self.timeline = self.timeline.model_copy(update={"steps": steps})

    def _state(self, state: State) -> None:
        if self.timeline.state != state:
            log.info("registration: %s", state)
        self.timeline = self.timeline.model_copy(update={"state": state})

    def _clock(self, plane: Plane) -> None:
        """A clock that is far off is said even where everything works."""
        if plane.skew is None or abs(plane.skew) < SKEWED:
            return
        here, way_off = ("behind", plane.skew) if plane.skew > 0 else ("ahead of", -plane.skew)
        text = f"The clock of this host is {_long(way_off)} {here} that of {self.timeline.endpoint}."
        issue = Issue("R124", "warning", "", text, "Set the time, or a time server, under Name & time.")
        tls = next((s for s in self.timeline.steps if s.name == "tls"), None)
        if tls is not None and tls.mark in ("ok", "warning"):
            self._set("tls", "warning", time=tls.time, said=tls.said, issue=issue)

    def _failed(self, trouble: Trouble) -> float:
        names = [s.name for s in self.timeline.steps]
        now, issue = self.host.clock.now(), trouble.issue
        for name in names[names.index(trouble.step) :]:
            self._set(name, "" if name != trouble.step else "waiting" if trouble.waits else "failed", time=0.0)
        self._set(trouble.step, "waiting" if trouble.waits else "failed", time=now, issue=issue)
        for name in names[: names.index(trouble.step)]:
            step = next(s for s in self.timeline.steps if s.name == name)
            if step.mark in ("failed", "waiting"):
                self._set(name, "", time=0.0)
        self._state("waiting" if trouble.waits else "failed")
        if trouble.waits:
            self._failures = 0
            return self.timing.approval * self.dice.uniform(0.8, 1.2)
        log.warning("registration: %s %s", issue.code, issue.text)
        self._look = self._look or trouble.on_the_way
        self._failures += 1
        return max(trouble.after, self.timing.after(self._failures, self.dice))


def _unreadable() -> Timeline:
    text, remedy = "The file of the registration cannot be read any more.", "Type the registration again under Enter."
    step = Step(name="known", mark="failed", code="R140", text=text, remedy=remedy)
    return Timeline(state="failed", steps=[step])


def _long(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
