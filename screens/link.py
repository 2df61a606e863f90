"""The editor of one interface: which address, which way out, which name servers?

The person standing here has a sheet with an address, a gateway and name servers, or was told "leave it on DHCP". They
type what is on the sheet and hear at each field what is wrong with it. Nothing is written: Done goes to Review.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from textual.widget import Widget

from screens.editor import Editor
from tui.models import layers
from tui.models.facts import Link
from tui.models.form import LINK_FORM, MANAGEMENT, Form
from tui.models.host import HostConfig
from tui.models.link import LinkConfig
from tui.services.checks import cluster
from tui.session import Session
from tui.widgets.form import FormView, nested, texts_of, under
from tui.widgets.messages import DraftChanged
from tui.widgets.page import Page, heading, wrapped
from tui.widgets.words import METHODS, carrier, origin

MESSAGE_LINES = 2
DHCP_GIVES = ("nameservers", "search_domains")
"""What a static form takes over from the lease, and a DHCP form leaves to it."""


class LinkScreen(Editor):
    NAME = "network"
    CSS_PATH = "../styles/link.tcss"
    HELP_TEXT = (
        "Each field says what is wrong with it when you leave it. Up and Down (or Tab and Ctrl-T) go from field to "
        "field, Ctrl-U empties one, Ctrl-R puts back what it had. Reset fills in what the host has now. Done changes "
        "nothing yet: it goes to Review."
    )

    ACTIONS = (*Editor.ACTIONS, ("Reset", "reset"))

    def __init__(self, session: Session, link: Link) -> None:
        super().__init__(session)
        self.link = link
        self.locked = bool(cluster.locked(link, session.facts))
        self.fields = _without_addresses() if self.locked else LINK_FORM
        shown = self.fields if self.locked else replace(LINK_FORM, fields=(*LINK_FORM.fields, MANAGEMENT))
        self.head = Page(focusable=False, id="head")
        self.form = FormView(shown, self._texts(session.wish(link)))

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield from super().body()

    def update(self) -> None:
        now = self.session.facts.link(self.link.identity) or self.link
        has = METHODS.get(now.method4, "not set up")
        by = f" by {origin(now.origin)}" if now.origin != "other" else ""
        locked = "; address locked by Kubernetes" if self.locked else ""
        self.head.show([heading(f"{now.name}  {carrier(now)}, {has}{by}{locked}")])
        self.say()

    def _texts(self, config: LinkConfig) -> dict[str, str]:
        """Texts of the fields; what only the lease gave stays empty while the address is from DHCP."""
        speaks = layers.speaking(self.session.draft or HostConfig(), self.session.facts) == config.identity
        texts = texts_of(self.fields, config) | ({} if self.locked else {"management": "yes" if speaks else "no"})
        lease = self.link.lease
        if config.ipv4.method == "dhcp" and lease is not None:
            given = {"nameservers": lease.nameservers, "search_domains": lease.search_domains}
            for path in DHCP_GIVES:
                if set(texts[path].split(", ")) <= set(given[path]):
                    texts[path] = ""
        return texts

    def _prefill(self) -> None:
        """Going static: take over what the lease gave, where nothing else was typed."""
        if self.locked or self.link.lease is None or self.form.texts["ipv4.method"] != "static":
            return
        texts = texts_of(LINK_FORM, LinkConfig.from_link(self.link))
        for path in (*DHCP_GIVES, "ipv4.addresses", "ipv4.gateway"):
            if not self.form.texts[path]:
                self.form.put(path, texts[path])

    def say(self) -> None:
        """What to do about the field that has the focus; its sentence too, where that is cut off under the field."""
        issue, width = self.form.issue, self.text_width
        words = ""
        if issue is not None:
            cut = len(issue.code) + 1 + len(issue.text) > width - 2
            words = f"{issue.text} {issue.remedy}" if cut else issue.remedy
        rows = list(wrapped(words, width)) if words else []
        self.message.styles.height = max(MESSAGE_LINES, min(len(rows), MESSAGE_LINES + 1))
        self.message.show(rows)
        self.form.call_after_refresh(self.form.show_issue)

    def on_form_view_chose(self) -> None:
        self._prefill()

    def action_done(self) -> None:
        values = self.form.values()
        if values is None:
            return
        wish, facts = self.session.wish(self.link), self.session.facts
        stays = wish.model_dump(include={"ipv4", "ipv6"}) if self.locked else {}
        speaks = values.pop("management", "") == "yes"
        values["routes"] = values["routes"] or (None if wish.routes is None else ())
        who = {"mac": self.link.identity, "name": self.link.name}
        config = LinkConfig.model_validate(stays | nested(values) | who)
        issues = under(f"links.{self.link.identity}", iter(self.session.check(config)))
        if issues:
            self.form.blame(issues)
            return
        draft = (self.session.draft or HostConfig()).with_link(config)
        if not self.locked:
            draft = layers.with_management(draft, facts, config.identity, speaks=speaks)
        if self.put(self.session.replace_draft, draft):
            self.dismiss()
            self.app.post_message(DraftChanged())

    def action_reset(self) -> None:
        for path, value in self._texts(LinkConfig.from_link(self.link)).items():
            self.form.put(path, value)


def _without_addresses() -> Form:
    fields = tuple(f for f in LINK_FORM.fields if not f.path.startswith(("ipv4.", "ipv6.")))
    return Form(LINK_FORM.noun, LINK_FORM.title, fields)
