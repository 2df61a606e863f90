"""How this host reaches out: the part of `HostConfig` behind the Proxy place, and its form.

The parts of a proxy are kept apart and put together late, each consumer in its own spelling. The password leaves the
model by `get_secret_value` only: it is in no dump, so an export, a plan or a journal's copy of the draft has none.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from tui.models import endpoint, form
from tui.models.link import Part, _read, _tuple

Host = Annotated[str, _read(endpoint.host)]
User = Annotated[str, _read(endpoint.user)]
Exception_ = Annotated[str, _read(endpoint.exception)]


class Upstream(Part):
    """One proxy. `scheme` is what is spoken with the proxy itself, not what is fetched through it."""

    scheme: Literal["http", "https"] = "http"
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 3128
    user: User = ""
    password: Annotated[SecretStr | None, _read(endpoint.secret), Field(exclude=True)] = None
    """None: the one that the host keeps already for this proxy and user, if it does."""

    @property
    def secret(self) -> str:
        return self.password.get_secret_value() if self.password is not None and self.user else ""

    @property
    def shown(self) -> str:
        """The URL for people: the user stays, the password does not."""
        login = f"{self.user}{':***' if self.secret else ''}@" if self.user else ""
        return f"{self.scheme}://{login}{bracketed(self.host)}:{self.port}"


class ProxyConfig(Part):
    """off: no proxy. one: `http` for everything. two: `https` is for HTTPS and `http` for the rest."""

    method: Literal["off", "one", "two"] = "off"
    http: Upstream | None = None
    https: Upstream | None = None
    exceptions: Annotated[tuple[Exception_, ...], BeforeValidator(_tuple)] = ()

    @model_validator(mode="after")
    def _complete(self) -> ProxyConfig:
        if self.method != "off" and self.http is None:
            raise ValueError("P101: the proxy has no host")
        if self.method == "two" and self.https is None:
            raise ValueError("P101: the proxy for HTTPS has no host")
        return self

    @property
    def upstreams(self) -> tuple[Upstream | None, Upstream | None]:
        """For HTTP and for HTTPS."""
        if self.method == "off":
            return None, None
        return self.http, self.https if self.method == "two" else self.http

    @property
    def secret(self) -> bool:
        return any(u is not None and u.secret for u in self.upstreams)


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _upstream(name: str, title: str, when: tuple[str, ...]) -> tuple[form.Field, ...]:
    shown = ("method", when)
    return (
        form.Field(
            f"{name}.host", "host", f"{title} host", "proxy.site.example", needed=True, shown_when=shown,
            help="Name or address of the proxy, without http:// and without the port.",
        ),
        form.Field(
            f"{name}.port", "port", "Port", "3128", needed=True, shown_when=shown, help="Often 3128 or 8080.",
        ),
        form.Field(
            f"{name}.user", "user", "User", "edge01", shown_when=shown,
            help="Only where the proxy asks for a login. Empty: none.",
        ),
        form.Field(
            f"{name}.password", "secret", "Password", "", secret=True, shown_when=shown,
            help="Typed as it is, with any sign; each program gets it in its own spelling. Empty: the one kept before.",
        ),
        form.Field(
            f"{name}.scheme", "choice", "Spoken with it", shown_when=shown,
            choices=(("http", "HTTP"), ("https", "TLS")),
            help="Nearly always HTTP, also for HTTPS pages. TLS only where IT says that the proxy itself wants it.",
        ),
    )  # fmt: skip


PROXY_FORM = form.Form(
    "proxy",
    "Proxy",
    (
        form.Field(
            "method", "choice", "Proxy", choices=(("off", "None"), ("one", "One"), ("two", "Two")),
            help="None: this host reaches out by itself. Two: one proxy for HTTPS and another one for HTTP.",
        ),
        *_upstream("http", "Proxy", ("one", "two")),
        *_upstream("https", "HTTPS", ("two",)),
        form.Field(
            "exceptions", "exceptions", "Exceptions", "10.0.0.0/8, .site.example",
            shown_when=("method", ("one", "two")),
            help="Who is reached without it: names, .domains, addresses, networks. Reset fills in what is known.",
        ),
    ),
)  # fmt: skip
