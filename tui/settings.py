"""/etc/onsite/onsite.toml: what the owner of the host decides about Onsite itself, not about the host's network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = "/etc/onsite/onsite.toml"
SHORTEST, LONGEST = 30, 600
"""Seconds that somebody must have at least, and may have at most, to keep a change."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults hold where the file says nothing.

    Attributes:
        keep_within: seconds to keep a change before it is taken back.
        agent_socket: Unix socket of the embedded agent.
        agent_url: base URL of another agent that speaks the Local Management API; "" for the embedded one.
    """

    keep_within: int = 120
    agent_socket: str = "/run/onsite/agent.sock"
    agent_url: str = ""


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
    agent = data.pop("agent", {})
    values = {"keep_within": data.pop("keep_within", 120)}
    if not isinstance(agent, dict):
        raise ValueError("agent has to be a table, such as [agent].")  # noqa: TRY004 - one error for a bad file
    values |= {f"agent_{key}": value for key, value in agent.items()}
    if unknown := sorted({*data, *values} - set(Settings.__slots__)):
        raise ValueError(f"{', '.join(unknown)}: not a setting of Onsite.")
    return _checked(values)


def _checked(values: dict[str, Any]) -> Settings:
    seconds = values["keep_within"]
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not SHORTEST <= seconds <= LONGEST:
        raise ValueError(f"keep_within has to be a number of seconds from {SHORTEST} to {LONGEST}.")
    if not all(isinstance(v, str) for k, v in values.items() if k != "keep_within"):
        raise ValueError("agent.url and agent.socket have to be text in quotes.")
    return Settings(**values)
