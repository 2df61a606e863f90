"""Which folder, archive or image? One line to type."""

from __future__ import annotations

from screens.trust_ask import AskScreen


class PathScreen(AskScreen):
    NAME = "content"
