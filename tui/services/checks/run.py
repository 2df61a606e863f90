"""One run of the ladder on a host: from its settings and facts, kept with its time, read again by whoever asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tui.models.check import ProxyWay, Run, Rung, Target, Wanted
from tui.models.facts import Facts
from tui.services import reading
from tui.services.host import Host
from tui.settings import Settings

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.registration import RegistrationConfig
    from tui.services.checks.ladder import Told

PATH = "/var/lib/onsite/checks.json"
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/var/lib/ca-certificates/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",
)


def wanted(settings: Settings, registration: RegistrationConfig | None = None) -> Wanted:
    """What the settings say is to be reached; where they name no endpoint, the one that the host registers with.

    A host that is managed here reaches nothing outside its networks, whatever the settings say.

    Raises:
        ValueError: one of them is no host, host:port or URL; the text is a sentence.
    """
    central = registration is not None and registration.mode == "central"
    local = settings.checks_mode == "local" or (registration is not None and not central)
    endpoint = settings.checks_endpoint or (registration.endpoint if registration and central else "")
    return Wanted(
        endpoint=_target("management plane", endpoint),
        registry=_target("registry", settings.checks_registry),
        url=_target("web page", settings.checks_url),
        ntp=settings.checks_ntp,
        mode="local" if local else "central",
    )


def _target(what: str, text: str) -> Target | None:
    return Target.parse(what, text) if text else None


async def run(
    host: Host,
    facts: Facts,
    goal: Wanted,
    draft: HostConfig | None = None,
    *,
    link: str = "",
    proxy: ProxyWay | None = None,
    told: Told = lambda number, rung: None,
) -> Run:
    """Climb once and keep the result of what the host has; that of a draft is not kept.

    Args:
        proxy: None for that of the draft, or else the one that the host keeps.
        told: hears of each rung as it begins and as it ends.
    """
    import asyncio

    await asyncio.to_thread(_load)  # a tenth of a second of imports: keys are answered meanwhile
    from tui.services.checks import ladder, way

    out = way.of(facts, draft, link, proxy or way_by_proxy(host, draft), trust(host))
    if out is None or host.kind == "recorded":
        why = "this host is a recording" if host.kind == "recorded" else "this host has no such network interface"
        rung = Rung("carrier", "Cable", 1.0, "not tried", reason=why)
        told(0, rung)
        rungs: tuple[Rung, ...] = (rung,)
    else:
        rungs = await ladder.climb(out, goal, host.clock, told)
    done = Run(
        out.link.name if out else "", rungs, "draft" if draft else "now", goal.mode,
        host.clock.now(), host.boot_id(), host.clock.boottime(),
    )  # fmt: skip
    if not draft:
        keep(host, done)
    return done


def _load() -> None:
    """Import what a climb needs."""
    import cryptography.x509  # noqa: F401

    from tui.services.checks.rungs import service, tls  # noqa: F401


def way_by_proxy(host: Host, draft: HostConfig | None) -> ProxyWay | None:
    """The proxy for HTTPS that the draft wants, or else that this host keeps; None for the direct way."""
    from tui.services.proxy import kept, places

    wish = draft.proxy if draft else None
    if wish is None and not reading.present(host, places.KEPT):
        return None
    before = kept.of(host)
    config = wish or before
    upstream = config.upstreams[1] if config else None
    if config is None or upstream is None:
        return None
    secret = upstream.secret
    if not secret and before is not None:  # a password that the draft leaves to the host
        same = (u for u in before.upstreams if u and (u.host, u.user) == (upstream.host, upstream.user))
        secret = next((u.secret for u in same), "")
    return ProxyWay(upstream.host, upstream.port, upstream.user, secret, tuple(config.exceptions), upstream.scheme)


def keep(host: Host, done: Run) -> None:
    """A disk that does not take it is no reason to lose the result that is on screen."""
    from tui.models.change import FileImage
    from tui.services.change import files

    try:
        files.write_image(host, FileImage(PATH, json.dumps(done.to_dict(), indent=1).encode() + b"\n"))
    except OSError:
        return


def last(host: Host) -> Run | None:
    """The last run of this host; None where there was none, or its file cannot be read."""
    text = reading.text(host, PATH)
    if text is None:
        return None
    try:
        data = json.loads(text)
        return Run.from_dict(data) if isinstance(data, dict) else None
    except ValueError:
        return None


def trust(host: Host) -> str:
    """PEM text of the authorities that this host trusts; "" where it has no store."""
    return next((text for path in _BUNDLES if (text := reading.text(host, path))), "")


def aged(done: Run, host: Host) -> str:
    """How long ago a run was, in words."""
    seconds = done.age(host.clock.now(), host.boot_id(), host.clock.boottime())
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' * (count > 1)} ago"
    return "just now"
