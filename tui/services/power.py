"""Restart this host, switch it off, or put its interfaces back to how it came: what stops, and what is written down."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Literal

from tui.models.change import Issue, Refused
from tui.services import system
from tui.services.change import audit, journal
from tui.services.host import Host

if TYPE_CHECKING:
    from tui.models.facts import Facts
    from tui.models.host import HostConfig

Act = Literal["restart", "off"]
WORDS: dict[Act, str] = {"restart": "restarted", "off": "switched off"}
_COMMANDS: dict[Act, str] = {"restart": "reboot", "off": "poweroff"}


def refuse_while_pending(host: Host) -> None:
    """Raises Refused (W201) while a change is not decided: it would be taken back by the restart, unasked."""
    if os.path.lexists(host.path(journal.PATH)):
        text = "A change waits for its Keep; a restart would take it back."
        raise Refused(Issue("W201", "error", "", text, "Keep it or revert it first."))


async def power(host: Host, act: Act, *, who: str, line: str) -> str:
    """Do it. Returns a sentence about what happens now.

    A recorded host has no power: it is said what would happen. A practice host is restarted, with every process in
    it, this console too; it has nothing that could be switched off but itself.

    Raises:
        Refused: a change waits (W201), or the host does not do it (W202).
    """
    refuse_while_pending(host)
    if host.kind == "recorded":
        return f"A recorded host has no power. A real one would be {WORDS[act]} now."
    audit.note(host, WORDS[act], who, line)
    try:
        if host.kind == "real":
            await _real(host, act)
        else:
            await _practice(act)
    except OSError as error:
        text = f"The host cannot be {WORDS[act]} from here: {error.strerror or error}."
        raise Refused(Issue("W202", "error", "", text, "Use its power button, or try as root.")) from error
    return f"The host is being {WORDS[act]}."


async def _real(host: Host, act: Act) -> None:
    path = system.program(host, "systemctl") or system.program(host, _COMMANDS[act])
    if not path:
        raise OSError("there is no systemctl")
    await system.output(path, *([_COMMANDS[act]] if path.endswith("systemctl") else []))


async def _practice(act: Act) -> None:
    """`onsite demo --reboot` or `--stop`, from outside: it kills everything in here."""
    folder = os.environ.get("ONSITE_PRACTICE", "")
    if not folder:
        raise OSError("this practice host was not started by onsite demo")
    option = "--reboot" if act == "restart" else "--stop"
    command = [sys.executable, "-m", "agent.practice", "--state", folder, option]
    nothing = asyncio.subprocess.DEVNULL
    await asyncio.create_subprocess_exec(
        *command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
    )


def factory_network(facts: Facts) -> HostConfig:
    """Every interface that was configured here, by DHCP and what the router announces, as a host comes.

    Raises:
        Refused: Kubernetes uses the addresses (W203), or nothing was configured here (W204).
    """
    from tui.models.host import HostConfig
    from tui.models.link import LinkConfig

    if facts.cluster_uses_address:
        text = "Kubernetes uses the addresses of this host; they cannot be changed now."
        raise Refused(Issue("W203", "error", "", text, "Take the host out of its cluster first."))
    ours = [x for x in facts.links if x.owner.writable and x.origin == "console"]
    if not ours:
        text = "No interface was configured from the console; they are as the host came."
        raise Refused(Issue("W204", "error", "", text, "Look in Network where each value comes from."))
    auto = {"ipv4": {"method": "dhcp"}, "ipv6": {"method": "auto"}}
    links = tuple(LinkConfig.model_validate({"mac": x.identity, "name": x.name, **auto}) for x in ours if not x.made)
    return HostConfig(links=links, removed=tuple(x.name for x in ours if x.made))
