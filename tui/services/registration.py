"""Registration on the side of the host: what is kept of it, what a draft changes, and as whom this host registers.

One file of root's alone holds all of it, the token too: the agent reads it, nobody else does.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tui.models.change import Difference, FileImage, Issue, Step
from tui.models.facts import Facts
from tui.services import reading
from tui.services.change.target import Part
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.registration import RegistrationConfig

KEPT = "/etc/onsite/registration.json"
PAGE = "registration_url"
_MACHINE_ID, _SERIAL = "/etc/machine-id", "/sys/class/dmi/id/product_serial"
_APPLICATION = b"onsite registration"
"""A machine id is not to be shown to others (machine-id(5)); what is derived from it with this may be."""
_MODES = {"central": "centrally", "local": "here"}
_WAYS = {"token": "by token", "manual": "by hand"}
_SOURCES = {"serial": "serial number", "machine": "installation", "typed": "typed"}


def given(facts: Facts) -> dict[str, str]:
    """What installer and site say of the registration, by the names of the fields of its form; {} where nothing."""
    from tui.services.facts.given import winner

    names = {"mode": "mode", "endpoint": "endpoint", "project": "project", "tags": "tags", "registration": PAGE}
    found = {field: last.value for key, field in names.items() if (last := winner(facts, key)) is not None}
    if "endpoint" in found:
        found["endpoint"] = found["endpoint"].removeprefix("https://").rstrip("/")
    return found


def part(config: HostConfig, facts: Facts) -> Part:
    """What the registration of a draft adds to a plan; nothing where the host has it already."""
    if config.registration is None:
        return Part()
    wish = completed(config.registration, facts)
    before, image = facts.file(KEPT), FileImage(KEPT, text(wish).encode(), 0o600)
    issues = tuple(_issues(wish, facts))
    if before.sha256 == image.sha256 and before.mode == image.mode:
        return Part(issues=issues)
    # Nothing is told to reload: the agent looks at the file by itself.
    step = Step(image, before.sha256, disruption="none")
    return Part((step,), tuple(_differences(wish, facts)), issues=issues)


def errors(config: RegistrationConfig, facts: Facts) -> tuple[Issue, ...]:
    """What is wrong with a registration before it goes into the draft; warnings are for Review."""
    return tuple(x for x in _issues(completed(config, facts), facts) if x.severity == "error")


def kept(facts: Facts) -> RegistrationConfig | None:
    """What was kept; None where nothing was, or where it cannot be understood any more."""
    return parsed(facts.file(KEPT).text)


def of(host: Host) -> RegistrationConfig | None:
    """The same from the host, for the agent."""
    return parsed(reading.text(host, KEPT))


def parsed(content: str | None) -> RegistrationConfig | None:
    if content is None:
        return None
    from tui.models.registration import RegistrationConfig

    try:
        return RegistrationConfig.model_validate(json.loads(content))
    except (ValueError, RecursionError):  # pydantic's error is a ValueError
        return None


def completed(config: RegistrationConfig, facts: Facts) -> RegistrationConfig:
    """The same wish with the secrets that it leaves to the host: those kept for the same endpoint."""
    before = kept(facts)
    if before is None or before.endpoint != config.endpoint:
        return config
    changes: dict[str, Any] = {}
    if config.token is None and config.way == "token":
        changes["token"] = before.token
    if config.pairing_key is None and config.way == "manual":
        changes["pairing_key"] = before.pairing_key
    return config.model_copy(update=changes)


def host_id(config: RegistrationConfig | None, host: Host) -> tuple[str, str]:
    """As whom this host registers, and where that comes from: "serial", "machine" or "typed". ("", "") without any."""
    if config is not None and config.host_id_from == "typed":
        return config.host_id, "typed"
    serial = _plain(reading.line(host, _SERIAL))
    if serial and (config is None or config.host_id_from == "serial"):
        return f"edge-{serial}"[:128], "serial"
    machine = reading.line(host, _MACHINE_ID)
    if not machine:
        return "", ""
    return f"edge-{hmac.new(machine.encode(), _APPLICATION, 'sha256').hexdigest()[:32]}", "machine"


def link(config: RegistrationConfig, uid: str) -> str:
    """What the QR code says: the registration page with the host id, and nothing else. "" where there is no page."""
    from urllib.parse import quote

    if not config.registration_url or not uid:
        return ""
    joined = "&" if "?" in config.registration_url else "?"
    return f"{config.registration_url}{joined}id={quote(uid, safe='')}"


def too_long(link: str) -> Issue:
    """Why there is no code for a link."""
    words = f"With {len(link.encode())} bytes, page and host id are too long for a code."
    return Issue("R141", "warning", "registration.registration_url", words, "Shorten the address of the page.")


def _plain(serial: str) -> str:
    """A serial number in the letters of a host id; "" for one that thousands of machines have."""
    word = "".join(c if c.isascii() and c.isalnum() else "-" for c in serial.strip().lower()).strip("-")
    common = {"to-be-filled-by-o-e-m", "default-string", "system-serial-number", "not-specified", "none", "n-a"}
    return "" if word in common or not word.strip("0-") else word


def text(config: RegistrationConfig) -> str:
    """The file of it, secrets and all."""
    data = config.model_dump(mode="json", exclude_none=True) | config.secrets
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _issues(wish: RegistrationConfig, facts: Facts) -> Iterator[Issue]:
    before = kept(facts)
    if before is not None and before.mode != wish.mode and (issue := locked(facts)) is not None:
        yield issue
    if wish.mode == "local":
        return
    if wish.way == "token" and wish.token is None:
        words = f"There is no token for {wish.endpoint}."
        yield Issue("R111", "error", "registration.token", words, "Type the token, or register by hand.")
    if before is None or before.endpoint != wish.endpoint:
        return
    if (before.host_id_from, before.host_id) != (wish.host_id_from, wish.host_id):
        words = "With another host id this host is a new one for the management plane."
        remedy = "Delete the old entry there once the new one is in use."
        yield Issue("R112", "warning", "registration.host_id", words, remedy)


def locked(facts: Facts) -> Issue | None:
    """Why the mode cannot be changed any more; None where it can."""
    if not facts.cluster_uses_address:
        return None
    words = "A Kubernetes cluster runs on this host; who manages it cannot be changed under it."
    return Issue("R110", "error", "registration.mode", words, "Take the node out of the cluster first.")


def _differences(wish: RegistrationConfig, facts: Facts) -> Iterator[Difference]:
    before = kept(facts)
    for label, now, then in (
        ("managed", _MODES[wish.mode], before and _MODES[before.mode]),
        ("endpoint", wish.endpoint, before and before.endpoint),
        ("way", _WAYS[wish.way], before and _WAYS[before.way]),
        ("project", wish.project, before and before.project),
        ("tags", ", ".join(wish.tags), before and ", ".join(before.tags)),
        ("host id from", _SOURCES[wish.host_id_from], before and _SOURCES[before.host_id_from]),
        ("host id", wish.host_id, before and before.host_id),
        ("QR page", wish.registration_url, before and before.registration_url),
    ):
        if (now or "none") != (then or "none") and (wish.mode == "central" or label == "managed"):
            yield Difference("Registration", label, then or "none", now or "none")
    for name, label in (("token", "token"), ("pairing_key", "pairing key")):
        now, then = wish.secrets.get(name, ""), before.secrets.get(name, "") if before else ""
        if now != then:
            yield Difference("Registration", label, "***" if then else "none", "another ***" if now else "none")


def management(host: Host, facts: Facts) -> tuple[str, list[str]]:
    """Where a browser manages this host, and the SHA-256 of its certificate in lines; ("", []) where it is off."""
    import hashlib
    import ssl

    from tui import settings
    from tui.models.certificate import groups
    from tui.models.facts import main_address

    try:
        wanted = settings.load(host.root)
        pem = reading.text(host, "/etc/onsite/server.crt") or ""
        der = ssl.PEM_cert_to_DER_cert(pem)
    except (ValueError, OSError):
        return "", []
    address = main_address(speaks).partition("/")[0] if (speaks := facts.speaking) else ""
    if not wanted.agent_https or not address:
        return "", []
    words = groups(hashlib.sha256(der).hexdigest())
    shown = f"[{address}]" if ":" in address else address
    return f"https://{shown}:{wanted.agent_port}", [" ".join(words[i : i + 8]) for i in (0, 8)]
