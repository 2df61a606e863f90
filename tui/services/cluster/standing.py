"""How the cluster is: one mark, one word, and the first thing that is wrong in one sentence.

Where several things are wrong, the one that the others follow from comes first: the step that failed, then what the
agent says of the whole, then nodes, then packs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tui.models.change import Issue, Severity
from tui.models.codes import TITLES
from tui.services.cluster.answers import Answer, flag, moment, part, parts, text
from tui.services.cluster.members import Node, Pack
from tui.services.cluster.steps import DONE, Step, under_way, words_of
from tui.services.cluster.trouble import Trouble, coded, trouble

WORDS = {"Provisioning": "being made", "Running": "running", "Deleting": "being deleted", "Error": "in error"}
_GOOD_WHEN_FALSE = ("pressure", "unavailable", "paused", "deleting", "degraded")
"""Parts of the names of conditions that are right while they are false."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The cluster of this host at a glance.

    Attributes:
        exists: this host is in a cluster, or on the way to one.
        state: the contract's word: Provisioning, Running, Deleting, Error; "" where it says none.
        mark, word: for the title of a page.
        wrong: everything that is wrong, the first cause first.
        step: what is under way while it is made.
    """

    exists: bool = False
    name: str = ""
    state: str = ""
    mark: str = "-"
    word: str = "no cluster"
    version: str = ""
    endpoint: str = ""
    nodes: int = 0
    ready: int = 0
    reboot_pending: bool = False
    wrong: tuple[Trouble, ...] = ()
    step: Step | None = None

    @property
    def first(self) -> Trouble | None:
        return self.wrong[0] if self.wrong else None


NONE = Standing()


def standing(
    details: Answer | None,
    nodes: Sequence[Node] = (),
    packs: Sequence[Pack] = (),
    steps: Sequence[Step] = (),
    ending: Trouble | None = None,
) -> Standing:
    """What the answers say together.

    Args:
        details: None where there is no cluster.
        ending: a certificate of the cluster that ends soon; left out where the agent says so itself.
    """
    if details is None:
        return NONE
    status = part(details, "status")
    state = text(status, "clusterState")
    wrong = tuple(_wrong(status, state, nodes, packs, steps))
    if ending is not None and state == "Running" and not any(t.issue.code == ending.issue.code for t in wrong):
        wrong = (*wrong, ending)
    errors = [t for t in wrong if t.issue.severity == "error"]
    ready = sum(node.mark == "ok" for node in nodes)
    mark, word = _mark(state, bool(errors), bool(wrong), text(status, "health", "status"))
    return Standing(
        exists=True,
        name=text(details, "metadata", "name"),
        state=state,
        mark=mark,
        word=word,
        version=text(status, "k8sVersion"),
        endpoint=text(details, "spec", "vip"),
        nodes=len(nodes),
        ready=ready,
        reboot_pending=flag(status, "isRebootPending"),
        wrong=wrong,
        step=under_way(steps),
    )


def _mark(state: str, errors: bool, warnings: bool, health: str) -> tuple[str, str]:
    if state == "Deleting":
        return "..", WORDS[state]
    if state == "Error" or errors:
        return "x", "needs help" if state != "Provisioning" else "stuck"
    if state == "Provisioning":
        return "..", WORDS[state]
    if warnings or health == "Unhealthy":
        return "!", "needs a look"
    if state == "Running":
        return "ok", "healthy" if health == "Healthy" else "running"
    return "..", "not known yet"


def _wrong(
    status: Answer, state: str, nodes: Sequence[Node], packs: Sequence[Pack], steps: Sequence[Step]
) -> Iterator[Trouble]:
    if state == "Deleting":  # what was wrong goes with it; what holds the end up does not
        yield from (s.trouble for s in steps if s.trouble is not None and coded(s.message))
        return
    found = list(_all(status, state, nodes, packs, steps))
    unique = {t.event or t.issue.text: t for t in reversed(found)}
    kept = [t for t in found if unique.get(t.event or t.issue.text) is t]
    told = [t for t in kept if t.issue.code != "K616"]
    yield from told or kept


def _all(
    status: Answer, state: str, nodes: Sequence[Node], packs: Sequence[Pack], steps: Sequence[Step]
) -> Iterator[Trouble]:
    for step in steps:  # of a cluster that runs only what the agent names by a code: it takes it back when it is over
        if step.trouble is not None and (state != "Running" or coded(step.message)):
            yield step.trouble
    for node in nodes:  # a reason of a node says more than the sum of all
        if state != "Provisioning" or node.mark == "x":
            yield from node.wrong
    if state == "Error":
        yield trouble("The cluster", "", text(status, "clusterStateReason"))
    if state == "Running":
        if text(status, "health", "status") == "Unhealthy":
            reason = text(status, "health", "reason")
            if not (any(node.wrong for node in nodes) and (not reason or "node" in reason.lower())):
                yield trouble("The cluster", "", reason)
        yield from (wrong for c in parts(status, "clusterConditions") if (wrong := _condition(c)))
        yield from (p.wrong for p in packs if p.wrong is not None)
    else:
        yield from (p.wrong for p in packs if p.wrong is not None and p.mark == "x")


def _condition(condition: Answer) -> Trouble | None:
    kind, status = text(condition, "type"), text(condition, "status").lower()
    bad_when_true = any(word in kind.lower() for word in _GOOD_WHEN_FALSE)
    if status in (("false",) if bad_when_true else DONE):
        return None
    message = text(condition, "message")
    if kind in TITLES:  # an agent of ours: the kind is the code, the reason how bad it is
        severity: Severity = "error" if text(condition, "reason") == "error" else "warning"
        return Trouble(Issue(kind, severity, "", message, ""), f"{kind}: {message}")
    return trouble(
        words_of(kind), text(condition, "reason") or (kind if bad_when_true else ""), message,
        moment(condition, "lastTransitionTime"), warning=status == "unknown",
    )  # fmt: skip
