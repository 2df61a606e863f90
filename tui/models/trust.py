"""Which authorities this host trusts beyond its distribution: the part of `HostConfig` behind Certificates."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from tui.models.form import Field, Form
from tui.models.link import Part
from tui.models.wrong import Wrong

MOST = 50
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,76}\n)+-----END CERTIFICATE-----\n?")


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _pem(text: str) -> str:
    """One certificate in PEM and nothing else; what it says is judged by the parser child, not here."""
    if re.search(r"PRIVATE\s+KEY", text, re.IGNORECASE):
        _refuse("S111", "There is a private key in it.", "Ask for the CA certificate alone.")
    text = "\n".join(line.strip() for line in text.strip().splitlines()) + "\n"
    if not _PEM.fullmatch(text):
        _refuse(
            "S110",
            "This is not one certificate in PEM.",
            "Put each certificate in an entry of its own, from BEGIN to END.",
        )
    return text


def _refuse(code: str, text: str, remedy: str) -> None:
    wrong = Wrong(code, text, remedy)
    raise ValueError(f"{code}: {text}") from wrong


Pem = Annotated[str, AfterValidator(_pem)]


class TrustConfig(Part):
    """The authorities that Onsite puts into the trust store, each in PEM. One that is not listed is taken out again.

    Those of the distribution, and those that somebody else put there, are not listed and not touched.
    """

    authorities: Annotated[tuple[Pem, ...], BeforeValidator(_tuple)] = ()

    def including(self, *pems: str) -> TrustConfig:
        return TrustConfig(authorities=tuple(dict.fromkeys((*self.authorities, *pems))))

    def without(self, pem: str) -> TrustConfig:
        return TrustConfig(authorities=tuple(x for x in self.authorities if x != pem))


FOLDER_FORM = Form(
    "trust",
    "Folder",
    (
        Field(
            "path", "text", "Folder or file", "/mnt/stick", needed=True,
            help="A folder of this host with certificates in it, or one file.",
        ),
    ),
)  # fmt: skip
URL_FORM = Form(
    "trust",
    "Address on the web",
    (
        Field(
            "url", "text", "URL", "http://pki.example/ca.crt", needed=True,
            help="Where the certificate lies. It is not believed before you have compared its fingerprint.",
        ),
    ),
)  # fmt: skip
SERVER_FORM = Form(
    "trust",
    "Server",
    (
        Field(
            "server", "text", "Server", "registry.example:443", needed=True,
            help="Its name and port. What it presents is shown, and not believed before you compared the fingerprint.",
        ),
    ),
)  # fmt: skip
PASSPHRASE_FORM = Form(
    "trust",
    "Passphrase",
    (
        Field(
            "passphrase", "text", "Passphrase", needed=True, secret=True,
            help="The passphrase that came with the file. It is used once and not stored.",
        ),
    ),
)  # fmt: skip
