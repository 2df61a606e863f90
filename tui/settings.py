"""/etc/onsite/onsite.toml: what the owner of the host decides about Onsite itself, not about the host's network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = "/etc/onsite/onsite.toml"
SHORTEST, LONGEST = 30, 600
"""Seconds that somebody must have at least, and may have at most, to keep a change."""
NUMBERS = {
    "agent_port": (1, 65535), "agent_peer_port": (1, 65535), "agent_delay_after": (1, 100),
    "agent_lock_after": (1, 100), "agent_lock_minutes": (1, 24 * 60), "console_failures": (1, 100),
    "console_idle": (1, 24 * 60),
}  # fmt: skip
FLAGS = ("agent_https", "console_login")


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults hold where the file says nothing.

    Attributes:
        keep_within: seconds to keep a change before it is taken back.
        agent_socket: Unix socket of the embedded agent.
        agent_url: base URL of another agent that speaks the Local Management API; "" for the embedded one.
        agent_https: the embedded agent also listens on HTTPS, on every address, at `agent_port`.
        agent_peer_port: where linked hosts speak with each other; listened on only while there are any.
        agent_delay_after: wrong passwords of one user after which each further try waits, 1 s doubling.
        agent_lock_after: wrong passwords after which that user is shut out for `agent_lock_minutes`.
        checks_endpoint, checks_registry, checks_url: what Checks reaches: host, host:port or URL; "" for nothing.
        checks_ntp: time servers that Checks asks.
        console_login: whether a console that nobody logged in to asks before anything can be changed.
        console_failures: wrong passwords in a row after which a line is shut for five minutes.
        console_idle: minutes without a key after which it asks again.
        checks_mode: "central", or "local" for an air gap, where nothing outside the configured networks is asked.
    """

    keep_within: int = 120
    agent_socket: str = "/run/onsite/agent.sock"
    agent_url: str = ""
    agent_https: bool = False
    agent_port: int = 5080
    agent_peer_port: int = 5081
    agent_delay_after: int = 3
    agent_lock_after: int = 5
    agent_lock_minutes: int = 15
    checks_endpoint: str = ""
    checks_registry: str = ""
    checks_url: str = ""
    checks_ntp: tuple[str, ...] = ()
    checks_mode: str = "central"
    console_login: bool = True
    console_failures: int = 5
    console_idle: int = 10


def load(root: Path) -> Settings:
    """The settings of the host below `root`.

    Raises:
        ValueError: the file is no TOML, or has a key or a value that Onsite does not know; the text is one sentence.
        OSError: the file is there and cannot be read.
    """
    try:
        text = (root / PATH.lstrip("/")).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    import tomllib

    data = dict(tomllib.loads(text))
    values = {"keep_within": data.pop("keep_within", 120)}
    for name in ("agent", "checks", "console"):
        table = data.pop(name, {})
        if not isinstance(table, dict):
            raise ValueError(f"{name} has to be a table, such as [{name}].")  # noqa: TRY004 - one error for a bad file
        values |= {f"{name}_{key}": value for key, value in table.items()}
    if unknown := sorted({*data, *values} - set(Settings.__slots__)):
        raise ValueError(f"{', '.join(unknown)}: not a setting of Onsite.")
    return _checked(values)


def _checked(values: dict[str, Any]) -> Settings:
    seconds = values["keep_within"]
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not SHORTEST <= seconds <= LONGEST:
        raise ValueError(f"keep_within has to be a number of seconds from {SHORTEST} to {LONGEST}.")
    servers = values.pop("checks_ntp", [])
    if not isinstance(servers, list) or not all(isinstance(v, str) for v in servers):
        raise ValueError('checks.ntp has to be a list, such as ["192.0.2.1"].')
    values["checks_ntp"] = tuple(servers)
    for key in FLAGS:
        if not isinstance(values.get(key, False), bool):
            raise ValueError(f"{key.replace('_', '.', 1)} has to be true or false.")  # noqa: TRY004 - one error for a bad file
    for key, (lowest, highest) in NUMBERS.items():
        value = values.get(key, lowest)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            name = key.replace("_", ".", 1)
            raise ValueError(f"{name} has to be a whole number from {lowest} to {highest}.")
    for key, value in values.items():
        if key not in ("keep_within", "checks_ntp", *FLAGS, *NUMBERS) and not isinstance(value, str):
            raise ValueError(f"{key.replace('_', '.', 1)} has to be text in quotes.")
    if values.get("checks_mode", "central") not in ("central", "local"):
        raise ValueError('checks.mode has to be "central" or "local".')
    return Settings(**values)
