"""The forms of Name & time: one over two parts of the document, and one for the clock that is set by hand."""

from __future__ import annotations

from collections.abc import Collection

from tui.models.form import Field, Form

_FIELDS = (
    Field(
        "identity.hostname", "hostname", "Host name", "edge-7c21", needed=True,
        help="Small letters, digits and hyphens, 63 at most. Kubernetes and the management plane know the host by it.",
    ),
    Field(
        "clock.servers", "timeservers", "Time servers", "ntp1.site.example, 192.0.2.123",
        help="Names or addresses with commas or blanks. Empty: those of DHCP and of the distribution. "
        "A proxy does not carry them.",
    ),
    Field(
        "clock.zone", "zone", "Time zone", "Europe/Berlin",
        help="UTC is best for the nodes of a cluster; logs are then easy to compare.",
    ),
    Field(
        "identity.keyboard", "keymap", "Keyboard", "de",
        help="The layout of the keyboard at this box: us, de, fr... A serial line or SSH uses the one at its far end.",
    ),
    Field(
        "try", "text", "Try it", "z y - / @ : #",
        help="Type what you need for passwords. It shows the layout in force now, and goes nowhere.",
    ),
)  # fmt: skip
TRY = "try"
"""The field that is for trying the keyboard; no part of the document."""

CLOCK_FORM = Form(
    "moment",
    "Set the clock",
    (
        Field(
            "now", "moment", "Now (UTC)", "2026-01-31 12:00", needed=True,
            help="Date and time in UTC, not in the time zone of this host.",
        ),
    ),
)  # fmt: skip


def form(without: Collection[str] = ()) -> Form:
    """The form of Name & time, without the fields that cannot be set on this host."""
    return Form("system", "Name & time", tuple(field for field in _FIELDS if field.path not in without))
