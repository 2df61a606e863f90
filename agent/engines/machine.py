"""This host as a driver uses it: its files, its programs, and a record of what was done to it.

The record (/var/lib/onsite/engine/record.json, 0600) is what makes a step resumable and a reset complete: which steps
began and which are done, and every file that was there before ours.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import hashlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.engines.engine import Event, Tell
from agent.engines.payload import sha256_of
from tui.models.change import FileImage, Issue, Refused
from tui.services import reading
from tui.services.change import files
from tui.services.host import Host

FOLDER = "/var/lib/onsite/engine"
RECORD = f"{FOLDER}/record.json"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended. `status` is 127 where it is not there, 124 where it ran past its time."""

    status: int
    output: str
    said: str

    @property
    def ok(self) -> bool:
        return self.status == 0

    @property
    def why(self) -> str:
        """The lines that are most likely the reason: those that say ERROR, else the last one about a failure."""
        lines = [line.strip() for line in (self.said or self.output).splitlines() if line.strip()]
        lines = [line for line in lines if "stack trace of this error" not in line] or [f"it ended with {self.status}"]
        marked = [line.removeprefix("[ERROR ").replace("]: ", ": ", 1) for line in lines if line.startswith("[ERROR")]
        named = [line for line in lines if "rror" in line or "ailed" in line]
        return ("; ".join(marked) or (named or lines)[-1])[:400]


@dataclass
class Record:
    """What an engine driver did to this host."""

    engine: str = ""
    version: str = ""
    role: str = ""
    cluster: str = ""
    steps: dict[str, str] = field(default_factory=dict)
    """Name of a step, and "begun" or what it was done for (a digest of its input)."""
    former: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    """Files that we wrote: what was there before, or None."""
    members: list[str] = field(default_factory=list)
    """Addresses of the members of etcd while a further one is let in."""


@dataclass
class Machine:
    host: Host
    search: str = PATH
    """Where programs are looked for; tests put stand-ins there."""

    def __post_init__(self) -> None:
        self.record = Record()
        if known := reading.text(self.host, RECORD):
            with contextlib.suppress(ValueError, TypeError):
                self.record = Record(**json.loads(known))

    # -- programs
    async def run(self, *argv: str, limit: float = 60, stdin: str = "") -> Done:
        pipe = asyncio.subprocess.PIPE
        environment = {
            "LC_ALL": "C",
            "PATH": self.search,
            "HOME": "/root",
            "KUBECONFIG": self.real("/etc/kubernetes/admin.conf"),
        }
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
            )
        except OSError as error:
            return Done(127, "", f"{argv[0]}: {error.strerror}")
        try:
            async with asyncio.timeout(limit):
                printed, said = await process.communicate(stdin.encode())
        except TimeoutError:
            return Done(124, "", f"{argv[0]} took longer than {limit:.0f} s")
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                await process.wait()
        return Done(process.returncode or 0, printed.decode("utf-8", "replace"), said.decode("utf-8", "replace"))

    async def must(self, what: str, *argv: str, limit: float = 60, stdin: str = "") -> str:
        """What the program prints.

        Raises:
            Refused: it failed (K201); `what` is the sentence's subject.
        """
        done = await self.run(*argv, limit=limit, stdin=stdin)
        if not done.ok:
            text = f"{what} failed: {done.why}"
            raise Refused(Issue("K201", "error", "", text, "Read the whole story in the log, mend it, then try again."))
        return done.output

    def program(self, name: str) -> str:
        """Where a program is; "" where it is not."""
        found = (f"{folder}/{name}" for folder in self.search.split(":"))
        return next((path for path in found if os.access(path, os.X_OK)), "")

    # -- files
    def real(self, path: str) -> str:
        """The path as a program of this machine sees it."""
        return str(self.host.path(path))

    def text(self, path: str) -> str:
        return reading.text(self.host, path) or ""

    def there(self, path: str) -> bool:
        return reading.present(self.host, path)

    def mounts(self) -> list[str]:
        """Every mount point, the innermost first. The kernel gives this file in pieces, so it is read to its end."""
        try:
            lines = self.host.path("/proc/self/mountinfo").read_text().splitlines()
        except OSError:
            return []
        return sorted((line.split()[4] for line in lines), key=len, reverse=True)

    def write(self, images: Iterable[FileImage]) -> None:
        """Write files that are the engine's from now on; what they replace is kept for `put_back`.

        Raises:
            Refused: the disk does not take one (C105).
        """
        wanted = tuple(images)
        try:
            for image in wanted:
                if image.path not in self.record.former:
                    before = files.read_image(self.host, image.path)
                    self.record.former[image.path] = _kept(before)
            self.save()
            for image in wanted:
                files.write_image(self.host, image)
        except OSError as error:
            raise Refused(_disk(error)) from error

    async def place(self, source: Path, path: str, sha256: str, mode: int) -> None:
        """`place_now` in a thread of its own: it takes a while."""
        await asyncio.to_thread(self.place_now, source, path, sha256, mode)

    def place_now(self, source: Path, path: str, sha256: str, mode: int) -> None:
        """Copy a large file of the payload, checked while it is read; nothing is done where it is there already.

        Raises:
            Refused: it is not what the inventory says (K115), or the disk does not take it (C105).
        """
        target = self.host.path(path)
        try:
            if target.is_file() and sha256_of(target) == sha256:
                return
            self.record.former.setdefault(path, None)
            self.save()
            files.make_folder(target.parent)
            beside = target.parent / f".{target.name}.onsite.tmp"
            digest = hashlib.sha256()
            with open(source, "rb") as read, open(beside, "wb") as write:
                while block := read.read(1 << 20):
                    digest.update(block)
                    write.write(block)
                write.flush()
                os.fchmod(write.fileno(), mode)
                os.fsync(write.fileno())
            if digest.hexdigest() != sha256:
                beside.unlink()
                text = f"{source.name} of the content is not what its inventory says."
                raise Refused(Issue("K115", "error", "content", text, "Import the bundle again."))
            beside.replace(target)
            files.sync_folder(target.parent)
        except OSError as error:
            raise Refused(_disk(error)) from error

    def put_back(self, only: Callable[[str], bool] = lambda _path: True) -> None:
        """Every file that we wrote as it was before; folders that we left empty stay."""
        for path, before in list(self.record.former.items()):
            if not only(path):
                continue
            if before is None:
                self.host.path(path).unlink(missing_ok=True)
            else:
                files.write_image(self.host, _image(path, before))
            del self.record.former[path]
        self.save()

    # -- the record
    def save(self) -> None:
        document = json.dumps(self.record.__dict__, sort_keys=True).encode()
        files.make_folder(self.host.path(FOLDER), 0o700)
        files.write_image(self.host, FileImage(RECORD, document, 0o600))

    def forget(self) -> None:
        """No engine is here any more; what was left on purpose (programs, for the next time) is still known."""
        self.record = Record(former=self.record.former)
        if self.record.former:
            self.save()
        else:
            files.remove(self.host, [RECORD])

    async def once(
        self, name: str, text: str, tell: Tell, work: Callable[[], Awaitable[None]], of: str = "done"
    ) -> None:
        """Do a step unless it was done for the same input `of`; what begins and ends is recorded and told.

        Raises:
            Refused: from the work; it is told too.
        """
        if self.record.steps.get(name) == of:
            return
        self.record.steps[name] = "begun"
        self.save()
        tell(Event(step=name, mark="begun", text=text))
        try:
            await work()
        except Refused as refused:
            issue = refused.issues[0]
            tell(Event(step=name, mark="failed", text=issue.text, code=issue.code))
            raise
        self.record.steps[name] = of
        self.save()
        tell(Event(step=name, mark="done", text=text))


async def until(limit: float, step: float = 0.5) -> AsyncIterator[float]:
    """Ask again and again: yields the seconds left until none are."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limit
    while (left := end - loop.time()) > 0:
        yield left
        await asyncio.sleep(min(step, max(left, 0)))


def digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _kept(image: FileImage) -> dict[str, Any] | None:
    if image.absent:
        return None
    content = None if image.content is None else base64.b64encode(image.content).decode()
    return {"content": content, "mode": image.mode, "uid": image.uid, "gid": image.gid, "target": image.target}


def _image(path: str, kept: dict[str, Any]) -> FileImage:
    content = None if kept["content"] is None else base64.b64decode(kept["content"])
    return FileImage(path, content, kept["mode"], kept["uid"], kept["gid"], kept["target"])


def _disk(error: OSError) -> Issue:
    what = "is full" if error.errno == errno.ENOSPC else f"refuses: {error.strerror or error}"
    where = f" ({error.filename})" if error.filename else ""
    return Issue("C105", "error", "", f"The disk of this host {what}{where}.", "Free some space, then try again.")
