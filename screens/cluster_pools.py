"""Pools: which hosts are nodes of which kind? Add a host, take one out, change labels and taints."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType

from screens.cluster_page import BACK, HELP, AgentPage
from screens.explain import ExplainScreen
from tui.models.cluster_create import PoolDraft
from tui.session import Session
from tui.widgets.dialog import Question
from tui.widgets.page import BLANK, Row, clip, heading, text, wrapped

if TYPE_CHECKING:
    from tui.services.cluster.answers import Answer
    from tui.services.cluster.hosts import Candidate
    from tui.services.cluster.members import Pool


class PoolsScreen(AgentPage):
    TITLE_WORDS = "Pools"
    HELP_TEXT = (
        "The hosts of the cluster by pool, and linked hosts that are in none. A at such a host puts it into a pool of "
        "workers; D at a node takes it out of the cluster, D at a pool takes the whole pool out; Enter at a pool "
        "changes its labels and taints. The agent drains a node before it goes."
    )
    SECONDS: ClassVar[float] = 10.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add the host", key_display="A"),
        Binding("d", "drop", "take out", key_display="D"),
        Binding("enter", "choose", "change the pool", key_display="Enter"),
        Binding("r", "look", "ask again", show=False),
        BACK,
        HELP,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.answer: Answer = {}
        self.found: tuple[Pool, ...] = ()
        self.free: tuple[Candidate, ...] = ()

    async def load(self) -> None:
        from tui.models.contract import pools
        from tui.services.cluster.asking import hosts
        from tui.services.cluster.members import pools as pools_of
        from tui.services.cluster.reading import SECONDS

        client = await self.session.agent_client()
        self.answer = (await client.call(pools.LIST, seconds=SECONDS)).sent()
        self.found = pools_of(self.answer)
        used = {host for pool in self.found for host, _ in pool.hosts}
        everybody, _ = await hosts(client)
        self.free = tuple(h for h in everybody if h.id not in used)

    def rows(self) -> Iterable[Row]:
        width = self.text_width
        for pool in self.found:
            what = "control plane" if pool.control_plane else "worker"
            what += ", takes workloads" if pool.control_plane and pool.also_worker else ""
            yield Row(((clip(f"{pool.name}: {what}", width)),), f"pool:{pool.name}")
            for host, name in pool.hosts:
                yield Row((clip(f"   {name}", width),), f"host:{pool.name}/{host}")
            for label, values in (("labels", pool.labels), ("taints", pool.taints)):
                if values:
                    yield text(clip(f"   {label} {', '.join(values)}", width))
        yield BLANK
        yield heading("Linked hosts in no pool")
        for one in self.free:
            note = f"  {one.wrong.issue.text}" if one.wrong else ""
            yield Row((clip(f"   {one.name:<18} {one.address}{note}", width),), f"free:{one.id}")
        if not self.free:
            yield from wrapped("None. Link another host (Hosts) to add it here.", width, indent=3)

    # --- changing --------------------------------------------------------------------------------------------------

    def action_add(self) -> None:
        key = self.page.key
        host = next((h for h in self.free if key == f"free:{h.id}"), None)
        if host is None:
            self.doing = "Put the mark at a host that is in no pool: A adds it."
            self.update()
            return
        workers = [p.name for p in self.found if not p.control_plane]
        name = workers[0] if workers else "workers"
        words = f"It becomes a worker of the pool {name}. That takes some minutes; the host may restart."
        self.app.push_screen(
            Question(f"Add {host.name}?", words, yes="Add", no="Not now"), partial(self._add, host, name, not workers)
        )

    def _add(self, host: Candidate, pool: str, new: bool, yes: bool | None) -> None:
        if yes:
            self.do(f"Adding {host.name}...", partial(self._added, host, pool, new), watch=True)

    async def _added(self, host: Candidate, pool: str, new: bool) -> str:
        from tui.models.contract import pools

        client = await self.session.agent_client()
        entry = {"hostUid": host.id, "hostName": host.name, "hostAddress": host.address}
        if new:
            body: dict[str, Any] = {"name": pool, "isControlPlane": False, "size": 1, "hosts": [entry]}
            await client.call(pools.CREATE, pools.MachinePool.model_validate(body), seconds=30.0)
        else:
            body = self._raw(pool)
            there: list[Any] = body.get("hosts", [])
            body |= {"hosts": [*there, entry], "size": len(there) + 1}
            await client.call(pools.REPLACE, pools.MachinePool.model_validate(body), seconds=30.0, poolName=pool)
        return f"The agent adds {host.name}; Watch shows how far it is."

    def _raw(self, pool: str) -> dict[str, Any]:
        from tui.services.cluster.answers import parts

        return dict(next((p for p in parts(self.answer, "items") if p.get("name") == pool), {}))

    def action_drop(self) -> None:
        kind, _, what = self.page.key.partition(":")
        if kind == "pool":
            pool = next((p for p in self.found if p.name == what), None)
            if pool is not None and not pool.control_plane:
                those = "Its node is" if len(pool.hosts) == 1 else f"Its {len(pool.hosts)} nodes are"
                words = f"{those} drained and taken out of the cluster; workloads move to others."
                self.app.push_screen(
                    Question(f"Take the pool {what} out?", words, yes="Take out", no="Keep it"),
                    partial(self._drop_pool, what),
                )
                return
        elif kind == "host":
            name, _, host = what.partition("/")
            pool = next((p for p in self.found if p.name == name), None)
            words = self._last(pool)
            if not words:
                shown = next((n for h, n in pool.hosts if h == host), host) if pool else host
                self.app.push_screen(
                    Question(
                        f"Take {shown} out?", "It is drained and leaves the cluster.", yes="Take out", no="Keep it"
                    ),
                    partial(self._drop_node, name, shown),
                )
                return
            self.doing = words
            self.update()
            return
        self.doing = "The control plane goes only with the whole cluster (Delete)." if kind == "pool" else ""
        self.update()

    @staticmethod
    def _last(pool: Pool | None) -> str:
        """Why a node of this pool may not go; "" where it may."""
        if pool is not None and pool.control_plane and len(pool.hosts) <= 1:
            return "It is the last control plane: it goes only with the whole cluster (Delete)."
        if pool is not None and pool.control_plane and len(pool.hosts) == 2:
            return "With one of two control planes gone the cluster could not decide anything. Add a third one first."
        return ""

    def _drop_pool(self, name: str, yes: bool | None) -> None:
        if yes:
            self.do(f"Taking out {name}...", partial(self._pool_dropped, name), watch=True)

    async def _pool_dropped(self, name: str) -> str:
        from tui.models.contract import pools

        client = await self.session.agent_client()
        await client.call(pools.DELETE, seconds=30.0, poolName=name)
        return f"The agent takes {name} out."

    def _drop_node(self, pool: str, node: str, yes: bool | None) -> None:
        if yes:
            self.do(f"Taking out {node}...", partial(self._node_dropped, pool, node), watch=True)

    async def _node_dropped(self, pool: str, node: str) -> str:
        from tui.models.contract import pools

        client = await self.session.agent_client()
        await client.call(pools.DELETE_NODE, seconds=30.0, poolName=pool, nodeName=node)
        return f"The agent drains {node} and takes it out."

    def chosen(self, key: str) -> None:
        from screens.cluster_pool import PoolEditScreen

        pool = next((p for p in self.found if key == f"pool:{p.name}"), None)
        if pool is None:
            self.app.push_screen(ExplainScreen(self.session, list(wrapped(self.HELP_TEXT, self.text_width))))
            return
        shown = PoolDraft(
            name=pool.name, control_plane=pool.control_plane, worker=pool.also_worker,
            labels=", ".join(pool.labels), taints=", ".join(pool.taints),
        )  # fmt: skip
        self.app.push_screen(PoolEditScreen(self.session, shown, (shown,), renamed=False), self._edited)

    def _edited(self, result: tuple[PoolDraft | None, PoolDraft] | None) -> None:
        if result is not None and result[0] != result[1]:
            self.do(f"Changing {result[1].name}...", partial(self._changed, result[1]))

    async def _changed(self, pool: PoolDraft) -> str:
        from tui.models.contract import pools
        from tui.services.cluster.create import marks_of

        client = await self.session.agent_client()
        body = self._raw(pool.name) | marks_of(pool)
        body["useControlPlaneAsWorker"] = pool.control_plane and pool.worker
        await client.call(pools.REPLACE, pools.MachinePool.model_validate(body), seconds=30.0, poolName=pool.name)
        return f"The agent changes {pool.name}."
