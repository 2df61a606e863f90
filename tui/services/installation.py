"""What an installed Onsite is made of, beside its folder in /opt/onsite: units, the PAM service, a link to the command.

Every file of it is in one manifest, so that what was put there can be taken away again to the last folder. The link
`current` is switched last; `previous` names the version to go back to.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from tui.models.change import FileImage, Issue, Refused
from tui.services import system
from tui.services.change import files, journal
from tui.services.host import Host
from tui.services.login import service
from tui.services.network import pin

HOME = "/opt/onsite"
MANIFEST = f"{HOME}/manifest.json"
SYSTEMD = "/etc/systemd"
UNITS = f"{SYSTEMD}/system"
COMMAND = "/usr/local/bin/onsite"
OURS = ("/var/lib/onsite", "/etc/onsite", "/run/onsite", HOME)
"""Folders that are nobody else's."""
_ASSETS = Path(__file__).resolve().parents[2] / "assets/units"


def versions(host: Host) -> tuple[str, ...]:
    """What lies in /opt/onsite, sorted by name."""
    home = host.path(HOME)
    return tuple(
        sorted(p.parent.parent.name for p in home.glob("[!.]*/bin/onsite") if not p.parent.parent.is_symlink())
    )


def current(host: Host, link: str = "current") -> str:
    """The version that the link names; "" for none."""
    try:
        return host.path(f"{HOME}/{link}").readlink().name
    except OSError:
        return ""


async def activate(host: Host, version: str) -> str:
    """Make this the version that runs. Returns what was done, in a sentence.

    Raises:
        Refused: it is not there (I101), or a change waits for its Keep (I102).
        OSError: a file could not be written; the version before still runs.
    """
    if version not in versions(host):
        text = f"There is no version {version} in {HOME}."
        raise Refused(Issue("I101", "error", "", text, f"There are: {', '.join(versions(host)) or 'none'}."))
    _refuse_while_pending(host)
    former, before = _manifest(host), current(host)
    wanted = {image.path: image for image in _images(host)}
    folders = set(former["folders"]) | set(_missing_folders(host, wanted))
    manifest = {"files": sorted(set(former["files"]) | wanted.keys()), "folders": sorted(folders)}
    _store(host, manifest)  # first, so that what an interrupted install leaves can be taken away
    for image in wanted.values():
        files.write_image(host, image)
    files.remove(host, (path for path in former["files"] if path not in wanted))
    _store(host, manifest | {"files": sorted(wanted)})
    if before and before != version:
        files.write_image(host, FileImage(f"{HOME}/previous", target=before))
    files.write_image(host, FileImage(f"{HOME}/current", target=version))
    for other in set(versions(host)) - {version, before, current(host, "previous")}:
        shutil.rmtree(host.path(f"{HOME}/{other}"))
    await _follow(host)
    return f"Onsite {version} is installed{f', in place of {before}' if before and before != version else ''}."


async def back(host: Host) -> str:
    """The version before. Raises Refused where there is none (I103), and as `activate`."""
    before = current(host, "previous")
    if not before or before not in versions(host):
        text = "There is no version to go back to."
        raise Refused(Issue("I103", "error", "", text, "Only the one before the last upgrade is kept."))
    return await activate(host, before)


async def remove(host: Host) -> str:
    """Take everything away that is ours; the configuration of the host stays as it is.

    But for names bound to cards: without `onsite-names.service` a pair that has changed places could not be served.

    Raises:
        Refused: a change waits for its Keep (I102).
        OSError: something could not be removed; it can be tried again.
    """
    _refuse_while_pending(host)
    manifest = _manifest(host)
    await _stop(host)
    files.remove(host, manifest["files"])
    files.remove(host, pin.files(host))
    for folder in OURS:
        shutil.rmtree(host.path(folder), ignore_errors=not host.path(folder).exists())
    for name in sorted(manifest["folders"], key=len, reverse=True):
        folder_path = host.path(name)
        if folder_path.is_dir() and not any(folder_path.iterdir()):
            folder_path.rmdir()
    await _reload(host)
    return "Onsite is gone. Addresses, proxy, certificates, name and time stay as they are."


def _images(host: Host) -> Iterator[FileImage]:
    """Every file outside /opt/onsite, as this version wants it."""
    for path in sorted(_ASSETS.rglob("*.*")):
        if path.is_dir():
            continue
        name = path.relative_to(_ASSETS)
        drop_in = name.parts[0] == "system.conf.d"  # of systemd itself, not of a unit
        folder = SYSTEMD if drop_in else "/etc/udev/rules.d" if path.suffix == ".rules" else UNITS
        where = f"{folder}/{name}"
        content = path.read_bytes()
        yield FileImage(where, content, 0o644, 0, 0)
        for line in content.decode().splitlines():
            if line.startswith("WantedBy="):
                for target in line.removeprefix("WantedBy=").split():
                    yield FileImage(f"{UNITS}/{target}.wants/{name}", target=f"{UNITS}/{name}")
    yield FileImage(service.PATH, service.text(host.root).encode(), 0o644, 0, 0)
    yield FileImage(COMMAND, target=f"{HOME}/current/bin/onsite")


def _missing_folders(host: Host, paths: Iterable[str]) -> Iterator[str]:
    """The folders that have to be made for these files, each with its parents."""
    for path in (*paths, f"{HOME}/x"):
        folder = Path(path).parent
        while str(folder) != "/" and (str(folder) == HOME or not host.path(str(folder)).is_dir()):
            yield str(folder)
            folder = folder.parent


def _manifest(host: Host) -> dict[str, list[str]]:
    try:
        found = json.loads(host.path(MANIFEST).read_text())
        return {key: [str(x) for x in found[key]] for key in ("files", "folders")}
    except (OSError, ValueError, KeyError, TypeError):
        return {"files": [], "folders": []}


def _store(host: Host, manifest: dict[str, list[str]]) -> None:
    files.write_image(host, FileImage(MANIFEST, json.dumps(manifest, indent=1).encode(), 0o644, 0, 0))


def _refuse_while_pending(host: Host) -> None:
    if os.path.lexists(host.path(journal.PATH)):
        text = "A change waits for its Keep."
        raise Refused(Issue("I102", "error", "", text, "Keep it or take it back first: onsite keep, onsite revert."))


async def _follow(host: Host) -> None:
    """The running systemd uses the new files; the console that this is typed at goes on until it is left."""
    if await _reload(host):
        await system.output("/bin/systemctl", "restart", "--no-block", "onsite-agent.service")


async def _stop(host: Host) -> None:
    if system.booted(host):
        await system.output("/bin/systemctl", "stop", "onsite-agent.service", "onsite-network.service")


async def _reload(host: Host) -> bool:
    """Read the units again, and begin the gettys of the consoles anew. Whether there is a systemd that could."""
    if not system.booted(host):
        return False
    await system.output("/bin/systemctl", "daemon-reload")  # which reads system.conf.d too
    here = _own_line()
    listed = await system.output(
        "/bin/systemctl", "list-units", "--plain", "--no-legend", "getty@tty1.service", "serial-getty@*.service"
    )
    units = [line.split()[0] for line in listed.splitlines() if line.split()]
    if others := [unit for unit in units if unit.partition("@")[2] != f"{here}.service"]:
        await system.output("/bin/systemctl", "restart", "--no-block", *others)
    return True


def _own_line() -> str:
    for fd in (0, 1, 2):
        try:
            return os.ttyname(fd).removeprefix("/dev/")
        except OSError:
            continue
    return ""
