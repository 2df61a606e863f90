"""The QR code: can somebody with a phone enter this host at the management plane?

The person standing here holds a phone to the screen, or reads the lines out where the screen cannot show a code. All
of it is public: the address of a page and the host id.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from textwrap import wrap
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.models import qr
from tui.session import Session
from tui.widgets.look import STRONG

INK = Style(color="black", bgcolor="bright_white")
"""Named colours and the brightest ground there is: dark on light whatever the ground of the terminal is."""


class Code(Widget, can_focus=True):
    """The code at the left, what it says at the right; or only the words where there is no room for all of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+p", "scroll_by(-1)", show=False),
        Binding("down,ctrl+n", "scroll_by(1)", show=False),
    ]

    def __init__(self, link: str, uid: str, *, half_blocks: bool) -> None:
        super().__init__()
        self.top = 0
        self.link, self.uid, self.half_blocks = link, uid, half_blocks
        self.code = qr.matrix(link)
        self.drawn: list[Strip] = []

    def on_mount(self) -> None:
        self.draw()

    def on_resize(self) -> None:
        self.draw()

    def action_scroll_by(self, lines: int) -> None:
        """Where the words are longer than the screen."""
        self.top = max(0, min(self.top + lines, len(self.drawn) - self.size.height))
        self.refresh()

    def draw(self) -> None:
        self.drawn, self.top = self._drawn(), 0
        self.refresh()

    def _drawn(self) -> list[Strip]:
        """Lines of code, then of words beside them where they fit, else below."""
        base, width, height = self.visual_style.rich_style, self.size.width, self.size.height
        picture = self._picture(width, height)
        left = picture[0].cell_length + 1 if picture else 0
        if picture and width - left < 20:
            words, left = list(self._words(width, "")), 0
            below = [Strip([Segment(line, base)]) for line in words]
            return [*picture, *below]
        why = "" if picture else self._why(width, height)
        words = list(self._words(width - left, why))
        lines = []
        for number in range(max(len(picture), len(words))):
            start = picture[number] if number < len(picture) else Strip([Segment(" " * max(0, left - 1), base)])
            word = words[number] if number < len(words) else ""
            style = base + STRONG if number == 0 else base
            lines.append(Strip.join([start, Strip([Segment(" " * (left > 0) + word, style)])]))
        return lines

    def _picture(self, width: int, height: int) -> list[Strip]:
        """Whole cells where they fit, for every terminal has them; else half blocks, where it has those; else none."""
        if self.code is None:
            return []
        size = len(self.code)
        if width >= 2 * size and height >= size:
            dark, light = Style(bgcolor="black", color="white"), Style(reverse=True)
            light = INK if self._colours() else light
            dark = dark if self._colours() else Style()
            return [Strip([Segment("  ", dark if m else light) for m in row]).simplify() for row in self.code]
        if self.half_blocks and width >= size and height >= (size + 1) // 2:
            return [Strip([Segment(line, INK)]) for line in qr.halves(self.code)]
        return []

    def _colours(self) -> bool:
        profile = getattr(getattr(self.app, "_driver", None), "profile", None)
        return profile is None or profile.colours > 0

    def _why(self, width: int, height: int) -> str:
        if not self.link:
            return "No page is set that a code could open."
        if self.code is None:
            from tui.services.registration import too_long

            return f"{too_long(self.link).code} {too_long(self.link).text}"
        size = len(self.code)
        if not self.half_blocks and not (width >= 2 * size and height >= size):
            return "This terminal cannot show a code."
        return f"This screen is too small for the code: it needs {size} columns and {(size + 1) // 2} lines."

    def _words(self, width: int, why: str) -> Iterator[str]:
        yield "Register this host"
        yield ""
        for words in [why] if why else ["Scan it to open the registration page."]:
            yield from wrap(words, max(10, width))
        yield ""
        page = self.link.partition("?")[0]
        for label, value in (("Page, in groups of four:", page), ("Host id, in groups of four:", self.uid)):
            if value:
                yield label
                yield from wrap(qr.groups(value), max(10, width))
                yield ""
        yield "Esc back"

    def render_line(self, y: int) -> Strip:
        y += self.top
        return self.drawn[y] if y < len(self.drawn) else Strip.blank(self.size.width, self.visual_style.rich_style)


class RegistrationQrScreen(Screen[None]):
    AUTO_FOCUS = "Code"
    CSS = "Code { width: 1fr; height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+g,enter,q,r", "back", "back", key_display="Esc")]

    def __init__(self, session: Session) -> None:
        super().__init__(name="registration_qr")
        self.session = session
        self._borrowed = contextlib.ExitStack()

    def compose(self) -> ComposeResult:
        from tui.services import registration

        config = self.session.registration()[0]
        uid = registration.host_id(config, self.session.host)[0]
        link = registration.link(config, uid) if config is not None else ""
        yield Code(link, uid, half_blocks=self._half_blocks())

    def _half_blocks(self) -> bool:
        """Whether the terminal has them; a Linux console whose font has none gets some while this page is open."""
        driver = getattr(self.app, "_driver", None)
        profile = getattr(driver, "profile", None)
        if profile is None or profile.glyphs is None:
            return True
        if driver is None or profile.name != "linux":
            return False
        from tui.terminal import halfblocks

        with contextlib.suppress(OSError, ValueError):
            self._borrowed.enter_context(halfblocks.lent(driver.stdout))
            return True
        return False

    def on_mount(self) -> None:
        self._repaint()

    def on_unmount(self) -> None:
        self._borrowed.close()
        self._repaint()

    def _repaint(self) -> None:
        """The font may have changed under what is on the screen."""
        repaint = getattr(getattr(self.app, "_driver", None), "repaint", None)
        if repaint is not None:
            repaint()

    def action_back(self) -> None:
        self.dismiss()
