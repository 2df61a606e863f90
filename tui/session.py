"""What the screens share: the facts of the host, the draft, the plan, the pending change, the agent, the clock.

No textual here. A screen reads from the session and asks it to do things; workers of the app say afterwards what
happened. Everything heavy (pydantic, pyroute2, httpx) is imported by the first call that needs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.models.facts import Facts, Link
from tui.services.host import Host
from tui.services.login.gate import Gate

if TYPE_CHECKING:
    from tui.models.change import Issue, Plan
    from tui.models.check import Run
    from tui.models.host import HostConfig
    from tui.models.link import LinkConfig, Part
    from tui.models.proxy import ProxyConfig
    from tui.models.registration import RegistrationConfig
    from tui.models.timeline import Timeline
    from tui.models.trust import TrustConfig
    from tui.services.agent.client import Agent
    from tui.services.change.history import Record
    from tui.services.change.journal import Pending
    from tui.services.change.transaction import Outcome
    from tui.services.checks.ladder import Told
    from tui.services.cluster.members import Certificates
    from tui.services.cluster.reading import Reading
    from tui.services.lease import Lease
    from tui.services.network.backend import Backend
    from tui.services.port.known import Ports
    from tui.services.trust.reading import Installed
    from tui.services.trust.server import Pair
    from tui.settings import Settings

log = logging.getLogger(__name__)

NOBODY = "nobody logged in"
"""Who decides at a console that asks for a login, before there was one."""
MODES = {
    "real": "",
    "user": "practice: user namespace",
    "network": "practice: network namespace",
    "recorded": "recorded host: changes memory only",
}


class AgentState(NamedTuple):
    """What the local agent said when it was asked last.

    Attributes:
        known: it has been asked.
        answers: it is there.
        mode: "local" or "central": who manages this host; "" where it does not say.
        issue: why it does not answer; None where there is none.
    """

    known: bool = False
    answers: bool = False
    version: str = ""
    mode: str = ""
    issue: Issue | None = None


class Topic(NamedTuple):
    """What Help talks about: the place that it was asked from."""

    title: str
    words: str
    keys: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Session:
    """One operator at one console."""

    host: Host
    who: str = ""
    line: str = ""
    mode_note: str = ""
    """Why the practice host is not of a better kind; "" elsewhere."""
    facts: Facts = field(default_factory=Facts)
    draft: HostConfig | None = None
    agent: AgentState = field(default_factory=AgentState)
    waiting: bool = False
    """A change waits for its Keep."""
    slow_line: bool = False
    """The line has 9600 baud or less: the countdown is painted every 5 s."""
    help_topic: Topic | None = None
    last_run: Run | None = None
    """The last climb of the ladder of checks on this host, by whatever console."""
    checked: tuple[Issue, ...] = ()
    """What the live probes of this draft found."""
    authorities: tuple[Installed, ...] | None = None
    """What this host trusts beyond its distribution; None until it was asked."""
    server: Pair | None = None
    """What this host presents to those who open its management page; None until it was asked."""
    ending: Issue | None = None
    """The certificate of this host that has ended, or ends next and soon."""
    timeline: Timeline | Issue | None = None
    """How the registration stands, or why the agent does not say; None until it was asked."""
    tried: dict[str, str] = field(default_factory=dict)
    """The addresses that the proxy was tried with last."""
    cluster: Reading | None = None
    """What the agent said of its cluster; None until it was asked."""
    cluster_asked: int = 0
    cluster_answered: int = 0
    """Numbers of the newest question to the agent about it, and of the newest one that is answered."""
    ports: Ports | None = None
    """Who is at the other end of each cable; listened for since Network was opened first."""
    _client: Agent | None = None
    physical: bool = False
    """One stands at the host: its screen, its serial line, or a host to practise on."""
    gate: Gate = field(default_factory=Gate)
    """Whether this console asks for a login before anything can be changed."""
    lease: Lease | None = None
    """Who edits this host, as far as was looked; this console or another one."""
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    """Names this console in the lease."""
    draft_seen: tuple[int, int, int] = (0, 0, 0)
    """The draft on disk that `draft` was read from or written to."""

    # --- reading ---------------------------------------------------------------------------------------------------

    def read(self) -> bool:
        """Read the facts again. Returns whether they differ from before.

        Raises:
            OSError: the kernel refused to tell.
        """
        from tui.services.facts import read

        before, self.facts = self.facts, read(self.host)
        self._read_last_run()
        return before != self.facts

    def _read_last_run(self) -> None:
        if os.path.lexists(self.host.path("/var/lib/onsite/checks.json")):
            from tui.services.checks import run

            self.last_run = run.last(self.host)

    async def events(self) -> AsyncIterator[None]:
        """One item after every burst of kernel events."""
        async for _ in self.host.kernel.events():
            yield

    @property
    def mode(self) -> str:
        return MODES[self.host.kind]

    def backends(self) -> dict[str, Backend]:
        from tui.services.network import backends

        return backends()

    # --- the draft -------------------------------------------------------------------------------------------------

    @property
    def changes(self) -> int:
        """How many values the draft changes."""
        return len(self.plan().differences) if self.draft is not None else 0

    def wish(self, link: Link) -> LinkConfig:
        """What the draft says of the link, or else what the link has."""
        from tui.models.link import LinkConfig

        drafted = self.draft.link(link.identity) if self.draft else None
        return drafted or LinkConfig.from_link(link, self.facts.links)

    def set_link(self, config: LinkConfig) -> None:
        """Put the wish for one link into the draft; a wish that equals what the host has leaves it."""
        from tui.models.host import HostConfig

        self._put((self.draft or HostConfig()).with_link(config))

    def proxy(self) -> tuple[ProxyConfig, bool]:
        """The proxy of the draft, or else the one that was kept; and whether it is the draft's."""
        from tui.models.proxy import ProxyConfig
        from tui.services.proxy import kept

        if self.draft is not None and self.draft.proxy is not None:
            return kept.completed(self.draft.proxy, self.facts), True
        return kept.kept(self.facts) or ProxyConfig(), False

    def check(self, config: LinkConfig) -> tuple[Issue, ...]:
        """What is wrong with a wish before it goes into the draft: errors only, warnings are for Review."""
        from tui.models.host import HostConfig
        from tui.services.checks import address

        issues = address.check((self.draft or HostConfig()).with_link(config), self.facts)
        return tuple(issue for issue in issues if issue.severity == "error")

    def set_parts(self, **parts: Part | None) -> None:
        """Put parts of the document into the draft by their names; None takes a part out."""
        from tui.models.host import HostConfig

        self._put((self.draft or HostConfig()).model_copy(update=parts))

    def replace_draft(self, draft: HostConfig) -> None:
        """Have this draft instead of the one that is there. Raises Refused where somebody else edits."""
        self._put(draft)

    def discard(self) -> None:
        """Forget the draft, here and on disk. Raises Refused where somebody else edits."""
        self._put(None)

    def _put(self, draft: HostConfig | None) -> None:
        """Have this draft; what the host has already is none.

        Raises:
            Refused: somebody else edits this host (W101), and the draft is as it was.
        """
        self.claim()
        self.draft, self.checked = draft, ()
        if draft is not None and self.plan().empty and not self.plan().errors:
            self.draft = None
        self._store()

    def _store(self) -> None:
        from tui.services import draft

        try:
            draft.store(self.host, self.draft)
        except OSError:  # it is still here, and goes with this console
            log.exception("the draft cannot be stored")
        self.draft_seen = draft.seen(self.host)

    # --- who may -----------------------------------------------------------------------------------------------------

    @property
    def administrator(self) -> bool:
        """This host has a user who may administer it, and who could log in."""
        from tui.services.login import administrators

        return administrators.exist(self.host)

    async def log_in(self, user: str, password: str) -> None:
        """Raises Refused where it was the wrong password, or too many of them."""
        from tui.services.login import gate

        await gate.log_in(self.host, self.gate, self.line, user, password)
        self.who = user

    async def create_first(self, user: str, password: str) -> None:
        """Make the first administrator, who is then logged in. Raises Refused where there is one, or it will not do."""
        from tui.services.login import first

        await first.create(self.host, user, password, line=self.line)
        self.who = self.gate.user = user
        self.touched()

    def touched(self) -> None:
        """Somebody has pressed a key."""
        if self.gate.asked:
            self.gate.touched = self.host.clock.boottime()

    def lock(self) -> bool:
        """Forget the login of somebody who has left, but not while a change waits for its Keep. Whether it did."""
        if self.waiting or not self.gate.over(self.host):
            return False
        self.let_go()
        self.gate.user, self.who = "", NOBODY
        return True

    # --- who edits -------------------------------------------------------------------------------------------------

    @property
    def holder(self) -> Lease | None:
        """Whoever else edits this host."""
        return self.lease if self.lease is not None and self.lease.token != self.token else None

    def claim(self, *, over: bool = False) -> None:
        """Edit this host from now on.

        Args:
            over: take the edit over from whoever has it.

        Raises:
            Refused: somebody else edits it (W101).
        """
        from tui.services import lease

        wanted = lease.Lease(self.token, self.who, self.line, 0.0, 0.0)
        try:
            self.lease = lease.take(self.host, wanted, over=over)
        except OSError:  # a disk that cannot be written keeps nobody from looking, and nothing can be applied anyway
            log.exception("edit lease")

    def tend(self, *, editing: bool) -> Lease | None:
        """Every few seconds: renew the lease or let go of it, and see what other consoles have done.

        Args:
            editing: a form is open here.

        Returns:
            Whoever took the edit over since the last look; None where nobody did.
        """
        ours, before = self.lease is not None and self.holder is None, self.lease
        if ours and before is not None:
            if self.draft is None and not editing and not self.waiting:
                self.let_go()
            else:
                self._renew(before)
        elif before is not None or os.path.lexists(self.host.path("/run/onsite/lease.json")):
            from tui.services import lease

            self.lease = lease.held(self.host)
        self.look_at_draft()
        return self.holder if ours else None

    def _renew(self, ours: Lease) -> None:
        from tui.services import lease

        try:
            self.lease = lease.renew(self.host, ours) or lease.held(self.host)
        except OSError:
            log.exception("edit lease")

    def let_go(self) -> None:
        """Stop editing; the draft stays."""
        from tui.services import lease

        if self.lease is not None and self.holder is None:
            lease.release(self.host, self.token)
            self.lease = None

    def look_at_draft(self) -> bool:
        """Read the draft on disk where another console wrote it. Returns whether it did."""
        if not self.draft_seen[0] and not os.path.lexists(self.host.path("/var/lib/onsite/draft.yaml")):
            return False
        from tui.services import draft

        now = draft.seen(self.host)
        if now == self.draft_seen:
            return False
        self.draft, self.draft_seen, self.checked = draft.load(self.host), now, ()
        return True

    # --- planning --------------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        """What the draft would change, from the facts as they are now."""
        from tui.models.change import Plan

        if self.draft is None:
            return Plan(config={})
        from tui.services.change.planner import plan

        return plan(self.draft, self.facts, self.backends())

    def trust(self) -> TrustConfig:
        """The authorities of the draft, or else those that Onsite has put there."""
        from tui.models.trust import TrustConfig

        if self.draft is not None and self.draft.trust is not None:
            return self.draft.trust
        ours = [x for x in self.authorities or () if x.ours and x.certificate is not None]
        return TrustConfig(authorities=tuple(x.certificate.pem for x in ours if x.certificate))

    async def server_certificate(self) -> Pair:
        """The certificate of this host, without its key."""
        from tui.services.trust import server

        return await asyncio.to_thread(server.shown, self.facts, self.host.clock.now())

    async def read_authorities(self) -> bool:
        """Ask the parser child what the files of the trust store say. Returns whether it differs from before."""
        from tui.services.trust.reading import installed

        before = self.authorities
        self.authorities = await asyncio.to_thread(installed, self.facts, self.host.clock.now())
        return before != self.authorities

    async def read_certificates(self) -> bool:
        """Those of Home: authorities, and the one of this host. Returns whether they differ from before."""
        from tui.services.trust.stores import SERVER

        news = await self.read_authorities() if self.facts.trust.store else False
        self.server = await self.server_certificate() if self.facts.file(SERVER[0]).text else None
        return self.look_for_ending() or news

    def look_for_ending(self) -> bool:
        """Days pass also while nobody does anything. Returns whether another certificate ends soon than before."""
        if self.authorities is None and self.server is None:
            return False
        from tui.services.trust import ending

        before = self.ending
        self.ending = ending.first(self.authorities or (), self.server, self.host.clock.now())
        return before != self.ending

    async def probe(self) -> tuple[Issue, ...]:
        """Ask the network about the draft: duplicate addresses, the gateway, tagged frames."""
        if self.draft is None:
            return ()
        from tui.services.checks.probe import probe

        self.checked = await probe(self.host, self.draft, self.facts)
        return self.checked

    async def climb(self, told: Told, *, draft: bool = False) -> Run:
        """Climb the ladder of checks on what the host has, or on the draft. Can be cancelled at any moment.

        Raises:
            Refused: the settings do not say what to reach in a way that can be understood.
        """
        from tui import settings
        from tui.models.change import Issue, Refused
        from tui.services import registration
        from tui.services.checks import run

        try:
            wanted = run.wanted(self.settings(), self.registration()[0] if draft else registration.of(self.host))
        except ValueError as error:
            remedy = f"Correct it in {settings.PATH}."
            raise Refused(Issue("S101", "error", "", f"The settings cannot be used: {error}", remedy)) from error
        self.read()
        done = await run.run(self.host, self.facts, wanted, self.draft if draft else None, told=told)
        self.last_run = self.last_run if draft else done
        return done

    # --- the registration ------------------------------------------------------------------------------------------

    def registration(self) -> tuple[RegistrationConfig | None, bool]:
        """The registration of the draft, or else the one that was kept; and whether it is the draft's."""
        from tui.services import registration

        if self.draft is not None and self.draft.registration is not None:
            return registration.completed(self.draft.registration, self.facts), True
        return registration.kept(self.facts), False

    async def read_timeline(self) -> bool:
        """Ask the agent how the registration stands. Returns whether that differs from before."""
        from tui.models.change import Refused

        before = self.timeline
        try:
            client = await self.agent_client()
            from tui.services.agent import registering

            self.timeline = await registering.read(client)
        except Refused as refused:
            self.timeline = refused.issues[0]
        return before != self.timeline

    # --- the change ------------------------------------------------------------------------------------------------

    def pending(self) -> Pending | None:
        """The change that nobody has kept yet.

        Raises:
            OSError, ValueError: the journal cannot be read.
        """
        found = None
        if os.path.lexists(self.host.path("/var/lib/onsite/pending.json")):
            from tui.services.change import journal

            found = journal.pending(self.host)
        self.waiting = found is not None and found.phase == "waiting"
        return found

    async def apply(self, plan: Plan, reverts: str = "") -> Pending:
        """Apply it; the countdown runs from here.

        Raises:
            Refused: somebody else edits, nothing has changed, or what changed has been taken back.
        """
        from tui.services.change import transaction

        self.claim()
        pending = await transaction.apply(
            self.host, plan, self.backends(), who=self.who, line=self.line, reverts=reverts
        )
        self.discard()
        return pending

    async def keep(self, change_id: str) -> Outcome:
        """Raises Refused where there is nothing to keep any more."""
        from tui.services.change import transaction

        outcome = await transaction.keep(self.host, self.backends(), change_id)
        self.waiting = False
        return outcome

    async def revert(self, change_id: str, reason: str) -> Outcome:
        """Raises Refused where it is decided already, OSError where it cannot be taken back now."""
        from tui.services.change import transaction

        outcome = await transaction.revert(self.host, self.backends(), reason, change_id)
        self.waiting = False
        return outcome

    async def expire(self, change_id: str) -> Outcome | None:
        """Take the change back if its time is over and nobody has done so."""
        from tui.services.change import transaction

        outcome = await transaction.expire(self.host, self.backends(), change_id)
        self.waiting = self.waiting and outcome is None
        return outcome

    async def extend(self, change_id: str, seconds: float) -> Pending:
        from tui.services.change import transaction

        return await transaction.extend(self.host, change_id, seconds)

    def take_up(self, change_id: str) -> None:
        """After a change was taken back: what it wished is the draft again, to be mended; typed text is never lost."""
        from tui.models.change import Refused
        from tui.models.host import HostConfig

        record = next((r for r in self.history() if r.change.change_id == change_id), None)
        if record is not None and record.result != "kept" and not record.change.reverts and record.change.config:
            with contextlib.suppress(Refused):  # whoever edits now has a draft of their own
                self._put(HostConfig.model_validate(record.change.config))

    def revert_last(self) -> tuple[Plan, str]:
        """The plan that takes the last kept change back, and the id of that change. Raises Refused if there is none."""
        from tui.services.change import history

        return history.revert_last(self.host)

    def history(self) -> tuple[Record, ...]:
        from tui.services.change import history

        return history.records(self.host)

    def audit(self) -> list[dict[str, Any]]:
        """Audit entries, oldest first."""
        from tui.services.change import audit

        return audit.entries(self.host)

    # --- the agent -------------------------------------------------------------------------------------------------

    async def ask_agent(self) -> bool:
        """Ask the local agent how it is. Returns whether the answer differs from before."""
        from tui.models.change import Refused

        before = self.agent
        try:
            wanted = self.settings()
            if not wanted.agent_url and not self.host.path(wanted.agent_socket).exists():
                self.agent = AgentState(known=True)
                return before != self.agent
            client = await self.agent_client()
            from tui.models.contract import host

            settings, info = await client.call(host.SETTINGS), await client.call(host.INFO)
        except Refused as refused:
            self.agent = AgentState(known=True, issue=refused.issues[0])
        else:
            version = info.status.agent_version if info.status else ""
            self.agent = AgentState(True, True, version, settings.management_mode)
            await self.read_timeline()
        return before != self.agent

    async def read_cluster(self, *, thoroughly: bool = False) -> bool:
        """Ask the agent how its cluster is; where none is there, nothing is asked. Returns whether it differs.

        Several ask at once. What was asked later and is answered already is not undone by an older question's answer.
        """
        if not self.agent.answers and self.cluster is None:
            return False
        from tui.services.cluster import reading

        self.cluster_asked += 1
        number = self.cluster_asked
        found = await reading.read(await self.agent_client(), self.host, self.cluster, thoroughly=thoroughly)
        if number < self.cluster_answered:
            return False
        before, self.cluster, self.cluster_answered = self.cluster, found, number
        return before != found

    def cluster_certificates(self, found: Certificates) -> None:
        """Somebody has just asked for those of the cluster: the next reading judges these."""
        if self.cluster is not None:
            at = self.host.clock.boottime()
            self.cluster = replace(self.cluster, certificates=found, certificates_at=at)

    async def agent_client(self) -> Agent:
        """The client that every screen uses; made once, from the settings as they are then.

        Raises:
            Refused: S101, the settings do not say which agent.
        """
        if self._client is None:
            await asyncio.to_thread(importlib.import_module, "tui.services.agent.client")  # httpx takes long
            from tui.services.agent.client import Agent

            self._client = Agent(self.host, self.settings())
        return self._client

    def settings(self) -> Settings:
        """What the owner decided about Onsite.

        Raises:
            Refused: S101, the file cannot be used.
        """
        from tui import settings
        from tui.models.change import Issue, Refused

        try:
            return settings.load(self.host.root)
        except (ValueError, OSError) as error:
            remedy = f"Correct it in {settings.PATH}."
            raise Refused(Issue("S101", "error", "", f"The settings cannot be used: {error}", remedy)) from error


def who_and_line() -> tuple[str, str]:
    """The person and the line of this process, for the audit: ("alice", "ttyS0")."""
    import pwd

    who = os.environ.get("SUDO_USER", "")
    if not who:
        with contextlib.suppress(KeyError):
            who = pwd.getpwuid(os.geteuid()).pw_name
    line = "no terminal"
    with contextlib.suppress(OSError):
        line = os.ttyname(0).removeprefix("/dev/")
    if came := os.environ.get("SSH_CONNECTION", "").split(" ")[0]:
        line += f" from {came}"
    return who or str(os.geteuid()), line
