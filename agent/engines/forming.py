"""Several hosts become one cluster, step after step, and are one host again each when it is deleted.

Nothing here knows an engine or a channel: it calls the steps of `agent.engines.steps` over `ClusterHost`s. Every step
may be repeated, so a run that was cut off is simply run again. A host that goes away is waited for; a control plane
that fails to join is taken out again, because a member that counts and does not run stops the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.engines.engine import Away, ClusterHost, Event, Node, Spec, Tell, silent
from agent.engines.steps import issue_of
from tui.models.change import Issue, Refused

WAIT = 600.0
"""Seconds that a host which went away is waited for."""
JOIN_SECONDS = 1800.0
_TRIES = 2
_CLOCKS = 5.0
"""Seconds by which the clocks of two hosts may differ."""


@dataclass
class Forming:
    """One cluster and the hosts that it is on, by their uid."""

    spec: Spec
    hosts: Mapping[str, ClusterHost]
    tell: Tell = silent
    wait: float = WAIT

    # -- looking
    async def preflight(self, nodes: tuple[Node, ...] = ()) -> dict[str, list[Issue]]:
        """Findings of every host, by its name, and those that only show when all are seen."""
        chosen = nodes or self.spec.nodes
        answers = await asyncio.gather(*(self._look(node) for node in chosen))
        found = {node.name: issues for node, (issues, _) in zip(chosen, answers, strict=True)}
        moments = [moment for _, moment in answers if moment]
        if moments and max(moments) - min(moments) > _CLOCKS:
            text = f"The clocks of the hosts differ by {max(moments) - min(moments):.0f} s."
            issue = Issue("K110", "error", "", text, "Set a time server on all of them: Name & time.")
            found.setdefault(chosen[0].name, []).append(issue)
        planes = len(self.spec.control_planes)
        if planes % 2 == 0:
            text = f"{planes} control planes are no safer than {planes - 1}, and lose the cluster when one fails."
            issue = Issue("K122", "error", "", text, "Take one more or one less: 1, 3 or 5.")
            found.setdefault(chosen[0].name, []).append(issue)
        return found

    async def _look(self, node: Node) -> tuple[list[Issue], float]:
        try:
            began = asyncio.get_running_loop().time()
            state = await self._once(node, "detect")
            took = asyncio.get_running_loop().time() - began
            issues = [issue_of(d) for d in await self._once(node, "preflight")]
        except Away as away:
            text = f"{node.name} does not answer: {away}"
            return [Issue("K125", "error", "", text, "Switch it on, or link it again.")], 0.0
        except Refused as refused:
            return list(refused.issues), 0.0
        # What a host's clock says is compared with ours at that moment, so that the order of asking does not matter.
        offset = state["now"] - took / 2 - began
        return issues, float(offset)

    # -- making
    async def create(self) -> None:
        """From plain hosts to a cluster that was seen to work.

        Raises:
            Refused: it cannot be; what was begun stays for another try, or for `delete`.
        """
        await self.prepare()
        await self.found()
        for node in self.joining:
            await self.admit(node)
        await self.prove()

    @property
    def joining(self) -> tuple[Node, ...]:
        """Who joins, in order: control planes one after the other (each counts before it runs), then workers."""
        workers = (n for n in self.spec.nodes if n.role == "worker")
        return (*self.spec.control_planes[1:], *workers)

    async def prepare(self) -> None:
        """Every host brought to where it could start pods."""
        await _together(*(self._on(n, "prepare") for n in self.spec.nodes))

    async def found(self) -> None:
        """The first control plane, with the packs, ready."""
        first = self.spec.control_planes[0]
        await self._on(first, "install")
        await self._on(first, "apply")
        await self._on(first, "ready", name=first.name)

    async def add(self, node: Node) -> None:
        """A host more; `spec` names it already."""
        await self._on(node, "prepare")
        for other in self.spec.nodes:
            if other.uid != node.uid:
                await self._on(other, "network")
        await self.admit(node)
        await self.prove()

    async def admit(self, node: Node) -> None:
        """Let one host join. A failed try is taken back whole, on both sides, before the next.

        Raises:
            Refused: after the last try, with the reason of that one (K210).
        """
        for number in range(1, _TRIES + 1):
            first = await self._keeper(but=node)
            try:
                if number > 1:
                    await self._on(node, "prepare")
                bundle = await self._on(first, "mint_join", role=node.role, seconds=JOIN_SECONDS)
                await self._join(node, bundle)
                await self._on(first, "ready", name=node.name)
            except (Refused, Away) as error:
                why = error.issues[0].text if isinstance(error, Refused) else f"{node.name} went away"
                more = (
                    "Mend what is named: a second try follows."
                    if number < _TRIES
                    else "The cluster goes on without it."
                )
                words = f"{node.name} did not join ({why}); it is taken out again. {more}"
                self._say("join", "note", words, node, "K210")
                await self._on(first, "remove", name=node.name, address=str(node.address))
                await self._on(node, "reset", purge=False)
                await self._on(first, "forget", name=node.name)
                if number == _TRIES:
                    text = f"{node.name} did not join: {why}"
                    remedy = "The cluster goes on without it. Mend what is named, then add the host again."
                    raise Refused(Issue("K210", "error", "", text, remedy)) from error
            else:
                return

    async def admit_once(self, node: Node) -> None:
        """As `admit`, unless it is a node already: for work that was cut off after it had joined."""
        state = await self._on(node, "detect")
        if state["state"] == "ours" and state.get("joined"):
            await self._on(await self._keeper(but=node), "ready", name=node.name)
            return
        await self.admit(node)

    async def _join(self, node: Node, bundle: Any) -> None:
        """A host that goes away while it joins may have become a member that counts and does not run.

        So it is not waited for: the try ends, the member is taken out, and it joins anew when it is back.
        """
        await self._once(node, "join", bundle=bundle)

    async def prove(self) -> dict[str, list[str]]:
        """A pod on every node, and a new Service reached from every node; who answered, by the name of the asker.

        Raises:
            Refused: a node starts no pods (K207), or never reaches the Service, not even with a new
                kube-proxy and a new API (K208).
        """
        first = await self._keeper()
        self._say("probe", "begun", "Pods and services are tried on every node", first)
        trial = await self._on(first, "probe_begin")
        try:
            answers = await self._ask(trial)
            if deaf := [n for n, seen in answers.items() if not seen]:
                heard = f"{', '.join(deaf)} has not heard of a new service."
                text = f"{heard} kube-proxy is restarted, then it is asked again."
                self._say("probe", "note", text, first, "K209")
                await self._on(first, "probe_mend")
                answers |= await self._ask(trial)
            if deaf := [n for n, seen in answers.items() if not seen]:
                text = f"{', '.join(deaf)} still has not; the API of every control plane is started anew"
                self._say("probe", "note", text, first, "K209")
                for node in self.spec.control_planes:
                    await self._on(node, "probe_anew")
                await self._on(first, "probe_mend")
                answers |= await self._ask(trial)
            if deaf := [n for n, seen in answers.items() if not seen]:
                text = f"A new service is not reached from {', '.join(deaf)}."
                raise Refused(Issue("K208", "error", "", text, "Look at kube-proxy and the pod network of that host."))
        finally:
            with contextlib.suppress(Refused, Away):
                await self._on(first, "probe_end", namespace=trial["namespace"])
        self._say("probe", "done", "Pods start and services answer on every node", first)
        return answers

    async def _ask(self, trial: dict[str, Any]) -> dict[str, list[str]]:
        where = {"address": trial["address"], "port": trial["port"]}
        answers = await _together(*(self._on(n, "probe_ask", **where) for n in self.spec.nodes))
        return {n.name: list(seen) for n, seen in zip(self.spec.nodes, answers, strict=True)}

    # -- keeping
    async def access(self) -> None:
        """Keys and time servers, on every host."""
        await _together(*(self._on(n, "access") for n in self.spec.nodes))

    async def mark(self, before: Spec) -> None:
        """Labels and taints of the nodes that stay, where they are other ones now."""
        first, former = await self._keeper(), {n.uid: n for n in before.nodes}
        for node in (n for n in self.spec.nodes if n.uid in former and marks(n) != marks(former[n.uid])):
            old = former[node.uid]
            labels = [f"{k}={v}" for k, v in node.labels.items()] + [
                f"{k}-" for k in old.labels if k not in node.labels
            ]
            kept = set(map(_taint, node.taints))
            taints = [*node.taints, *(f"{_taint(t)}-" for t in old.taints if _taint(t) not in kept)]
            await self._on(first, "mark", name=node.name, labels=labels, taints=taints)

    async def packs(self) -> None:
        await self._on(await self._keeper(), "apply")

    async def renew(self) -> None:
        """Certificates, one control plane after the other."""
        for node in self.spec.control_planes:
            await self._on(node, "renew")

    async def upgrade(self) -> None:
        """To the version of `spec`: control planes one at a time, then workers."""
        planes = self.spec.control_planes
        for node in (*planes, *(n for n in self.spec.nodes if n.role == "worker")):
            await self._on(node, "upgrade", first=node.uid == planes[0].uid)
            await self._on(planes[0], "ready", name=node.name)
        await self.prove()

    async def drop(self, node: Node) -> list[str]:
        """Take one host out of the cluster; what is left on it. `spec` names it no more."""
        first = await self._keeper(but=node)
        await self._on(first, "remove", name=node.name, address=str(node.address))
        left = list(await self._on(node, "reset", purge=False))
        await self._on(first, "forget", name=node.name)
        for other in self.spec.nodes:
            if other.uid != node.uid:
                await self._on(other, "network")
        return left

    async def delete(self, purge: bool = False) -> dict[str, list[str]]:
        """The end of the cluster: workers first, the first control plane last. What is left, by host."""
        first, *others = self.spec.control_planes
        order = [*(n for n in self.spec.nodes if n.role == "worker"), *reversed(others), first]
        return {node.name: list(await self._on(node, "reset", purge=purge)) for node in order}

    # -- hosts
    async def _keeper(self, but: Node | None = None) -> Node:
        """A control plane that answers for the cluster: the first, unless it is away or the one that is worked on."""
        planes = [n for n in self.spec.control_planes if but is None or n.uid != but.uid]
        for node in planes:
            with contextlib.suppress(Away):
                if (await self._once(node, "detect"))["state"] == "ours":
                    return node
        return planes[0]

    async def _once(self, node: Node, step: str, /, **arguments: Any) -> Any:
        document = {
            "engine": self.spec.engine,
            "spec": self.spec.model_dump(mode="json"),
            "node": node.uid,
            **arguments,
        }

        def named(event: Event) -> None:
            text = self._names(node, event.text) if event.mark == "failed" else event.text
            self.tell(event.model_copy(update={"node": event.node or node.name, "text": text}))

        return await self.hosts[node.uid].call(step, document, named)

    async def _on(self, node: Node, step: str, /, **arguments: Any) -> Any:
        """As `_once`, but a host that is away is waited for, and the step done again then."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self.wait
        said = False
        while True:
            try:
                if said:
                    await self._once(node, "detect")
                    self._say(step, "begun", f"{node.name} is back", node)
                    said = False
                return await self._once(node, step, **arguments)
            except Refused as refused:
                raise Refused(*(self._named(issue, node) for issue in refused.issues)) from refused
            except Away as away:
                if loop.time() > end:
                    text = f"{node.name} has been away for {self.wait:.0f} s: {away}"
                    remedy = "Bring it back and try again; the steps that are done are not done twice."
                    raise Refused(Issue("K125", "error", "", text, remedy)) from away
                if not said:
                    said = True
                    words = f"{node.name} is away; it is waited for. Switch it on, and look at its cable."
                    self._say(step, "note", words, node, "K125")
            await asyncio.sleep(2)

    def _named(self, issue: Issue, node: Node) -> Issue:
        return replace(issue, text=self._names(node, issue.text))

    def _names(self, node: Node, text: str) -> str:
        """With several hosts "this host" is none of them to the person who reads it, whatever pod names it."""
        if len(self.spec.nodes) == 1:
            return text
        if re.search(rf"\b{re.escape(node.name)}\b", text) and "this host" not in text.lower():
            return text
        return f"{node.name}: {text}"

    def _say(self, step: str, mark: Any, text: str, node: Node, code: str = "") -> None:
        self.tell(Event(step=step, mark=mark, text=text, node=node.name, code=code))


async def _together(*steps: Coroutine[Any, Any, Any]) -> list[Any]:
    """As `asyncio.gather`, but where one fails the others end first: nothing goes on while it is taken back."""
    tasks = [asyncio.create_task(step) for step in steps]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def marks(node: Node) -> tuple[dict[str, str], tuple[str, ...]]:
    """What can be changed while the node is there."""
    return node.labels, node.taints


def _taint(text: str) -> str:
    """Key and effect, which no two taints of a node share."""
    pair, _, effect = text.rpartition(":")
    return f"{pair.partition('=')[0]}:{effect}"
