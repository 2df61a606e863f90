"""A change takes away the address of its own SSH session: it comes back by itself, or is kept from the new address."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host import box as boxes
from tests.host import look
from tests.host.box import MORE, Box, wait_for

OLD, NEW = "192.0.2.10", "192.0.2.20"
WINDOW = 20
"""Seconds to keep the change in."""
pytestmark = pytest.mark.timeout(600)


class Technician:
    """Whoever sits at the other end of the cable of lan0, with a key that the host knows."""

    def __init__(self, box: Box, folder: Path) -> None:
        self.box, self.key = box, folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        box.run("ssh-keygen", "-A")
        box.run("systemctl", "enable", "--now", "ssh.service")
        box.run("mkdir", "-p", "-m", "700", "/root/.ssh")
        box.write("/root/.ssh/authorized_keys", self.key.with_suffix(".pub").read_text(), 0o600)

    def ssh(self, address: str, *command: str) -> subprocess.Popen[str]:
        assert self.box.peers is not None
        options = {
            "StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null", "ConnectTimeout": "3", "BatchMode": "yes",
            "ServerAliveInterval": "1", "ServerAliveCountMax": "4", "LogLevel": "ERROR",
        }  # fmt: skip
        named = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return subprocess.Popen(
            [*("nsenter", "-t", str(self.box.peers.pid), "--net", "ssh", "-F", "none", "-i", str(self.key), *named),
             f"root@{address}", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def answers(self, address: str) -> bool:
        done = self.ssh(address, "hostname")
        return done.communicate(timeout=30)[0].strip() == "box"


@pytest.fixture(scope="module")
def technician(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Technician]:
    if why := boxes.missing():
        pytest.skip(why)
    with Box(MORE) as box:
        yield Technician(box, tmp_path_factory.mktemp("ssh"))


@pytest.fixture
def box(technician: Technician) -> Box:
    """The host reachable by its old address, and a wish for the new one in its file."""
    box = technician.box
    box.write("/root/wish.yaml", look.document(10))
    box.onsite("apply", "/root/wish.yaml", "--keep-within", "60", check=False)
    box.onsite("keep", check=False)
    assert look.whole(10, look.settled(box))
    box.write("/root/wish.yaml", look.document(20))
    wait_for("ssh by the old address", lambda: technician.answers(OLD))
    return box


def _cut(technician: Technician) -> subprocess.Popen[str]:
    """Apply from a session that the change itself cuts."""
    planned = technician.ssh(OLD, "onsite", "plan", "/root/wish.yaml", "--json").communicate(timeout=60)[0]
    assert OLD in json.loads(planned)["cuts_session"], "Review says so before"
    session = technician.ssh(OLD, "onsite", "apply", "/root/wish.yaml", "--keep-within", str(WINDOW))
    both = {f"{OLD}/24", f"{NEW}/24"}
    wait_for("the new address alone", lambda: technician.box.kernel().addresses("lan0") & both == {f"{NEW}/24"})
    return session


def test_it_comes_back_by_itself(technician: Technician, box: Box) -> None:
    session = _cut(technician)
    wait_for("ssh by the old address again", lambda: technician.answers(OLD), WINDOW + 30)
    wait_for("the end of the change", lambda: look.history(box)[-1]["result"] == "reverted")
    assert look.whole(10, look.settled(box))
    wait_for("nothing left over", lambda: look.leftovers(box) == [])
    session.communicate(timeout=60)
    print(f"SSH session cut, nobody says Keep: {OLD} answers again, nothing left over")


def test_kept_from_the_new_address_it_stays(technician: Technician, box: Box) -> None:
    session = _cut(technician)
    wait_for("ssh by the new address", lambda: technician.answers(NEW), WINDOW)
    kept = technician.ssh(NEW, "onsite", "keep")
    said = kept.communicate(timeout=60)[0]
    assert kept.returncode == 0, said
    wait_for("nothing pending", lambda: not look.pending(box) and look.timers(box) == [])
    box.power_cut()
    box.boot()
    wait_for("ssh by the new address after a restart", lambda: technician.answers(NEW))
    assert look.whole(20, look.settled(box))
    session.communicate(timeout=60)
    print(f"SSH session cut, Keep from {NEW}: it stays, after a restart too")
