"""The definitions that this host has, their layers, and the form that their variables become."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tui.models.change import Issue, Refused
from tui.models.cluster_create import Source
from tui.models.contract import definition
from tui.models.definition import form_of, start_texts
from tui.models.form import Form
from tui.services.cluster.answers import Answer, part, parts, text

if TYPE_CHECKING:
    from tui.services.agent.client import Agent

_ASKED: tuple[tuple[Source, Any], ...] = (
    ("embedded", definition.EMBEDDED), ("overridden", definition.OVERRIDDEN), ("update", definition.UPDATE),
)  # fmt: skip
SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition.

    Attributes:
        archive: by which the agent knows it.
        profiles: as `v1ClusterProfileDetail`.
    """

    source: Source
    archive: str
    profiles: Sequence[Answer] = field(default=(), repr=False)

    @property
    def title(self) -> str:
        names = (f"{text(p, 'profileName')} {text(p, 'profileVersion')}".strip() for p in self.profiles)
        return ", ".join(names) or self.archive.rpartition("/")[2]

    @property
    def layers(self) -> tuple[tuple[str, str], ...]:
        """(name, version) of every pack, in order."""
        return tuple((text(x, "name"), text(x, "version")) for p in self.profiles for x in parts(p, "packs"))


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of the form: the variable behind it. `key` names it in a draft."""

    uid: str
    name: str
    variable: Mapping[str, Any]

    @property
    def key(self) -> str:
        return f"{self.uid}/{self.name}"


async def definitions(agent: Agent) -> tuple[tuple[Definition, ...], tuple[Issue, ...]]:
    """What can be chosen from, and what the agent would not say."""
    found: list[Definition] = []
    refused: list[Issue] = []

    async def ask(source: Source, operation: Any) -> None:
        try:
            answer = await agent.find(operation, seconds=SECONDS)
        except Refused as said:
            refused.extend(said.issues)
            return
        said_ = answer.sent() if answer is not None else {}
        if archive := text(said_, "archiveUploadPath"):
            found.append(Definition(source, archive, tuple(parts(said_, "clusterProfileDetails"))))

    await asyncio.gather(*(ask(source, operation) for source, operation in _ASKED))
    order = [source for source, _ in _ASKED]
    return tuple(sorted(found, key=lambda d: order.index(d.source))), tuple(refused)


def form(definition_: Definition) -> tuple[Form, dict[str, Asked]]:
    """The form of all variables that are asked for, and what is behind each field by its path."""
    fields = []
    behind: dict[str, Asked] = {}
    for number, profile in enumerate(definition_.profiles):
        variables = [dict(v) for v in parts(profile, "variables") if v.get("name") and not v.get("hidden")]
        for place, (one, variable) in enumerate(zip(form_of(variables).fields, variables, strict=True)):
            path = f"p{number}.v{place}"
            fields.append(replace(one, path=path))
            behind[path] = Asked(text(profile, "profileUid"), str(variable["name"]), variable)
    return Form("variables", "Settings of the definition", tuple(fields)), behind


def texts(behind: Mapping[str, Asked], typed: Mapping[str, str]) -> dict[str, str]:
    """What stands in each field: what was typed before, else the value or the default of the definition."""
    return {
        path: typed.get(asked.key, next(iter(start_texts([asked.variable]).values())))
        for path, asked in behind.items()
    }  # fmt: skip


def complete(behind: Mapping[str, Asked], now: Mapping[str, str]) -> tuple[int, int]:
    """How many of the fields are done: a value, or none and none needed."""
    done = sum(bool(now.get(path, "").strip()) or not a.variable.get("required") for path, a in behind.items())
    return done, len(behind)


def values(behind: Mapping[str, Asked], now: Mapping[str, str]) -> tuple[dict[str, str], ...]:
    """`v1ProfileVariable` of each field with a value."""
    return tuple(
        {"name": a.name, "profileUid": a.uid, "value": value}
        for path, a in behind.items()
        if (value := now.get(path, "").strip())
    )


async def judged(agent: Agent | None, definition_: Definition, now: Mapping[str, str]) -> dict[str, Issue]:
    """What is wrong with the values, by path: by our own rules, then by the agent's.

    Args:
        agent: None to leave it out; one that has no such operation is left out, too.
    """
    from tui.services.content.variables import issues_of

    _, behind = form(definition_)
    found: dict[str, Issue] = {}
    for uid in dict.fromkeys(a.uid for a in behind.values()):
        own = {path: a for path, a in behind.items() if a.uid == uid}
        given = {a.name: now.get(path, "") for path, a in own.items()}
        said = await asyncio.to_thread(issues_of, [a.variable for a in own.values()], given)
        found |= {path: said[a.name] for path, a in own.items() if a.name in said}
    if not found and agent is not None:
        found = await _by_agent(agent, definition_, behind, now)
    return found


async def _by_agent(
    agent: Agent, definition_: Definition, behind: Mapping[str, Asked], now: Mapping[str, str]
) -> dict[str, Issue]:
    from tui.services.agent.answers import NotOffered

    sent = definition.VariablesToCheck.model_validate(
        {"archiveUploadPath": definition_.archive, "variables": list(values(behind, now))}
    )
    try:
        verdict = (await agent.call(definition.CHECK_VARIABLES, sent, seconds=SECONDS)).sent()
    except NotOffered:
        return {}
    found: dict[str, Issue] = {}
    for said in parts(part(verdict), "variables"):
        if said.get("isValid") is False:
            where = next(
                (p for p, a in behind.items() if a.name == said.get("name") and a.uid == said.get("profileUid")), ""
            )
            where = where or next((p for p, a in behind.items() if a.name == said.get("name")), "")
            reason = text(said, "validationFailureReason") or "the agent does not say why"
            words = f"The agent does not take it: {reason}."
            if where:
                found[where] = Issue("K432", "error", where, words, "Type what the description of the value asks for.")
    return found
