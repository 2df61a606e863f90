"""What an installation changes of a systemd that runs: Ctrl-Alt-Del, also held down, restarts nothing any more."""

from __future__ import annotations

from tests.host.box import Box, wait_for

THREE_KEYS = "kill -INT 1"
"""What the kernel does for them where systemd asked it to, which it has (systemd(1), SIGINT)."""


def test_three_keys_restart_nothing(box: Box) -> None:
    box.write("/opt/onsite/1/bin/onsite", "#!/bin/sh\n", 0o755)
    assert "reboot" in box.run("systemctl", "show", "-P", "Id", "ctrl-alt-del.target").stdout, "as a host comes"
    box.onsite("install", "--activate", "1")
    assert box.run("systemctl", "show", "-P", "Id", "ctrl-alt-del.target").stdout == "ctrl-alt-del.target\n"
    boot = box.run("cat", "/proc/1/stat").stdout.split()[21]
    box.run("sh", "-c", THREE_KEYS)
    wait_for(
        "the target", lambda: box.run("systemctl", "is-active", "ctrl-alt-del.target", check=False).returncode == 0
    )
    box.run("sh", "-c", f"for n in 1 2 3 4 5 6 7 8 9 10 11 12; do {THREE_KEYS}; sleep 0.1; done")
    wait_for("no job is left", lambda: box.run("systemctl", "list-jobs", "--no-legend").stdout.strip() == "")
    assert box.up()
    assert box.run("cat", "/proc/1/stat").stdout.split()[21] == boot
