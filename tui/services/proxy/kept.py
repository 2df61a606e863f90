"""What Onsite itself keeps of the proxy: the parts, in a file of root's alone, from which all others are made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tui.models.change import FileImage
from tui.models.facts import Facts
from tui.services.proxy.places import KEPT

if TYPE_CHECKING:
    from tui.models.proxy import ProxyConfig, Upstream
    from tui.services.host import Host


def files(config: ProxyConfig, facts: Facts) -> Iterator[FileImage]:
    data = config.model_dump(mode="json", exclude_none=True)
    for name in ("http", "https"):
        upstream = getattr(config, name)
        if upstream is not None and upstream.secret:
            data[name]["password"] = upstream.secret
    off = config.method == "off"
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    yield FileImage(KEPT, None if off else text.encode(), 0o600)


def kept(facts: Facts) -> ProxyConfig | None:
    """What was kept; None where nothing was, or where it cannot be understood any more."""
    return _parsed(facts.file(KEPT).text)


def of(host: Host) -> ProxyConfig | None:
    """The same from the host, for a service that reaches out."""
    from tui.services import reading

    return _parsed(reading.text(host, KEPT))


def _parsed(text: str | None) -> ProxyConfig | None:
    if text is None:
        return None
    from tui.models.proxy import ProxyConfig

    try:
        data: dict[str, Any] = json.loads(text)
        return ProxyConfig.model_validate(data)
    except ValueError:  # pydantic's error is one
        return None


def completed(config: ProxyConfig, facts: Facts) -> ProxyConfig:
    """The same wish with the passwords that it leaves to the host: kept for the same proxy and user."""
    before = kept(facts)
    known = [] if before is None else [u for u in (before.http, before.https) if u is not None]
    changes = {name: _completed(getattr(config, name), known) for name in ("http", "https")}
    if config.method != "two":
        changes["https"] = None
    if config.method == "off":
        changes["http"] = None
    return config.model_copy(update=changes)


def _completed(upstream: Upstream | None, known: list[Upstream]) -> Upstream | None:
    if upstream is None or upstream.password is not None or not upstream.user:
        return upstream
    same = (u for u in known if (u.host, u.port, u.user) == (upstream.host, upstream.port, upstream.user))
    return next((upstream.model_copy(update={"password": u.password}) for u in same), upstream)
