"""The editor of the registration: which management plane, with which token, and as whom?

The person standing here has a token in an e-mail and types or pastes it. A wrong one is corrected here, without a new
installation.
"""

from __future__ import annotations

from screens.editor import Editor
from tui.models.form import Field
from tui.models.registration import REGISTRATION_FORM, RegistrationConfig
from tui.services import registration
from tui.session import Session
from tui.widgets.form import FormView, nested, texts_of, under
from tui.widgets.messages import DraftChanged


class RegistrationEditScreen(Editor):
    NAME = "registration"
    CSS_PATH = "../styles/registration.tcss"
    HELP_TEXT = (
        "Type the endpoint and the token as your company gave them. An empty token keeps the one that this host has "
        "for the same endpoint. Done changes nothing yet: it goes to Review."
    )

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        drafted = session.draft.registration if session.draft is not None else None
        before = drafted or session.registration()[0]
        given = {} if before is not None else registration.given(session.facts)
        self.form = FormView(REGISTRATION_FORM, texts(before, secrets=drafted is not None) | given)

    def hint(self, field: Field) -> str:
        return field.help if field.secret else ""

    def action_done(self) -> None:
        values = self.form.values()
        if values is None:
            return
        data = nested({name: value for name, value in values.items() if value != ""})
        config = RegistrationConfig.model_validate(data)
        issues = under("registration", iter(registration.errors(config, self.session.facts)))
        if issues:
            self.form.blame(issues)
        elif self.put(self.session.set_parts, registration=config):
            self.dismiss()
            self.app.post_message(DraftChanged())


def texts(config: RegistrationConfig | None, *, secrets: bool) -> dict[str, str]:
    """The text of every field. A token that the host keeps stays there: it would go along to another plane."""
    if config is None:
        return {"mode": "central", "way": "token", "host_id_from": "serial"}
    found = texts_of(REGISTRATION_FORM, config)
    return found if secrets else found | {"token": "", "pairing_key": ""}
