"""Try the proxy: does it let this host through to the servers that matter, and if not, why?

The person standing here reads the result to IT on the phone: a code, a sentence, and what the proxy presented.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui.models.form import Field, Form
from tui.session import Session
from tui.widgets.actions import Action
from tui.widgets.form import FormView
from tui.widgets.look import SEVERITY_MARKS
from tui.widgets.messages import Explain
from tui.widgets.page import BLANK, Page, Row, clip, heading, marked, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.models.proxy import ProxyConfig
    from tui.services.proxy.trial import Trial

TRIAL_FORM = Form(
    "trial",
    "Test",
    (
        Field("endpoint", "text", "Management", "https://console.site.example/", help="What this host registers with."),
        Field("registry", "text", "Registry", "https://registry.site.example/", help="Where images come from."),
        Field("other", "text", "Another", "https://www.site.example/", help="Any server that should be reached."),
    ),
)


class ProxyTestScreen(Place):
    NAME = "proxy"
    CSS_PATH = "../styles/proxy_test.tcss"
    AUTO_FOCUS = "FormView > *"
    IS_PLACE = False
    HELP_TEXT = (
        "Type the web addresses that this host has to reach; empty ones are left out. Test goes the way that the "
        "proxy and the exceptions give each: it connects, logs in, checks the certificate and reads the answer. "
        "Nothing is written. Enter at a result explains its code."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "next", key_display="Tab"),
        Binding("ctrl+x,f2", "start", "test", priority=True, key_display="^X"),
        Binding("escape,ctrl+g", "back", "back", priority=True, key_display="Esc"),
        Binding("ctrl+y,f1", "app.help", "why", key_display="^Y"),
        Binding("enter", "explain", show=False),
    ]

    def __init__(self, session: Session, config: ProxyConfig) -> None:
        super().__init__(session)
        self.config = config
        self.form = FormView(TRIAL_FORM, session.tried)
        self.results = Page(id="results", focusable=False)
        self.doing = ""
        self.trials: tuple[Trial, ...] = ()

    def body(self) -> Iterable[Widget]:
        yield self.form
        with Horizontal(id="actions"):
            yield Action("Test", id="start")
            yield Action("Back", id="back")
        yield self.results

    def update(self) -> None:
        rows = [heading(self.doing)] if self.doing else [r for one in self.trials for r in result(one, self.text_width)]
        self.results.show(rows or [text("Nothing has been tried yet.")])
        self.results.can_focus = bool(self.trials)

    def on_action_pressed(self, event: Action.Pressed) -> None:
        {"start": self.action_start, "back": self.action_back}[str(event.action.id)]()

    def action_back(self) -> None:
        self.session.tried = self.form.texts
        self.dismiss()

    def action_explain(self) -> None:
        if self.results.has_focus and self.results.key:
            self.post_message(Explain(self.results.key))

    def action_start(self) -> None:
        values = self.form.values()
        if values is not None:
            urls = [url for url in values.values() if url]
            self.run_worker(self._try(urls), group="proxy", exclusive=True, exit_on_error=False)

    async def _try(self, urls: list[str]) -> None:
        from tui.services.proxy import trial

        self.session.tried = self.form.texts
        self.doing = f"Testing {len(urls)} address{'es' * (len(urls) != 1)}..." if urls else ""
        self.update()
        try:
            self.trials = await trial.from_host(self.config, urls, self.session.host, self.session.facts)
        finally:
            self.doing = ""
            self.update()
        if self.trials:
            self.results.focus()


def result(one: Trial, width: int) -> Iterator[Row]:
    """One address: how it was reached and how long it took, or why not, and who presented what."""
    mark = "ok" if one.ok and not one.issues else "!" if one.ok else "x"
    yield marked(mark, clip(one.url, width - 3))
    way = one.via or "without a proxy"
    answer = f", answer {one.status}" if one.status else ""
    yield text(clip(f"   {way}{answer}, {one.seconds:.1f} s", width))
    for issue in one.issues:
        first, *rest = wrapped(f"{issue.code} {issue.text} {issue.remedy}", width - 3, SEVERITY_MARKS[issue.severity])
        yield Row(("   ", *first.parts), issue.code)
        yield from (Row(("   ", *row.parts)) for row in rest)
    if one.chain and one.issues:
        yield from (text(line) for line in fingerprint(one, width))
    yield BLANK


def fingerprint(one: Trial, width: int) -> Iterator[str]:
    """The SHA-256 of the last certificate presented, in groups of four that two people can compare by phone."""
    digits = one.chain[-1].sha256.upper()
    groups = [digits[i : i + 4] for i in range(0, len(digits), 4)]
    yield "   SHA-256 of what was presented:"
    for start in range(0, len(groups), 8):
        yield "   " + " ".join(groups[start : start + 8])
