"""What all models of the contract have in common.

The contract is `assets/local-management-api.yaml`; `tests/unit/test_contract.py` holds every model and operation
against it. Its names are camelCase on the wire and snake_case here. One model is for both ends: a client ignores
what it does not know, so that another agent may say more; a server sends only what was set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")

Answer = TypeVar("Answer")


def _moment(text: str) -> str:
    if text and not _MOMENT.fullmatch(text):
        raise ValueError("not a date and a time as in RFC 3339")
    return text


def _camel(name: str) -> str:
    """`api_version` to `apiVersion`; pydantic's own makes `k8SVersion` of `k8s_version`."""
    first, *others = name.rstrip("_").split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)


Moment = Annotated[str, AfterValidator(_moment)]
"""Date and time as in RFC 3339, or "" where nobody said it."""
Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]


class Wire(BaseModel):
    """A definition of the contract. "" stands for what was not said, in enumerations too."""

    model_config = ConfigDict(
        alias_generator=_camel, populate_by_name=True, extra="ignore", defer_build=True, protected_namespaces=()
    )

    def sent(self) -> dict[str, Any]:
        """As plain data for the wire: what was set, and nothing else."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


@dataclass(frozen=True, slots=True)
class Operation(Generic[Answer]):
    """One operation of the contract.

    Attributes:
        id: its operationId.
        path: with its parameters in braces.
        answer: what comes back with `good`; NoneType for nothing, bytes for a file.
        may_be_absent: it declares 404, so 404 says "there is none" and not "this agent has no such operation".
    """

    id: str
    method: str
    path: str
    answer: type[Answer]
    body: type[Wire] | None = None
    good: int = 200
    may_be_absent: bool = False

    def at(self, **parameters: str) -> str:
        """The path with its parameters filled in and quoted."""
        from urllib.parse import quote

        return self.path.format(**{name: quote(value, safe="") for name, value in parameters.items()})
