"""What this host presents where people reach its management API: the part of `HostConfig` for its own certificate.

The key leaves the model by `get_secret_value` only: it is in no dump, so an export or a plan has none.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from tui.models.link import Part
from tui.models.wrong import Wrong

_CHAIN = re.compile(r"(?:-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,76}\n)+-----END CERTIFICATE-----\n){1,10}")
_KEY = re.compile(r"-----BEGIN PRIVATE KEY-----\n(?:[A-Za-z0-9+/=]{1,76}\n)+-----END PRIVATE KEY-----\n")


def _lines(text: str) -> str:
    return "".join(f"{line.strip()}\n" for line in text.strip().splitlines() if line.strip())


def _chain(text: str) -> str:
    """One to ten certificates in PEM and nothing else; what they say is judged by the parser child."""
    text = _lines(text)
    if not _CHAIN.fullmatch(text):
        _refuse("S177", "This is no chain of certificates in PEM.", "Put the certificate first, then its issuers.")
    return text


def _key(value: SecretStr | None) -> SecretStr | None:
    if value is None:
        return None
    text = _lines(value.get_secret_value())
    if not _KEY.fullmatch(text):
        _refuse(
            "S177", "The key is no private key in PEM (PKCS#8, without a passphrase).", "Import it by Certs instead."
        )
    return SecretStr(text)


def _refuse(code: str, text: str, remedy: str) -> None:
    raise ValueError(f"{code}: {text}") from Wrong(code, text, remedy)


class ServerConfig(Part):
    """The certificate of this host with its issuers, and its key.

    Attributes:
        key: None: the one that the host keeps already, if it fits.
    """

    certificate: Annotated[str, AfterValidator(_chain)]
    key: Annotated[SecretStr | None, AfterValidator(_key), Field(exclude=True)] = None
