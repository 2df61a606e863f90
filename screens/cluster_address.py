"""The address of the cluster: is it in the network of the hosts, is it free, and who may log in?

When the field is left, the network is asked whether anybody answers there; the step goes on without that.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import ClassVar

from textual import work
from textual.widget import Widget

from screens.cluster_create import FormStep, Way
from tui.models.change import Issue, Refused
from tui.models.cluster_create import ADDRESS_FORM
from tui.models.values import Wrong, parse
from tui.session import Session
from tui.widgets.actions import Action
from tui.widgets.dialog import Question


class AddressStep(FormStep):
    STEP = "address"
    FORM = ADDRESS_FORM
    PART = "address"
    START: ClassVar[dict[str, str]] = {"kind": "vip"}
    HELP_TEXT = (
        "Everybody reaches the cluster at one address that moves between the control planes. When you leave the "
        "field, the network is asked whether somebody has it. SSH keys: who may log in to the hosts of the cluster."
    )

    def __init__(self, session: Session, way: Way) -> None:
        super().__init__(session, way)
        self.probed: dict[str, Issue | None] = {}
        self.probing = ""
        self.asked = False

    def more_actions(self) -> Iterable[Widget]:
        yield Action("SSH keys", id="keys")

    def update(self) -> None:
        keys = len(self.draft.ssh_keys)
        self.show_head(f"Where is it reached? {keys or 'No'} SSH key{'' if keys == 1 else 's'} chosen.")
        self._say()

    def on_action_pressed(self, event: Action.Pressed) -> None:
        if event.action.id == "keys":
            from screens.cluster_keys import KeysScreen

            self.keep()
            self.app.push_screen(KeysScreen(self.session, self.draft.ssh_keys, self._keys))
        else:
            super().on_action_pressed(event)

    def _keys(self, keys: tuple[str, ...]) -> str:
        from tui.services.cluster import draft

        self.way.draft = self.draft.model_copy(update={"ssh_keys": keys})
        try:
            draft.store(self.session.host, self.draft)
        except OSError:
            return "The draft cannot be kept on the disk."
        return ""

    def address(self) -> IPv4Address | None:
        """What is typed, if it is an address."""
        if self.form.texts["kind"] != "vip":
            return None
        try:
            found: IPv4Address | None = parse("vip", self.form.texts["vip"])
        except Wrong:
            return None
        return found

    def on_form_view_moved(self) -> None:
        address = self.address()
        if address is not None and self.form.at != "vip" and str(address) not in self.probed and not self.probing:
            self.probing = str(address)
            self._probe(address)
        self._say()

    @work(group="probe", exit_on_error=False)
    async def _probe(self, address: IPv4Address) -> None:
        from tui.services.cluster.vip import probed

        try:
            found = await probed(self.session.host, self.session.facts, address)
        finally:
            self.probing = ""
        self.probed[str(address)] = found
        if self.is_mounted and self.address() == address:
            if found is not None:
                self.form.note("vip", found)
            self._say()

    def _say(self) -> None:
        address = self.address()
        if self.form.issue is None and address is not None and self.form.at != "vip":
            if str(address) == self.probing:
                self.say(f"Asking the network whether somebody has {address}...")
                return
            if str(address) in self.probed:
                found = self.probed[str(address)]
                self.say(f"{found.text} {found.remedy}" if found else f"Nobody answers at {address}.")
                return
        super()._say()

    def ready(self) -> bool:
        if self.form.values() is None:
            return False
        from tui.services.cluster.create import address

        if self.way.hosts is None and not self.asked:
            self.say("Asking the agent for the networks of the hosts...")
            self._ask()
            return False
        hosts = self.way.hosts or ()
        wrong = next((i for i in address(self.draft, hosts) if i.severity == "error"), None)
        if wrong is not None:
            self.form.blame({"range" if self.draft.overlay else "vip": wrong})
            self.say(f"{wrong.text} {wrong.remedy}")
            return False
        taken = self.probed.get(str(self.address()))
        if taken is not None and taken.severity == "error":
            self.app.push_screen(Question("Go on all the same?", taken.text, yes="Go on", no="Change it"), self._on)
            return False
        return True

    @work(group="agent", exclusive=True, exit_on_error=False)
    async def _ask(self) -> None:
        """Then on; an agent that does not tell keeps nobody here."""
        from tui.services.cluster.asking import hosts

        try:
            self.way.hosts, _ = await hosts(await self.session.agent_client())
        except Refused:
            pass
        finally:
            self.asked = True
        if self.is_mounted:
            self.action_onward()

    def _on(self, yes: bool | None) -> None:
        if yes:
            self.go(1)
