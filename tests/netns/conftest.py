"""Practice hosts for tests of real kernel links."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns import killpoints as kill
from tests.practice import PracticeHost, practice_host


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeHost]:
    """One practice host for the tests of a module; a test that wants a fresh kernel calls `practice.reboot()`."""
    try:
        with practice_host() as host:
            yield host
    except subprocess.CalledProcessError as error:
        if error.returncode != 3:
            raise
        pytest.skip(f"no namespaces here: {error.stderr.strip()}")


@pytest.fixture(scope="module")
def killed() -> Iterator[tuple[PracticeHost, Path, Path]]:
    """A practice host of which lan0 has configuration A, kept; and the documents A and B."""
    with practice_host() as practice:
        mac = practice.kernel().link(kill.LINK)["address"]
        documents = []
        for name, last in (("a", 10), ("b", 20)):
            path = practice.folder / f"{name}.yaml"
            path.write_text(
                f"version: 1\nlinks:\n- mac: '{mac}'\n  name: {kill.LINK}\n"
                f"  ipv4: {{method: static, addresses: [192.0.2.{last}/24], gateway: 192.0.2.1}}\n"
                f"  ipv6: {{method: static, addresses: ['2001:db8:0:1::{last}/64'], gateway: '2001:db8:0:1::1'}}\n"
                "  nameservers: [192.0.2.1]\n"
            )
            documents.append(path)
        practice.run("sh", "-c", f"echo 0 >/proc/sys/net/ipv6/conf/{kill.LINK}/dad_transmits")
        practice.onsite("apply", str(documents[0]), "--keep-within", "60")
        practice.onsite("keep")
        yield practice, documents[0], documents[1]
