"""Home: is this the right box, can it be reached, and what is the next thing to do?

The person standing here has just found the screen. They compare name and serial with their paper, read the address
to someone on the phone, and press Enter on the first step that is not done. Once the host is in a cluster, Home is what
stands on the screen for years: one word that can be read from two metres, and one line for what is wrong.
"""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.models.facts import Facts, Link
from tui.session import Session
from tui.widgets.banner import WORDS
from tui.widgets.look import MARKS, SEVERITY_MARKS
from tui.widgets.messages import Go
from tui.widgets.page import BLANK, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import CHECKED, SHORT, Place, network_state, trust_state
from tui.widgets.words import origin

ADDRESS_LINES = 6


class HomeScreen(Place):
    NAME = "home"
    OPEN = True
    HELP_TEXT = "Who this host is, its addresses, and the steps. Enter opens the step at the mark."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open the step", key_display="Enter"),
        Binding("r", "code", "QR code", key_display="R"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.read_of: Facts | None = None
        """The facts whose certificates were read last."""

    @work(group="trust", exclusive=True, exit_on_error=False)
    async def _read_certificates(self) -> None:
        if await self.session.read_certificates():
            self.refresh_all()

    def update(self) -> None:
        if self.read_of is not self.session.facts:
            self.read_of = self.session.facts
            self._read_certificates()
        first = self.page.cursor < 0
        rows = [*identity(self.session.facts), BLANK, *addresses(self.session.facts, self.text_width), BLANK]
        if self.session.cluster is not None and self.session.cluster.standing.exists:
            tall = self.app.size.height >= SHORT + 6
            rows = [*dashboard(self.session, self.text_width), BLANK, *(short(self.session) if tall else ())]
        steps = checklist(self.session)
        if self.session.gate.off:
            rows += [*wrapped("This console asks for no login (console.login).", self.text_width, "!"), BLANK]
        rows[0:0] = wrapped(self.session.mode_note, self.text_width) if self.session.mode_note else ()
        rows += [agent_line(self.session), BLANK, heading("Steps")]
        for mark, words, place in steps:
            first_line, *rest = wrapped(words, self.text_width, mark)
            rows += [first_line._replace(key=place), *rest]
        next_step = next((place for mark, _, place in steps if mark != "ok"), steps[0][2])
        self.page.show(rows, next_step if first else None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The code is there where a page was set that it can open."""
        if action != "code":
            return True
        text = self.session.facts.file("/etc/onsite/registration.json").text or ""
        return '"registration_url": "http' in text

    def action_code(self) -> None:
        from screens.registration_qr import RegistrationQrScreen

        self.app.push_screen(RegistrationQrScreen(self.session))

    def action_open(self) -> None:
        if self.page.key:
            self.post_message(Go(self.page.key))


def identity(facts: Facts) -> list[Row]:
    """Who this host is; what the firmware does not tell is left out."""
    machine = facts.machine
    product = " ".join(x for x in (machine.vendor, machine.product) if x)
    serial = f"serial {machine.serial}" if machine.serial else ""
    hardware = ", ".join(x for x in (product, serial) if x)
    return [text(line) for line in (hardware, facts.os_name) if line]


def addresses(facts: Facts, width: int) -> list[Row]:
    """One line an address, with where it comes from; links with a cable and no address say so."""
    lines = [line for link in facts.links if link.kind != "loopback" for line in _of_link(link)]
    shown = lines if len(lines) <= ADDRESS_LINES else lines[: ADDRESS_LINES - 1]
    rows = [text(clip(line, width)) for line in shown]
    if len(shown) < len(lines):
        rows.append(text(f"and {len(lines) - len(shown)} more in Network"))
    return rows or [text("no network interface")]


def _of_link(link: Link) -> list[str]:
    usable = [a for a in link.addresses if not a.link_local]
    if not usable:
        return [f"{link.name:<8} no address, {'link up' if link.carrier else 'no carrier'}"]
    return [f"{link.name:<8} {a.address:<20} {origin(a.origin)}" for a in usable]


def agent_line(session: Session) -> Row:
    agent = session.agent
    if not agent.known:
        return text("Agent    not asked yet")
    if not agent.answers:
        if agent.issue is None:
            return text("Agent    no agent answers; registration is not offered")
        return text(f"Agent    {agent.issue.code}: {agent.issue.text}")
    managed = {"local": "managed here", "central": "managed centrally"}.get(agent.mode, "")
    return text(f"Agent    {', '.join(x for x in (f'version {agent.version}', managed) if x)}")


def checklist(session: Session) -> list[tuple[str, str, str]]:
    """(mark, words, place) of each step, in the order to do them."""
    mark, words = network_state(session)
    changes = session.changes
    review = ("!", f"Apply {changes} change{'s' * (changes > 1)}") if changes else ("ok", "Nothing waits to be applied")
    return [
        *administrator(session),
        (mark, f"Address: {words}", "network"),
        *registration(session),
        (*review, "review"),
        *checks(session),
        *certificates(session),
        *cluster(session),
    ]


def cluster(session: Session) -> list[tuple[str, str, str]]:
    """The last step of a visit; said as soon as the agent told whether there is one."""
    reading = session.cluster
    if reading is None:
        return []
    if reading.issue is not None:
        return [("!", f"Cluster: {reading.issue.text}", "cluster")]
    standing = reading.standing
    if not standing.exists:
        return [("!", "Cluster: none yet", "cluster")]
    return [(standing.mark, f"Cluster: {standing.name} {standing.word}", "cluster")]


def dashboard(session: Session, width: int) -> list[Row]:
    """The state in large letters with the cluster beside it, and what is wrong below."""
    from tui.services.cluster.words import count, spell
    from tui.widgets.banner import WIDTH, lines

    assert session.cluster is not None  # noqa: S101 - the caller looked
    standing, step = session.cluster.standing, session.cluster.standing.step
    mark = overall(session)
    done = ""
    if standing.state == "Provisioning" and step is not None:
        done = f"{step.label}{', ' + spell(step.spent) if step.spent is not None else ''}"
    nodes = f"{standing.ready} of {count(standing.nodes, 'node')} ready" if standing.nodes else ""
    beside = (standing.name, standing.word, nodes, done or standing.version, standing.endpoint)
    rows = []
    if width >= WIDTH + 15:
        for large, small in zip(lines(mark), beside, strict=True):
            rows.append(Row(((large, MARKS[mark]), clip(small, width - WIDTH))))
    else:
        rows = [marked(mark, clip(f"{WORDS[mark]}  {standing.name} {standing.word}", width - 3)), text(nodes)]
    issue = standing.first.issue if standing.first is not None else session.ending
    if issue is not None:
        rows.append(marked(SEVERITY_MARKS[issue.severity], clip(f"{issue.code} {issue.text}", width - 3)))
    return rows


def short(session: Session) -> list[Row]:
    """Which box this is and where it is reached, where the cluster has the page."""
    link = session.facts.speaking
    return [*identity(session.facts)[:1], *(text(line) for line in (_of_link(link) if link else ()))]


def overall(session: Session) -> str:
    """The worst of what is known: the network, the cluster, and a certificate that ends, which stops nothing yet."""
    reading = session.cluster
    found = [network_state(session)[0], reading.standing.mark if reading is not None else ""]
    if reading is not None and reading.issue is not None:
        found.append("!")
    if session.ending is not None:
        found.append("!")
    return next((mark for mark in ("x", "!", "..") if mark in found), "ok")


def administrator(session: Session) -> list[tuple[str, str, str]]:
    """The first step of all, where nobody could log in to change anything."""
    if session.gate.open or session.administrator:
        return []
    return [("!", "Make the first administrator of this host", "network")]


def checks(session: Session) -> list[tuple[str, str, str]]:
    """What the last climb of the ladder found; nothing where nobody has checked yet."""
    run = session.last_run
    if run is None or run.verdict not in CHECKED:
        return []
    from tui.services.checks.run import aged

    return [(CHECKED[run.verdict], f"Checks, {aged(run, session.host)}: {run.line}", "checks")]


def registration(session: Session) -> list[tuple[str, str, str]]:
    """Whether the management plane knows this host; nothing while the agent has not said anything of it."""
    if session.timeline is None:
        return []
    from screens.registration import standing

    mark, words = standing(session)
    return [(mark, f"Registration: {words}", "registration")] if mark else []


def certificates(session: Session) -> list[tuple[str, str, str]]:
    """Said only where one has ended or ends soon."""
    mark, words = trust_state(session)
    return [(mark, f"Certificates: {words}", "trust")] if mark else []
