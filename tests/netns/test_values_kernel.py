"""2,000 texts for every kind of field: what is taken can really be set, what is refused can be read up on.

What the kernel holds (addresses, gateways, MTU) is set there and read by iproute2; the rest goes into the file of a
link and comes back. Run with `-s` to see the table.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from tests.netns import typed
from tests.practice import PracticeHost
from tui.models import codes
from tui.models.form import Kind
from tui.models.link import LinkConfig
from tui.models.values import Wrong, parse, show
from tui.services.host import Host
from tui.services.network import linkfiles
from tui.services.network.kernel import NetlinkKernel

MAC = "00:00:5e:00:53:10"
IN_KERNEL = ("addresses4", "addresses6", "gateway4", "gateway6", "mtu")
IN_LINK_FILE = {"nameservers": "nameservers", "domains": "search_domains"}
KINDS = get_args(Kind)


@dataclass(slots=True)
class Outcome:
    """What `parse` said of 2,000 texts of a kind."""

    taken: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def sort(kind: str) -> Outcome:
    """Anything but a value or `Wrong` comes out here as itself."""
    outcome = Outcome()
    for text in typed.texts(kind):
        try:
            outcome.taken[text] = parse(kind, text)
        except Wrong as wrong:
            outcome.refused[text] = wrong.issue.code
            assert wrong.issue.text.isprintable(), text  # noqa: PT017 - what was raised is what is tested
    return outcome


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return {kind: sort(kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_refused_has_a_page(outcomes: dict[str, Outcome], kind: str) -> None:
    outcome = outcomes[kind]
    assert len(outcome.taken) + len(outcome.refused) == typed.COUNT
    assert min(len(outcome.taken), len(outcome.refused)) >= 100, "the texts try only one side"
    for code in set(outcome.refused.values()):
        assert codes.page(code).startswith(f"# {code} ")
    often = ", ".join(f"{code} {n}" for code, n in Counter(outcome.refused.values()).most_common(8))
    print(f"\n{kind:<12} {typed.COUNT} typed, {len(outcome.taken)} taken, {len(outcome.refused)} refused: {often}")


@pytest.mark.parametrize("kind", KINDS)
def test_taken_is_shown_and_read_back_equal(outcomes: dict[str, Outcome], kind: str) -> None:
    different = {text: v for text, v in outcomes[kind].taken.items() if parse(kind, show(kind, v)) != v}
    assert different == {}


def test_taken_is_set_in_the_kernel(outcomes: dict[str, Outcome], practice: PracticeHost) -> None:
    asked: dict[str, list[list[str]]] = {}
    for kind in IN_KERNEL:
        values = {v: None for v in outcomes[kind].taken.values() if v not in ((), None)}
        asked[kind] = [[str(x) for x in v] if isinstance(v, tuple) else [str(v)] for v in values]
    done = practice.run(sys.executable, "-m", "tests.netns.setting", input=json.dumps(asked), timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    after = json.loads(done.stdout)
    for kind in IN_KERNEL:
        print(f"\n{kind:<12} {len(asked[kind])} values set in the kernel and read back")
        unlike = [(a, b) for a, b in zip(asked[kind], after[kind], strict=True) if a != b]
        assert unlike == [], kind


@pytest.mark.parametrize("kind", IN_LINK_FILE)
def test_taken_is_kept_in_the_file_of_a_link(outcomes: dict[str, Outcome], kind: str, tmp_path: Path) -> None:
    host = Host(tmp_path, NetlinkKernel(), "recorded")
    file = host.path(linkfiles.path(linkfiles.KEPT, MAC))
    file.parent.mkdir(parents=True)
    for text, value in outcomes[kind].taken.items():
        config = LinkConfig.model_validate({"mac": MAC, IN_LINK_FILE[kind]: value})
        file.write_bytes(linkfiles.render(config))
        assert linkfiles.effective(host, MAC) == config, text
    print(f"\n{kind:<12} {len(outcomes[kind].taken)} values written and read back")


@pytest.mark.parametrize("kind", ["choice", "text", "flag"])
def test_taken_survives_a_document(outcomes: dict[str, Outcome], kind: str) -> None:
    values = list(outcomes[kind].taken.values())
    assert yaml.safe_load(yaml.safe_dump(values)) == values
