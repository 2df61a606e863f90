"""The clock set by hand: one field for the moment, in UTC."""

from __future__ import annotations

from screens.trust_ask import AskScreen


class ClockScreen(AskScreen):
    NAME = "system"
    HELP_TEXT = (
        "Type date and time in UTC, and press Enter a moment before it is so. The clock is set at once and cannot be "
        "taken back; it is in the Log."
    )
