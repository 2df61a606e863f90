"""A console that is killed while it paints, by SIGKILL or for want of memory: the host's login prompt can be read."""

import os
import runpy

import pytest

from bench.model import Model
from bench.scenes import ROOT
from bench.terminal import Program
from tui.terminal.encoder import Encoder
from tui.terminal.profile import PROFILES

PROGRAM, LOGIN = "/opt/onsite/current/bin/onsite", "/bin/login"
PROMPT = "edge login:"


@pytest.mark.parametrize("profile", ["linux", "vt220"])
def test_a_prompt_follows_wherever_the_painting_was_cut(profile, tmp_path):
    """What a getty starts, from the console on; its line is raw, as a killed console leaves it."""
    killed = tmp_path / "killed"
    killed.write_text("#!/bin/sh\nkill -KILL $$\n")
    killed.chmod(0o755)
    _, started, ends = runpy.run_path(str(ROOT / "assets/install.py"))["CONSOLE"].partition(f"\n{PROGRAM}\n")
    script = f"stty raw\n{started}{ends}".replace(PROGRAM, str(killed)).replace(LOGIN, f"printf '{PROMPT}'")
    with Program(["sh", "-c", script], profile, environ={"PATH": os.environ["PATH"], "TERM": profile}) as line:
        line.expect(PROMPT)
        said = bytes(line.data)
    painting = (
        Encoder(PROFILES[profile], 80, 24).start() + b"\x1b[5;20r\x1b[7m\x0elqqk\x1b[12;70H! not applied\x1b[9;42H"
    )
    for cut in range(len(painting) + 1):
        shown = Model()
        shown.feed(painting[:cut] + said)
        assert shown.text() == [PROMPT, *[""] * 23], painting[:cut]
        assert not shown.cursor_hidden
        assert not shown.looks()[0][0][5], "plain"
        shown.feed(b"\x1b[2J\x1b[H" + b"=" * 81)
        assert shown.text()[1] == "=", "long lines go on in the next"
