"""A pool of nodes: its name, whether it takes workloads, and what Kubernetes shall know of its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from screens.editor import Editor
from tui.models.change import Issue
from tui.models.cluster_create import POOL_FORM, PoolDraft
from tui.session import Session
from tui.widgets.form import FormView


class PoolEditScreen(Editor):
    """Dismissed with (the pool before, the pool after), or with None.

    Args:
        pool: None for a new pool of workers.
        others: the pools that there are; names are given once.
        renamed: whether it may get another name.
    """

    NAME = "cluster"
    CSS_PATH = "../styles/cluster_create.tcss"
    HELP_TEXT = "Nodes of one pool are alike. Labels and taints are for the workloads that look for them."

    def __init__(
        self, session: Session, pool: PoolDraft | None, others: Sequence[PoolDraft], *, renamed: bool = True
    ) -> None:
        super().__init__(session)
        self.pool, self.others = pool, others
        shown = pool or PoolDraft(name="" if any(p.name == "workers" for p in others) else "workers")
        left_out = {"role", *(() if shown.control_plane else ("worker",)), *(() if renamed else ("name",))}
        fields = tuple(f for f in POOL_FORM.fields if f.path not in left_out)
        form = replace(POOL_FORM, fields=tuple(replace(f, shown_when=None) for f in fields))
        texts = {
            "name": shown.name,
            "worker": "yes" if shown.worker else "no",
            "labels": shown.labels,
            "taints": shown.taints,
        }
        self.form = FormView(form, texts)

    def action_done(self) -> None:
        values = self.form.values()
        if values is None:
            return
        name = str(values.get("name", self.pool.name if self.pool else ""))
        if any(p.name == name and p is not self.pool for p in self.others):
            text = f"There is a pool {name} already."
            self.form.blame({"name": Issue("K430", "error", "name", text, "Type another name.")})
            return
        texts = self.form.texts
        made = PoolDraft(
            name=name,
            control_plane=self.pool.control_plane if self.pool else False,
            worker=texts.get("worker", "yes") != "no",
            labels=texts["labels"].strip(),
            taints=texts["taints"].strip(),
        )
        self.dismiss((self.pool, made))  # type: ignore[arg-type]  # Place is a screen without a result
