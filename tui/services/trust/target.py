"""The target of the trust store: the distribution's own command after the files, and a look into what it made."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Sequence

from tui.models.change import FileImage, Issue
from tui.services import reading as small
from tui.services.change import files
from tui.services.host import Host
from tui.services.trust import reading, stores
from tui.services.trust.stores import Store

log = logging.getLogger(__name__)
_LIST = "/etc/ca-certificates.conf"
SECONDS = 50.0
"""update-ca-certificates takes half a second here, and ten on a slow flash disk."""


class TrustTarget:
    name = "trust"

    async def reload(self, host: Host, paths: Sequence[str]) -> None:
        store = stores.store_of(host)
        mine = [path for path in paths if store is not None and path.startswith(store.folder + "/")]
        if store is None or not mine:
            return
        gone = any(files.read_image(host, path).absent for path in mine)
        argv = stores.command_of(host, store, fresh=gone)
        if argv is None or (host.kind != "real" and shutil.which(argv[0]) is None):
            _bundle_ourselves(host, store)
            return
        for option in ("--etccertsdir", "--hooksdir"):  # a practice host may have nothing there yet
            if option in argv:
                files.make_folder(host.path(argv[argv.index(option) + 1]))
        await _run(argv)
        if gone and store.family == "debian" and not stores.anchors(host, store) and not small.line(host, _LIST):
            files.remove(host, [store.bundle])  # with no certificate left at all the script leaves the old bundle

    async def problems(self, host: Host, paths: Sequence[str]) -> tuple[Issue, ...]:
        """An authority that is in a file and not in the bundle, or the other way round."""
        store = stores.store_of(host)
        if store is None:
            return ()
        seen = reading.fingerprints(reading.bundle(host))
        short = {fingerprint[:8] for fingerprint in seen}
        found: list[Issue] = []
        for path in paths:
            if not path.startswith(store.folder + "/"):
                continue
            image = files.read_image(host, path)
            if image.content is not None and not reading.fingerprints(image.content) <= seen:
                text = f"{store.bundle} does not have the certificate of {path}."
                found.append(Issue("S152", "error", "trust", text, "See the Log for what the command said."))
            elif image.absent and stores.is_ours(path) and path[-12:-4] in short - _brought(host, store):
                text = f"{store.bundle} still has the certificate of {path}."
                found.append(Issue("S153", "error", "trust", text, "Somebody else put it there too; see that folder."))
        return tuple(found)


def _brought(host: Host, store: Store) -> set[str]:
    """Fingerprints, eight digits of each, that are in the bundle for another reason than our file."""
    others = [p for p in stores.anchors(host, store) if not stores.is_ours(p)]
    contents = (files.read_image(host, path).content or b"" for path in others)
    return {fingerprint[:8] for content in contents for fingerprint in reading.fingerprints(content)}


async def _run(argv: list[str]) -> None:
    """Raises OSError where the command is not there, fails, or takes too long."""
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env=environment
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    log.info("%s: %s", argv[0], said.decode("utf-8", "replace")[-500:].strip())
    if process.returncode:
        raise OSError(5, f"{argv[0]} failed with exit code {process.returncode}")


def _bundle_ourselves(host: Host, store: Store) -> None:
    """The bundle of a host that is no real one: what the distribution brought, then the files of the folder.

    Raises:
        OSError: it could not be written.
    """
    brought = f"{store.bundle}.brought"
    if files.read_image(host, brought).absent:
        before = files.read_image(host, store.bundle).content or b""
        files.write_image(host, FileImage(brought, before, 0o644, os.geteuid(), os.getegid()))
    parts = [files.read_image(host, brought).content or b""]
    parts += [files.read_image(host, path).content or b"" for path in stores.anchors(host, store)]
    files.write_image(host, FileImage(store.bundle, b"".join(parts), 0o644, os.geteuid(), os.getegid()))
