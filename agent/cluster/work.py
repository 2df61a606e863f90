"""The long work on a cluster, as jobs: made, changed, renewed, deleted. One at a time.

The argument of each names the cluster before and after, so that the steps are the same when the agent starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.cluster import kept
from agent.cluster.hosts import Hosts
from agent.engines.engine import Event, Node, Spec
from agent.engines.forming import Forming, marks
from agent.jobs import Jobs, Kind, Run, Step, Work
from agent.store import Store
from tui.models.change import Issue, Refused

CREATE, CHANGE, RENEW, DELETE = "cluster-create", "cluster-change", "cluster-renew", "cluster-delete"
LANE = "cluster"
_STATUS = {"done": "True", "failed": "False"}
_REASON = {"begun": "InProgress", "done": "Completed", "failed": "Failed", "note": "Note"}


@dataclass(frozen=True, slots=True)
class Clusters:
    """What the steps work with."""

    store: Store
    hosts: Hosts

    def add_to(self, jobs: Jobs) -> None:
        for name, title, steps in (
            (CREATE, "Cluster is created", self._create),
            (CHANGE, "Cluster is changed", self._change),
            (RENEW, "Certificates are renewed", self._renew),
            (DELETE, "Cluster is deleted", self._delete),
        ):
            jobs.add(Kind(name, title, "cluster", LANE, steps))

    def forming(self, work: Work, spec: Spec) -> Forming:
        def tell(event: Event) -> None:
            code = f"{event.code}: " if event.code else ""
            kind = f"{event.step}-{event.node}" if event.node else event.step
            reason = _REASON[event.mark]
            work.event(kind, _STATUS.get(event.mark, "Unknown"), reason, f"{code}{event.text}")
            work.told(None, f"{event.node}: {event.text}" if event.node else event.text)

        return Forming(spec, self.hosts.of(spec), tell)

    def _create(self, argument: Mapping[str, Any]) -> Sequence[Step]:
        spec = Spec.model_validate(argument["spec"])

        async def preflight(work: Work) -> None:
            found = await self.forming(work, spec).preflight()
            errors = [
                Issue(i.code, i.severity, f"hosts.{name}", f"{name}: {i.text}", i.remedy)
                for name, issues in found.items()
                for i in issues
                if i.severity == "error"
            ]
            for issue in errors:
                work.event("PreflightFinding", "False", issue.code, f"{issue.text} {issue.remedy}")
            if errors:
                raise Refused(*errors)

        return (
            Step("Preflight", "Hosts are fit", preflight),
            Step("HostsPrepared", "Hosts are prepared", self._on(spec, Forming.prepare), self._taken_back(spec)),
            Step("ControlPlaneReady", "First control plane is ready", self._on(spec, Forming.found)),
            *(self._joins(spec, node) for node in Forming(spec, {}).joining),
            Step("ClusterProven", "Pods and services work", self._on(spec, _prove)),
        )

    def _change(self, argument: Mapping[str, Any]) -> Sequence[Step]:
        """Leaving hosts first, then those that come, then settings, packs and version."""
        before, after = Spec.model_validate(argument["before"]), Spec.model_validate(argument["spec"])
        stay, come = {n.uid for n in before.nodes}, {n.uid for n in after.nodes}
        steps = [self._leaves(before, node) for node in before.nodes if node.uid not in come]
        if before.version != after.version:
            steps.append(Step("ClusterUpgraded", f"All nodes run {after.version}", self._on(after, Forming.upgrade)))
        steps += [self._comes(after, node) for node in after.nodes if node.uid not in stay]
        if (before.ntp_servers, before.ssh_keys) != (after.ntp_servers, after.ssh_keys):
            steps.append(Step("SettingsApplied", "Time servers and keys are set", self._on(after, Forming.access)))
        marked = {n.uid: marks(n) for n in before.nodes}
        if any(marked.get(n.uid, marks(n)) != marks(n) for n in after.nodes):
            run = self._on(after, lambda forming: forming.mark(before))
            steps.append(Step("NodesMarked", "Nodes have labels and taints", run))
        if before.manifests != after.manifests:
            steps.append(Step("PacksApplied", "Packs are applied", self._on(after, Forming.packs)))
        steps.append(Step("ClusterProven", "Pods and services work", self._on(after, _prove)))
        return steps

    def _renew(self, argument: Mapping[str, Any]) -> Sequence[Step]:
        spec = Spec.model_validate(argument["spec"])
        return (
            Step("CertificatesRenewed", "Control planes have new ones", self._on(spec, Forming.renew)),
            Step("ClusterProven", "Pods and services work", self._on(spec, _prove)),
        )

    def _delete(self, argument: Mapping[str, Any]) -> Sequence[Step]:
        spec = Spec.model_validate(argument["spec"])

        async def forget(_work: Work) -> None:
            kept.forget(self.store)

        return (
            Step("HostsReset", "The engine is taken off all hosts", self._taken_back(spec)),
            Step("ClusterForgotten", "The hosts are free again", forget),
        )

    # -- parts of these
    def _on(self, spec: Spec, do: Callable[[Forming], Any]) -> Run:
        async def run(work: Work) -> None:
            await do(self.forming(work, spec))

        return run

    def _joins(self, spec: Spec, node: Node) -> Step:
        what = "control plane" if node.role == "control-plane" else "worker"
        return Step(
            f"NodeJoined-{node.name}", f"{node.name} joins as {what}", self._on(spec, lambda f: f.admit_once(node))
        )

    def _comes(self, spec: Spec, node: Node) -> Step:
        return Step(f"NodeAdded-{node.name}", f"{node.name} joins the cluster", self._on(spec, lambda f: f.add(node)))

    def _leaves(self, before: Spec, node: Node) -> Step:
        async def run(work: Work) -> None:
            left = await self.forming(work, before).drop(node)
            if left:
                raise Refused(_left({node.name: left}))

        return Step(f"NodeRemoved-{node.name}", f"{node.name} leaves the cluster", run)

    def _taken_back(self, spec: Spec) -> Run:
        async def run(work: Work) -> None:
            left = {name: found for name, found in (await self.forming(work, spec).delete()).items() if found}
            if left:
                raise Refused(_left(left))
            kept.forget(self.store)

        return run


async def _prove(forming: Forming) -> None:
    await forming.prove()


def _left(found: Mapping[str, list[str]]) -> Issue:
    words = "; ".join(f"{name}: {', '.join(items)}" for name, items in found.items())
    return Issue("K212", "error", "", f"Left behind: {words}.", "Try again; if it stays, restart the host.")
