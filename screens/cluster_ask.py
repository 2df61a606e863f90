"""A question with one field, asked by a page of Cluster."""

from __future__ import annotations

from screens.trust_ask import AskScreen


class ClusterAskScreen(AskScreen):
    NAME = "cluster"
