"""What people do at the consoles of a cluster's hosts, each errand by keystrokes; none of them asks an agent.

An errand begins and ends at a place of the console, and looks at the screen for whether it came true.
"""

from __future__ import annotations

from tests.cluster.asking import STICK
from tests.cluster.desk import Desk

LONG = 900.0


def bring(desk: Desk, *archives: str) -> None:
    """Import archives from a folder where a stick is mounted."""
    for archive in archives:
        desk.press("7")
        desk.shows("Disk: ")
        before = _brought(desk)
        desk.press("i")
        desk.to("A folder, archive or ISO image")
        desk.press("enter")
        desk.shows("Folder, archive or ISO image")
        desk.press("^A", "^K")
        desk.type(STICK)
        desk.press("enter")
        desk.shows(f"Archives in {STICK}")
        desk.to(archive)
        desk.press("enter")
        desk.until(lambda before=before: _brought(desk) > before, 300, f"{archive} in the list")


def _brought(desk: Desk) -> int:
    """Lines of the list in Content."""
    return sum(f" {kind} " in line for line in desk.lines for kind in ("bundle", "def"))


def lead(desk: Desk) -> str:
    """Let others in; the code that is then on the screen."""
    desk.press("8")
    desk.shows("Linked hosts")
    if "lets others in" not in str(desk):
        desk.shows("let others in")
        desk.press("o")
    desk.shows("This host lets others in")
    desk.shows("Good for one try")
    return desk.code()


def follow(desk: Desk, address: str, code: str) -> None:
    desk.press("8")
    desk.shows("This host is linked with no other")
    desk.press("f")
    desk.shows("Follow another host")
    desk.press("tab")
    desk.type(address)
    desk.press("tab")
    desk.type(code)
    desk.press("^X")
    desk.shows("This host follows", 60)


def synced(desk: Desk, *names: str) -> None:
    """Stay at Hosts until each of these has what this host has."""
    desk.press("8")

    def all_ready() -> bool:
        rows = [line for line in desk.lines if " follower " in line and line.endswith(" ready")]
        return all(any(f" {name} " in line for line in rows) for name in names)

    desk.until(all_ready, 600, "ready at every host")


def draft(desk: Desk, name: str, address: str, planes: tuple[str, ...] = (), workers: tuple[str, ...] = ()) -> None:
    """The guided path up to the check of the hosts, which begins by itself."""
    desk.press("9")
    desk.shows("This host is in no cluster", 30)
    desk.to("Create a cluster")
    desk.press("enter")
    desk.shows("step 1 of 7")
    desk.type(name)
    desk.press("^X")
    desk.shows("step 2 of 7")
    desk.shows("base 1.0.0")
    desk.press("enter")
    desk.shows("step 3 of 7")
    desk.press("^A", "^K")
    desk.type("0042")
    desk.press("^X")
    desk.shows("step 4 of 7")
    desk.press("tab")
    desk.type(address)
    desk.press("tab")
    desk.shows(f"Nobody answers at {address}")
    desk.press("^X")
    desk.shows("step 5 of 7")
    desk.shows("this host")
    for other in planes:
        role(desk, other, 1)
    for other in workers:
        role(desk, other, 2)
    desk.press("^X")
    desk.shows("step 6 of 7")


def role(desk: Desk, host: str, times: int) -> None:
    """Give a host its next role, so many times."""
    desk.shows(f" {host} ", 30)
    desk.to(f" {host} ")
    desk.press(*["space"] * times)


def fit(desk: Desk) -> None:
    """At the check of the hosts, until nothing stands in the way."""
    desk.shows("Nothing stands in the way", 120)


def make(desk: Desk, name: str) -> None:
    """From the check of the hosts to the agent's yes; the engine begins with it."""
    fit(desk)
    desk.press("^X")
    desk.shows("step 7 of 7")
    desk.shows("What is written on which host", 30)
    desk.press("c")
    desk.shows(f"Create {name}?")
    desk.press("y")
    desk.shows("Cluster is created", 60)


def undo(desk: Desk) -> None:
    """At Watch: stop what is under way, or what failed, and have it taken back."""
    desk.press("c")
    desk.shows("Stop and undo it?")
    desk.press("y")
    desk.shows("There is no cluster on this host", 300)
    desk.press("escape")


def watched(desk: Desk, name: str, words: str = "ok healthy", seconds: float = LONG) -> None:
    """Stay at Watch, or at Cluster, until it says so."""
    desk.shows(f"{name}  {words}", seconds)


def looked_into(desk: Desk, page: str, shown: str) -> None:
    """Open a page of the cluster, read it, and go back."""
    desk.press("9")
    desk.shows(f"{page} ", 30)
    desk.to(f"{page} ")
    desk.press("enter")
    desk.shows_no("ok healthy")
    desk.shows(shown, 30)
    desk.press("escape")
    desk.shows("ok healthy")


def asked_to_delete(desk: Desk, name: str) -> None:
    """From a place up to the agent's yes; ends at Watch."""
    desk.press("9")
    desk.shows("Delete ", 30)
    desk.to("Delete ")
    desk.press("enter")
    desk.shows(f"Delete the cluster {name}?")
    desk.type(name)
    desk.press("^X")
    desk.shows_no(f"Delete the cluster {name}?", 60)


def delete(desk: Desk, name: str) -> None:
    asked_to_delete(desk, name)
    desk.shows("There is no cluster on this host", 300)
    desk.press("escape")
    desk.shows("This host is in no cluster")


def add_worker(desk: Desk, host: str) -> None:
    """Put a linked host into the pool of workers; ends at Watch."""
    desk.press("9")
    desk.to("Pools")
    desk.press("enter")
    desk.shows(f"   {host} ")
    desk.to(f"{host} ")
    desk.press("a")
    desk.shows(f"Add {host}?")
    desk.press("y")
    desk.shows_no("Pools", 60)


def update(desk: Desk, name: str, to: str) -> None:
    """Take the defaults of the other definition, one by one, and update to it; ends at Watch."""
    desk.press("9")
    desk.to("Update")
    desk.press("enter")
    desk.shows(f"to {to}", 30)
    while "to look at" in str(desk):
        desk.to("!  ")
        desk.press("t")
    desk.shows("All changes were looked at")
    desk.press("x")
    desk.shows(f"Update to {to}")
    desk.press("y")
    desk.shows_no("All changes were looked at", 60)


def changed(desk: Desk, seconds: float = LONG) -> None:
    """Stay at Watch until the last step of a change is done; ends at Cluster."""
    desk.shows("Cluster is changed", 60)
    last = "Pods and services work"
    desk.until(lambda: any(last in line and " ok " in line for line in desk.lines), seconds, f"ok {last}")
    desk.press("escape")
