"""A bridge on real links where no manager runs: Onsite itself makes it, at Apply, at Revert and at boot."""

from __future__ import annotations

from pathlib import Path

from tests.layering import walk
from tests.practice import practice_host


def test_a_bridge_made_edited_taken_back_and_removed(tmp_path: Path) -> None:
    with practice_host() as host:

        def apply(text: str) -> None:
            (tmp_path / "wish.yaml").write_text(text)
            done = host.onsite("apply", str(tmp_path / "wish.yaml"), "--yes-warnings", check=False)
            assert done.returncode == 0, done.stdout + done.stderr

        def verb(word: str) -> None:
            done = host.onsite(word, check=False)
            assert done.returncode == 0, done.stdout + done.stderr + host.log()

        seen = walk(apply, verb, host.kernel, host.reboot)
        assert not list((host.root / "etc/onsite/links").glob("br*"))
    print(f"layers, direct: {seen} states as wished")
