"""Nodes: which host does what? Each gets a pool; an odd number of them are control planes.

The person standing here sees this host and those that are linked to it, and gives each a role by Space.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from screens.cluster_create import CreateStep, ListStep
from screens.cluster_page import issue_rows
from tui.models.change import Issue, Refused
from tui.models.cluster_create import PoolDraft
from tui.services.cluster.hosts import Candidate
from tui.widgets.messages import Explain, Go
from tui.widgets.page import BLANK, Row, clip, heading, text, wrapped

SECONDS = 6.0
WORKERS = PoolDraft(name="workers")
"""The pool that Space makes where there is none of workers yet."""


class HostsStep(ListStep):
    STEP = "nodes"
    HELP_TEXT = (
        "Space gives the host at the mark its next role: control plane, a pool of workers, or none. N takes its next "
        "interface; auto leaves that to the agent. A adds a pool of workers, Enter on a pool changes it, D takes it "
        "away. L goes to Hosts, where others are linked to this one."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "role", "role", key_display="Space"),
        Binding("n", "nic", "interface", key_display="N"),
        Binding("a", "add", "pool", key_display="A"),
        Binding("d", "drop", "drop", show=False),
        Binding("enter", "choose", "change", show=False),
        Binding("l", "hosts", "link", key_display="L"),
        *CreateStep.BINDINGS,
    ]

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield self.message

    def on_mount(self) -> None:
        super().on_mount()
        self._again()
        self.set_interval(SECONDS, self._again)

    def _again(self) -> None:
        if self.is_current and not self.busy:
            self.busy = True
            self._look()

    @work(group="agent", exit_on_error=False)
    async def _look(self) -> None:
        from tui.services.cluster.asking import hosts

        try:
            self.way.hosts, self.refused = await hosts(await self.session.agent_client())
        except Refused as refused:
            self.refused = refused.issues
        finally:
            self.busy = False
        if self.is_mounted:
            self._lead()
            self.update()

    def _lead(self) -> None:
        """This host is a control plane, unless somebody said something else."""
        here = next((h for h in self.way.hosts or () if h.this), None)
        if here is not None and not self.draft.hosts:
            self.change(hosts={here.id: self.draft.pools[0].name})

    def update(self) -> None:
        self.show_head("Which host does what?")
        self.list.show(list(self._rows()))
        wrong = self.wrong()
        self.say(f"{wrong[0].code} {wrong[0].text} {wrong[0].remedy}" if wrong else "")

    def wrong(self) -> tuple[Issue, ...]:
        from tui.services.cluster.create import nodes

        return tuple(nodes(self.draft, self.way.hosts or ())) if self.way.hosts is not None else ()

    def _rows(self) -> Iterator[Row]:
        width = self.text_width
        yield from issue_rows(self.refused, width)
        if self.way.hosts is None:
            if not self.refused:
                yield text("Asking the agent...")
            return
        for host in self.way.hosts:
            yield self._host(host, width)
        if len(self.way.hosts) == 1:
            yield from wrapped(
                "No other host is linked to this one: L links some. One host alone is a cluster, too.", width
            )
        yield BLANK
        yield heading("Pools")
        for pool in self.draft.pools:
            what = (
                "control plane" + (", takes workloads" if pool.worker else ", no workloads")
                if pool.control_plane
                else "worker"
            )
            more = "; ".join(x for x in (pool.labels, pool.taints) if x)
            hosts = len(self.draft.members(pool.name))
            many = f"{hosts:>2} host{'s' if hosts != 1 else ' '}"
            words = f"{clip(pool.name, 17):<18}{many}  {what}{'; ' + more if more else ''}"
            yield Row((clip(words, width),), f"pool:{pool.name}")

    def _host(self, host: Candidate, width: int) -> Row:
        pool = self.draft.hosts.get(host.id, "")
        nic = self.draft.nics.get(host.id, "auto")
        mark = (
            "x" if host.taken or (host.wrong and host.wrong.issue.severity == "error") else "!" if host.wrong else "ok"
        )
        where = "this host" if host.this else host.address
        words = f"{mark:<3}{clip(host.name, 15):<16}{clip(where, 15):<16}{clip(pool or '-', 16):<17}{nic}"
        return Row((clip(words, width),), f"host:{host.id}")

    # --- deciding --------------------------------------------------------------------------------------------------

    def _at(self, kind: str) -> str:
        key = self.list.key
        return key.removeprefix(f"{kind}:") if key.startswith(f"{kind}:") else ""

    def action_role(self) -> None:
        host = self._at("host")
        if not host:
            self.action_choose()
            return
        roles = [*(p.name for p in self.draft.pools), ""]
        now = self.draft.hosts.get(host, "")
        if now == self.draft.pools[0].name and len(roles) == 2:  # there are no workers yet: the next role makes some
            self.change(pools=(*self.draft.pools, WORKERS))
            roles.insert(1, WORKERS.name)
        following = roles[(roles.index(now) + 1) % len(roles)] if now in roles else roles[0]
        hosts = {h: p for h, p in self.draft.hosts.items() if h != host} | ({host: following} if following else {})
        left = now == WORKERS.name and now not in hosts.values()  # what Space made goes with its last host
        self.change(pools=tuple(p for p in self.draft.pools if p != WORKERS or not left), hosts=hosts)
        self.update()

    def action_nic(self) -> None:
        found = next((h for h in self.way.hosts or () if h.id == self._at("host")), None)
        if found is None:
            return
        names = ["", *(n.name for n in found.nics if n.address)]
        now = self.draft.nics.get(found.id, "")
        following = names[(names.index(now) + 1) % len(names)] if now in names else ""
        others = {h: n for h, n in self.draft.nics.items() if h != found.id}
        self.change(nics={**others, found.id: following} if following else others)
        self.update()

    def action_add(self) -> None:
        self._edit(None)

    def action_choose(self) -> None:
        if self.list.key.startswith("code:"):
            self.post_message(Explain(self.list.key.removeprefix("code:")))
        elif self._at("host"):
            self.action_role()
        elif (pool := self.draft.pool(self._at("pool"))) is not None:
            self._edit(pool)

    def _edit(self, pool: PoolDraft | None) -> None:
        from screens.cluster_pool import PoolEditScreen

        self.app.push_screen(PoolEditScreen(self.session, pool, self.draft.pools), self._edited)

    def _edited(self, result: tuple[PoolDraft | None, PoolDraft] | None) -> None:
        if result is None:
            return
        before, after = result
        pools = tuple(after if p is before else p for p in self.draft.pools) if before else (*self.draft.pools, after)
        renamed = {h: after.name if before and p == before.name else p for h, p in self.draft.hosts.items()}
        self.change(pools=pools, hosts=renamed)
        self.update()

    def action_drop(self) -> None:
        """Take a pool of workers away; its hosts are then not used."""
        pool = self.draft.pool(self._at("pool"))
        if pool is None or pool.control_plane:
            return
        self.change(
            pools=tuple(p for p in self.draft.pools if p is not pool),
            hosts={h: p for h, p in self.draft.hosts.items() if p != pool.name},
        )
        self.update()

    def action_hosts(self) -> None:
        self.action_leave_page()
        self.app.post_message(Go("peers"))

    def ready(self) -> bool:
        wrong = [i for i in self.wrong() if i.severity == "error"]
        self.update()
        return self.way.hosts is not None and not wrong
