"""The editor of the proxy: which host and port, which login, and what goes without it?

The person standing here types what IT gave them, each part in its own field, and the password as it is. Test tries it
before anything is in the draft; Done goes to Review.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.editor import Editor
from tui.models.form import Field
from tui.models.proxy import PROXY_FORM, ProxyConfig
from tui.session import Session
from tui.widgets.form import FormView, nested, under
from tui.widgets.messages import DraftChanged

if TYPE_CHECKING:
    from tui.models.proxy import Upstream


class ProxyEditScreen(Editor):
    NAME = "proxy"
    CSS_PATH = "../styles/proxy_edit.tcss"
    HELP_TEXT = (
        "Type the parts as IT gave them, the password with all its signs. An empty password keeps the one that this "
        "host has for the same proxy and user. Reset fills in the exceptions that are known. Test tries it at once; "
        "Done changes nothing yet: it goes to Review."
    )

    ACTIONS = (("Done", "done"), ("Test", "try"), ("Cancel", "cancel"), ("Reset", "reset"))

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        drafted = session.draft.proxy if session.draft is not None else None
        self.form = FormView(PROXY_FORM, texts(drafted or session.proxy()[0], secrets=drafted is not None))

    def hint(self, field: Field) -> str:
        return field.help if field.secret else ""

    def on_form_view_chose(self) -> None:
        """A proxy is wanted: the exceptions that are known are there to begin with."""
        if self.form.texts["method"] != "off" and not self.form.texts["exceptions"]:
            self.action_reset()

    def _config(self) -> ProxyConfig | None:
        """What is typed, or None where something is wrong; the field is then in focus and says what."""
        values = self.form.values()
        if values is None:
            return None
        data = nested(values)
        for name in ("http", "https"):
            if data.get(name, {}).get("password") == "":
                del data[name]["password"]
        from tui.models.host import HostConfig
        from tui.services.proxy.check import errors

        config = ProxyConfig.model_validate(data)
        issues = under("proxy", iter(errors(self.session.draft or HostConfig(), config, self.session.facts)))
        if issues:
            self.form.blame(issues)
            return None
        return config

    def action_done(self) -> None:
        config = self._config()
        if config is not None and self.put(self.session.set_parts, proxy=config):
            self.dismiss()
            self.app.post_message(DraftChanged())

    def action_try(self) -> None:
        from screens.proxy_test import ProxyTestScreen

        config = self._config()
        if config is not None:
            self.app.push_screen(ProxyTestScreen(self.session, config))

    def action_reset(self) -> None:
        """The exceptions that follow from what is known, in place of those that are there."""
        from tui.services.proxy.exceptions import proposed

        found = proposed(self.session.facts, self.session.draft)
        self.form.put("exceptions", ", ".join(p.entry for p in found))


def texts(config: ProxyConfig, *, secrets: bool) -> dict[str, str]:
    """The text of every field. A password that the host keeps stays there: it would go along to another proxy."""
    found = {"method": config.method, "exceptions": ", ".join(config.exceptions)}
    for name, upstream in (("http", config.http), ("https", config.https)):
        found |= {f"{name}.{key}": value for key, value in _texts(upstream).items() if secrets or key != "password"}
    return found


def _texts(upstream: Upstream | None) -> dict[str, str]:
    if upstream is None:
        return {"scheme": "http", "port": "3128"}
    return {
        "scheme": upstream.scheme,
        "host": upstream.host,
        "port": str(upstream.port),
        "user": upstream.user,
        "password": upstream.secret,
    }
