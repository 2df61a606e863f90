"""Proxy: by which way does this host reach out, who is told of it, and does it work?

The person standing here has a note "proxy.site.example, port 3128, user edge01". They see what is set and who reads
it, change it, and try it against real servers before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.session import Session
from tui.widgets.page import BLANK, Page, Row, clip, heading, text, wrapped
from tui.widgets.place import Place

if TYPE_CHECKING:
    from tui.models.proxy import ProxyConfig


class ProxyScreen(Place):
    NAME = "proxy"
    CSS_PATH = "../styles/proxy.tcss"
    AUTO_FOCUS = "#proxy"
    HELP_TEXT = (
        "The proxy by which this host reaches out, what goes without it, and which programs are told. Enter changes "
        "it; nothing is written before Review. T tries it against servers of your choice. E shows how each kind of "
        "program reads the exceptions."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", "change", key_display="Enter"),
        Binding("t", "try", "test", key_display="T"),
        Binding("e", "exceptions", "exceptions", key_display="E"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.page = Page(id="proxy")
        self.by_reader = False

    def body(self) -> Iterable[Widget]:
        yield self.page

    def update(self) -> None:
        config, drafted = self.session.proxy()
        width = self.text_width
        if self.by_reader and config.method != "off":
            self.page.show(list(read_by(config, self.session, width)))
        else:
            self.page.show(list(rows(config, self.session, width, drafted=drafted)))

    def action_edit(self) -> None:
        from screens.proxy_edit import ProxyEditScreen

        self.app.push_screen(ProxyEditScreen(self.session))

    def action_try(self) -> None:
        from screens.proxy_test import ProxyTestScreen

        self.app.push_screen(ProxyTestScreen(self.session, self.session.proxy()[0]))

    def action_exceptions(self) -> None:
        self.by_reader = not self.by_reader
        self.update()


def rows(config: ProxyConfig, session: Session, width: int, *, drafted: bool) -> Iterator[Row]:
    """What is set, why something goes without it, and who is told."""
    from tui.services.proxy.exceptions import proposed

    yield heading("Proxy of this host" + (", changed in the draft: see Review" if drafted else ""))
    http, https = config.upstreams
    if http is None or https is None:
        yield text("None: this host reaches out by itself.")
        yield BLANK
        yield from wrapped("Enter sets one. T tries servers without a proxy.", width)
        return
    yield text(f"HTTP      {clip(http.shown, width - 10)}")
    yield text(f"HTTPS     {'the same' if https == http else clip(https.shown, width - 10)}")
    yield BLANK
    yield heading("Reached without it")
    reasons = {p.entry: p.reason for p in proposed(session.facts, session.draft)}
    for entry in config.exceptions:
        yield text(f"{clip(entry, 27):<28}{clip(reasons.get(entry, 'added by hand'), width - 28)}")
    if not config.exceptions:
        yield text("loopback only")
    yield BLANK
    yield heading("Told of it")
    for words in told(config, session):
        yield from wrapped(words, width)


def told(config: ProxyConfig, session: Session) -> Iterator[str]:
    """The consumers of this host, by who gets the password."""
    from tui.services.proxy.places import UNITS

    found = session.facts.consumers
    services = [name for name in found if name in UNITS]
    if services:
        yield f"Services, restarted: {', '.join(services)}"
    with_password = [*(name for name in ("apt", "dnf") if name in found), "root's shells"]
    if not config.secret:
        yield f"{', '.join(with_password)}, all logins" + (", all other services" if "systemd" in found else "")
        return
    yield f"With the password too: {', '.join(with_password)}"
    yield "Without the password: other logins" + (", all other services" if "systemd" in found else "")


def read_by(config: ProxyConfig, session: Session, width: int) -> Iterator[Row]:
    """How each kind of program reads each exception."""
    from tui.services.proxy.exceptions import READERS, readings

    yield heading(f"{'Reached without it':<28}" + "".join(f"{name:<8}" for name in READERS))
    for entry in config.exceptions:
        how = readings(entry)
        yield text(f"{clip(entry, 27):<28}" + "".join(f"{how[name]:<8}" for name in READERS))
    yield BLANK
    words = (
        "Go: containerd, docker, k3s, rke2, k0s, kubelet, snapd. A network is read by Go; a small one is also "
        "written as its addresses (as N). apt knows single hosts only. dnf reads as curl does."
    )
    yield from wrapped(words, width)
