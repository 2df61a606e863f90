"""The editor of what sits on other links: which ports together, and how? Which VLAN? Which address?

The person standing here has a note from whoever runs the switch: "both cables in one LACP group, VLAN 20, this
address". They take the ports with Space, say how they work together and which VLAN, and find the address of the first
port carried over, so that it moves in one change. Nothing is written: Done goes to Review.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from textual.widget import Widget
from textual.widgets import Input

from screens.editor import Editor
from tui.models import layers
from tui.models.change import Issue
from tui.models.form import Field, Form
from tui.models.host import HostConfig
from tui.models.layers import Layers, Node
from tui.models.layers_form import KINDS, MODES, Choices, layers_form
from tui.models.link import LinkConfig
from tui.models.values import Wrong, parse
from tui.services.checks import address
from tui.session import Session
from tui.widgets.dialog import Question
from tui.widgets.form import FormView, SeveralField, nested, texts_of, under
from tui.widgets.messages import DraftChanged
from tui.widgets.page import Page, clip, heading
from tui.widgets.words import carrier

LEASED = ("nameservers", "search_domains")
"""What a lease gives: left to it while the address is from DHCP, taken over by a static one."""
CARRIED = ("ipv4", "ipv6", "nameservers", "search_domains", "routes")
"""What goes to the VLAN where a bond is made with one."""
PROPOSED = (*CARRIED, "mtu", "name", "management")
"""What follows the first port as long as nobody has typed something else."""
EMPTY = {
    "kind": "bond", "bond.mode": "active-backup", "bond.lacp_rate": "slow", "bond.hash": "layer2+3",
    "bond.monitor": "100", "bridge.stp": "yes", "ipv4.method": "dhcp", "ipv6.method": "auto", "management": "no",
}  # fmt: skip
"""Texts to begin with, where nothing is there to take them from."""


class LayersScreen(Editor):
    NAME = "network"
    CSS_PATH = "../styles/layers.tcss"
    HELP_TEXT = (
        "Arrows go along choices, Space takes a port in or out. What is carried over from the first port changes with "
        "the ports until you type something else. Ports carry no address themselves any more. Up and Down (or Tab and "
        "Ctrl-T) go from field to field. Done changes nothing yet: it goes to Review, and without Keep everything is "
        "as before."
    )

    def __init__(self, session: Session, *, edited: str = "", at: str = "") -> None:
        """
        Args:
            edited: identity of the link to change; "" to make one.
            at: identity of the link at the mark when something was to be made: the first port.
        """
        super().__init__(session)
        self.edited = edited
        self.config = session.draft or HostConfig()
        self.former = layers.wished(self.config, session.facts, edited) if edited else None
        picture = layers.of(self.config, session.facts)
        self.fields = _fields(picture, edited, self.former)
        self.head = Page(focusable=False, id="head")
        self.given: dict[str, str] = {}
        self.leased: dict[str, str] = {}
        begin = self._begin(at) if self.former is None else self._texts(self.former)
        self.form = FormView(self.fields, begin)
        if self.former is None:
            self.given = begin

    def body(self) -> Iterable[Widget]:
        yield self.head
        yield from super().body()

    def dirty(self) -> bool:
        """Whether somebody typed or chose something: what was only proposed is proposed again."""
        if self.former is not None:
            return super().dirty()
        return any(typed != self.given.get(path, "") for path, typed in self.form.texts.items())

    def actions(self) -> Iterable[tuple[str, str]]:
        return (*self.ACTIONS, ("Remove", "remove")) if self.edited else self.ACTIONS

    def on_mount(self) -> None:
        if self.former is None:
            self._propose()

    def say(self) -> None:
        super().say()
        self._picture()

    def _picture(self) -> None:
        self.head.show([heading(clip(self._head(), self.text_width))])

    # --- what is proposed --------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        return self.former.kind if self.former is not None else self.form.texts["kind"]

    def _begin(self, at: str) -> dict[str, str]:
        """The texts of something new: the link at the mark is its first port."""
        choices = {field.path: [value for value, _ in field.choices] for field in self.fields.fields}
        begin = {field.path: field.choices[0][0] for field in self.fields.fields if field.choices}
        begin |= {path: at if at in choices[path] else "" for path in ("bond.ports", "bridge.ports")}
        begin |= {"vlan.parent": at} if at in choices["vlan.parent"] else {}
        return begin | EMPTY | {"kind": choices["kind"][0]}

    def _propose(self) -> None:
        """Bring what nobody has typed in line with what is chosen: the name, and what the first port carries."""
        texts, facts = self.form.texts, self.session.facts
        ports = tuple(part for part in texts.get(f"{self.kind}.ports", "").split(", ") if part)
        if self.kind == "vlan":
            proposal, self.leased = EMPTY | {"name": _vlan_name(self.config, self.session, texts)}, {}
        else:
            kind: Literal["bond", "bridge"] = "bond" if self.kind == "bond" else "bridge"
            proposal = self._texts(layers.proposed(self.config, facts, kind, ports))
            proposal["management"] = "yes" if layers.speaking(self.config, facts) in ports else "no"
        for path in (f.path for f in self.fields.fields if f.path.split(".")[0] in PROPOSED):
            wanted = proposal.get(path, "")
            if texts[path] == self.given.get(path, ""):
                self.given[path] = wanted
                self.form.put(path, wanted)
        self._take_over()

    def _texts(self, wish: LinkConfig) -> dict[str, str]:
        """The text of each field. What a lease gave waits in `leased` while the address is from DHCP."""
        speaks = wish.identity == layers.speaking(self.config, self.session.facts)
        own = {"kind": wish.kind, "tag": "", "management": "yes" if speaks else "no"}
        present = [f for f in self.fields.fields if f.path not in own and _has(wish, f.path)]
        texts = EMPTY | own | {f.path: "" for f in self.fields.fields if f.path not in (*own, *EMPTY)}
        texts |= texts_of(Form("", "", tuple(present)), wish)
        if wish.bond is not None:
            texts["bond.primary"] = layers.resolved(wish.bond.primary, self.session.facts)
        path = "vlan.parent" if wish.kind == "vlan" else f"{wish.kind}.ports"
        texts[path] = ", ".join(layers.resolved(part, self.session.facts) for part in wish.lower)
        if wish.ipv4.method == "dhcp":
            self.leased = {path: texts[path] for path in LEASED}
            texts |= dict.fromkeys(LEASED, "")
        return texts

    def _take_over(self) -> None:
        """Going static: what the lease gave, where nothing else was typed."""
        if self.form.texts["ipv4.method"] == "static":
            for path, value in self.leased.items():
                if not self.form.texts[path]:
                    self.given[path] = value
                    self.form.put(path, value)

    def on_form_view_chose(self, event: FormView.Chose) -> None:
        if self.former is None and event.field.path in ("kind", "bond.ports", "bridge.ports", "vlan.parent"):
            self._propose()
        elif event.field.path == "ipv4.method":
            self._take_over()
        self.say()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Names follow a number while it is typed."""
        event.stop()
        if event.input.id in ("vlan-id", "tag", "name"):
            if self.former is None and self.kind == "vlan" and event.input.id == "vlan-id":
                self._propose()
            self._picture()

    # --- what is said ------------------------------------------------------------------------------------------------

    def hint(self, field: Field) -> str:
        text = self.form.texts[field.path]
        if field.path == "kind":
            return KINDS.get(text, "")
        if field.path == "bond.mode":
            return MODES.get(text, "")
        widget = self.form.fields[field.path]
        if isinstance(widget, SeveralField):
            return f"{field.help} {self._of(widget.here)}"
        return f"{field.help} {self._of(text)}" if field.path == "vlan.parent" else field.help

    def _of(self, identity: str) -> str:
        """What the cable of a link says, and what it has: "lan0: 1000 Mb/s, 192.0.2.10/24"."""
        link = self.session.facts.link(identity)
        if link is None:
            return ""
        has = next((a.address for a in link.addresses if not a.link_local), "no address")
        return f"{link.name}: {carrier(link)}, {has}."

    def _head(self) -> str:
        """What will sit on what: "lan0, lan1 -> bond0 -> bond0.20"."""
        texts, names = self.form.texts, {n.identity: n.name for n in layers.of(self.config, self.session.facts).nodes}
        below = texts["vlan.parent"] if self.kind == "vlan" else texts[f"{self.kind}.ports"]
        chain = [", ".join(names.get(part, part) for part in below.split(", ")) or "no port yet", texts["name"]]
        if self.kind == "bond" and (tag := texts.get("tag", "").strip()):
            chain.append(f"{texts['name']}.{tag}")
        return " -> ".join(chain)

    # --- what is done ------------------------------------------------------------------------------------------------

    def action_done(self) -> None:
        values = self.form.values()
        if values is None:
            return
        config, places = self._drafted(values)
        found = [i for i in address.check(config, self.session.facts) if i.severity == "error"]
        issues: dict[str, Issue] = {}
        for prefix, names in places:
            issues |= {names.get(path, path): issue for path, issue in under(prefix, iter(found)).items()}
        shown = {field.path for field in self.form.shown}
        if blamed := {path: issue for path, issue in issues.items() if path in shown}:
            self.form.blame(blamed)
        elif self.put(self.session.replace_draft, config):
            self.dismiss()
            self.app.post_message(DraftChanged())

    def _drafted(self, values: Mapping[str, Any]) -> tuple[HostConfig, list[tuple[str, dict[str, str]]]]:
        """The draft with this in it; and where issues of it stand: beginning of their field, and its names here."""
        facts, kind = self.session.facts, self.kind
        tag, speaks = values.get("tag"), values["management"] == "yes"
        data = nested({path: value for path, value in values.items() if path not in ("kind", "tag", "management")})
        if kind == "bridge":
            data["bridge"]["stp"] = data["bridge"]["stp"] == "yes"
        former = self.former.model_dump() if self.former is not None else {}
        data[kind] = former.get(kind, {}) | data[kind]
        if not data["routes"] and former.get("routes") is None:
            data["routes"] = None
        name = str(data["name"])
        if not tag:
            wish = LinkConfig.model_validate(data)
            config = layers.with_made(self.config, facts, wish, self.edited)
            return layers.with_management(config, facts, name, speaks=speaks), [(f"links.{name}", {})]
        carried = {key: data.pop(key) for key in CARRIED if key in data}
        config = layers.with_made(self.config, facts, LinkConfig.model_validate(data | layers.OFF))
        vlan = layers.vlan_name(config, facts, name, tag)
        wish = LinkConfig.model_validate({"name": vlan, "vlan": {"parent": name, "id": tag}, **carried})
        config = layers.with_made(config, facts, wish)
        config = layers.with_management(config, facts, name, speaks=False)
        config = layers.with_management(config, facts, vlan, speaks=speaks)
        return config, [
            (f"links.{name}", {}),
            (f"links.{vlan}", {"vlan.id": "tag", "name": "tag", "vlan.parent": "tag"}),
        ]

    def action_remove(self) -> None:
        """Say what goes along and who gets the address, then take it out of the draft, or into it as removed."""
        name = self.edited
        after = layers.without_made(self.config, self.session.facts, name)
        words = " ".join(_consequences(self.config, after, name, self.session))
        self.app.push_screen(Question(f"Remove {name}?", words, yes="Remove", no="No"), self._removed)

    def _removed(self, yes: bool | None) -> None:
        after = layers.without_made(self.config, self.session.facts, self.edited)
        if yes and self.put(self.session.replace_draft, after):
            self.dismiss()
            self.app.post_message(DraftChanged())


def _fields(picture: Layers, edited: str, former: LinkConfig | None) -> Form:
    """The form of this host; of something that is there already it is not asked what it is."""

    def choices(*kinds: str) -> Choices:
        return tuple((n.identity, n.name) for n in picture.nodes if n.kind in kinds and _free(n, picture, edited))

    def parents() -> Choices:
        return choices("port", "bond", "bridge")

    form = layers_form(choices("port"), choices("port", "bond", "vlan"), parents(), new=former is None)
    if former is None:
        return form
    asked = [f for f in form.fields if f.path.split(".")[0] in (former.kind, *PROPOSED)]
    kept = tuple(replace(f, shown_when=None) if f.shown_when and f.shown_when[0] == "kind" else f for f in asked)
    return Form(form.noun, form.title, kept)


def _free(node: Node, picture: Layers, edited: str) -> bool:
    """Whether something may be made of that link: it can be changed here, and is in nothing else."""
    writable = node.link is None or node.link.owner.writable
    others = [m for m in picture.masters(node.identity) if m.identity != edited]
    return writable and not others and node.state != "removed" and node.identity not in ("", edited)


def _has(wish: LinkConfig, path: str) -> bool:
    """Whether the wish has the part that a field is of."""
    first = path.split(".")[0]
    return first not in ("vlan", "bond", "bridge") or getattr(wish, first) is not None


def _vlan_name(config: HostConfig, session: Session, texts: Mapping[str, str]) -> str:
    """The usual name, as soon as the number is one; "" until then."""
    try:
        return layers.vlan_name(config, session.facts, texts["vlan.parent"], parse("vlan_id", texts["vlan.id"]))
    except Wrong:
        return ""


def _consequences(before: HostConfig, after: HostConfig, name: str, session: Session) -> Iterable[str]:
    """What goes along with a link that is removed, and who gets what it carried."""
    picture = layers.of(before, session.facts)
    along = [n.name for n in picture.nodes if n.identity != name and _rests_on(n, name, picture)]
    if along:
        lost = _addresses(before, session, name, *along) - _addresses(after, session)
        so = f", and so does {' and '.join(sorted(lost))}" if lost else ""
        yield f"{' and '.join(along)} {'go' if len(along) > 1 else 'goes'} with it{so}."
    for wish in after.links:
        if wish != before.link(wish.identity):
            addresses = ", ".join(str(a) for a in (*wish.ipv4.addresses, *wish.ipv6.addresses))
            if wish.ipv4.method == "dhcp":
                addresses = "DHCP"
            if addresses and (wish.ipv4.method != "off" or wish.ipv6.method != "off"):
                yield f"{wish.name or wish.identity} gets {addresses}."
    yield "Nothing is written before Review." if session.facts.link(name) else "It was in the draft only."


def _addresses(config: HostConfig, session: Session, *names: str) -> set[str]:
    """The addresses of these links, or of all but removed ones."""
    found: set[str] = set()
    for node in layers.of(config, session.facts).nodes:
        if node.state != "removed" and (not names or node.identity in names):
            wish = node.wish or layers.wished(config, session.facts, node.identity)
            if wish is not None:
                found |= {str(a) for a in (*wish.ipv4.addresses, *wish.ipv6.addresses)}
    return found


def _rests_on(node: Node, name: str, picture: Layers) -> bool:
    lower = [n for i in node.lower if (n := picture.node(i))]
    return name in node.lower or any(_rests_on(n, name, picture) for n in lower)
