"""From one definition to another: what changes, seen side by side, and what is sent when all of it was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from tui.services.cluster.answers import Answer, parts, text
from tui.services.cluster.definition import Definition
from tui.services.cluster.members import Pack

Kind = Literal["same", "changed", "new", "gone"]
MASK = "***"


@dataclass(frozen=True, slots=True)
class Change:
    """One variable, as it is and as it comes.

    Attributes:
        kind: changed: the cluster has a value and the definition comes with another default; new, gone: of the
            definition.
        current: the value that the cluster has; "" for a new one.
        incoming: the default of the incoming definition.
        fixed: it cannot be changed any more, so the cluster's own value stays.
    """

    uid: str
    name: str
    label: str
    kind: Kind
    current: str
    incoming: str
    secret: bool = False
    fixed: bool = False
    required: bool = False
    variable: Mapping[str, Any] | None = None

    @property
    def key(self) -> str:
        return f"{self.uid}/{self.name}"

    @property
    def to_review(self) -> bool:
        """Whether somebody has to look at it before the update."""
        return self.kind != "same" and not self.fixed

    @property
    def kept(self) -> str:
        """What is sent where nobody says otherwise: the cluster's own value, or the default of a new one."""
        return self.incoming if self.kind == "new" else self.current


def changes(configuration: Answer, incoming: Definition) -> tuple[Change, ...]:
    """Every variable of both sides; those that have to be looked at first."""
    has = {
        (text(v, "profileUid"), text(v, "name")): v.get("value", "")
        for v in parts(configuration, "spec", "profileVariables")
    }
    uids = {text(p, "profileUid") for p in incoming.profiles}
    found: list[Change] = []
    for profile in incoming.profiles:
        uid = text(profile, "profileUid")
        for variable in parts(profile, "variables"):
            name = text(variable, "name")
            if variable.get("hidden") or not name:
                continue
            key = (
                (uid, name) if (uid, name) in has else next((k for k in has if k[1] == name and k[0] not in uids), None)
            )
            default = str(variable.get("defaultValue") or "")
            current = str(has.pop(key)) if key is not None else ""
            asked = bool(default or variable.get("required"))
            kind: Kind = "same" if not default or current == default else "changed"
            if key is None:
                kind = "new" if asked else "same"
            found.append(
                Change(
                    uid, name, text(variable, "displayName") or name, kind, current, default,
                    bool(variable.get("isSensitive")), key is not None and bool(variable.get("immutable")),
                    bool(variable.get("required")), dict(variable),
                )
            )  # fmt: skip
    found += [Change(uid, name, name, "gone", str(value), "", secret=True) for (uid, name), value in has.items()]
    return tuple(sorted(found, key=lambda c: (not c.to_review, c.kind == "same")))


def packs(now: Sequence[Pack], incoming: Definition) -> tuple[tuple[str, str, str], ...]:
    """(name, version now, version that comes) of every pack; "" where a side does not have it."""
    have = {p.name: p.version for p in now}
    come = dict(incoming.layers)
    names = [*come, *(n for n in have if n not in come)]
    return tuple((name, have.get(name, ""), come.get(name, "")) for name in names)


def configuration_after(
    configuration: Answer, incoming: Definition, found: Sequence[Change], chosen: Mapping[str, str]
) -> dict[str, Any]:
    """What is sent: the cluster's configuration with the other archive and the values that were decided on.

    Args:
        chosen: values that were typed or taken from the definition, by the key of the change.
    """
    made = deepcopy(dict(configuration))
    spec = made.setdefault("spec", {})
    spec["archiveUploadPath"] = incoming.archive
    values = []
    for change in found:
        value = chosen.get(change.key, change.kept)
        if change.kind != "gone" and value and not (change.secret and set(value) == {"*"}):
            values.append({"name": change.name, "profileUid": change.uid, "value": value})
    spec["profileVariables"] = values
    return made


def shown(change: Change, value: str) -> str:
    """A value for a list; secrets as stars."""
    return (MASK if value else "(none)") if change.secret else value or "(none)"
