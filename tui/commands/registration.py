"""`onsite registration [--json | --qr]`: how the registration stands, for a person or a script; or the code to scan."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from tui.commands.options import Usage
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.change import Issue
    from tui.models.registration import RegistrationConfig
    from tui.models.timeline import Timeline


def main(host: Host, arguments: list[str]) -> int:
    if arguments not in ([], ["--json"], ["--qr"]):
        raise Usage("registration takes --json, --qr or nothing.")
    from tui.services import registration

    config = registration.of(host)
    if arguments == ["--qr"]:
        return code(host, config)
    told = asyncio.run(_asked(host))
    print(json.dumps(summary(host, config, told), indent=1) if arguments else "\n".join(lines(host, config, told)))
    from tui.models.change import Issue

    return int(isinstance(told, Issue) or told.state == "failed")


async def _asked(host: Host) -> Timeline | Issue:
    from tui import settings
    from tui.models.change import Issue, Refused
    from tui.services.agent import registering
    from tui.services.agent.client import Agent

    try:
        return await registering.read(Agent(host, settings.load(host.root)))
    except Refused as refused:
        return refused.issues[0]
    except (ValueError, OSError) as error:
        return Issue("S101", "error", "", f"The settings cannot be used: {error}", f"Correct it in {settings.PATH}.")


def summary(host: Host, config: RegistrationConfig | None, told: Timeline | Issue) -> dict[str, Any]:
    """The stable document of `--json`; keys are only ever added, and no secret is in it."""
    from tui.models.change import Issue
    from tui.services import registration

    uid, source = registration.host_id(config, host) if config else ("", "")
    found: dict[str, Any] = {"version": 1, "settings": None, "hostId": uid, "hostIdFrom": source, "timeline": None}
    if config is not None:
        found["settings"] = config.model_dump(mode="json") | {"link": registration.link(config, uid)}
    if isinstance(told, Issue):
        found["issue"] = {"code": told.code, "text": told.text, "remedy": told.remedy}
    else:
        found["timeline"] = told.model_dump(mode="json", by_alias=True)
    return found


def lines(host: Host, config: RegistrationConfig | None, told: Timeline | Issue) -> list[str]:
    """The same for a person."""
    from tui.models.change import Issue
    from tui.models.timeline import LABELS
    from tui.services import registration

    made = []
    if config is not None and config.mode == "central":
        uid, _ = registration.host_id(config, host)
        made += [f"Endpoint  {config.endpoint}", f"Host id   {uid}"]
    if isinstance(told, Issue):
        return [*made, f"{told.code} {told.text}", f"  -> {told.remedy}"]
    made.append(f"State     {told.state}" + (" (derived)" if told.derived else ""))
    for step in told.steps:
        made.append(f"{step.mark or '-':<11}{LABELS.get(step.name, step.name):<22}{step.said}".rstrip())
        if step.text:
            made += [f"{'':<11}{step.code} {step.text}", f"{'':<11}-> {step.remedy}"]
    return made


def code(host: Host, config: RegistrationConfig | None) -> int:
    """The code on standard output, dark on light; its text in groups where that cannot show it."""
    from tui.models import qr
    from tui.services import registration

    link = registration.link(config, registration.host_id(config, host)[0]) if config is not None else ""
    if not link:
        print("No page is set that a code could open.", file=sys.stderr)
        return 1
    made = qr.matrix(link)
    if made is None:
        issue = registration.too_long(link)
        print(f"{issue.code} {issue.text}\n  -> {issue.remedy}", file=sys.stderr)
        return 1
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        print(qr.groups(link))
        return 0
    colours = os.isatty(sys.stdout.fileno()) and os.environ.get("TERM", "dumb") != "dumb"
    for line in qr.halves(made):
        print(f"\x1b[30;47m{line}\x1b[0m" if colours else line)
    print(link)
    return 0
