"""The trust stores of Red Hat and SUSE: their folders, and the real `trust extract` of p11-kit behind their commands.

Those commands are no packages of Debian. Here stand short ones that do with p11-kit what they do for the bundle, SUSE's
rule of doing nothing where nothing seems newer included; `ONSITE_TRUST_SCRIPTS` names a folder with the real ones
(update-ca-trust, update-ca-certificates, update.d/*.run), which are taken then. What neither shows: another version of
p11-kit, SELinux, a root that is read-only as on transactional systems.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.certificates import Issued, issued
from tests.host import box as boxes
from tests.host.box import MORE, Box
from tui.services.trust import stores
from tui.services.trust.stores import Store

REAL = os.environ.get("ONSITE_TRUST_SCRIPTS", "")
MODULE = "module: p11-kit-trust.so\ntrust-policy: yes\npriority: 1\nx-init-reserved: paths='{folder}:{brought}'\n"
"""Debian's p11-kit reads another place by itself (p11-kit(8), pkcs11.conf(5))."""
_EXTRACT = "trust extract --filter=ca-anchors --purpose=server-auth"
COMMANDS = {
    "redhat": f"#!/bin/sh\nexec {_EXTRACT} --format=pem-bundle --overwrite {{bundle}}\n",
    "suse": (
        f"#!/bin/sh\npem=/var/lib/ca-certificates/pem\n{_EXTRACT} --format=pem-directory-hash --overwrite $pem\n"
        f'[ "$1" != -f ] && [ {{bundle}} -nt $pem ] && exit 0\n'
        f"rm -f {{bundle}}.tmp && {_EXTRACT} --format=pem-bundle {{bundle}}.tmp && mv {{bundle}}.tmp {{bundle}}\n"
    ),
}
FOLDERS = (
    "etc/pki/ca-trust/extracted/pem", "etc/pki/ca-trust/extracted/openssl", "etc/pki/ca-trust/extracted/java",
    "var/lib/ca-certificates", "usr/lib/ca-certificates",
)  # fmt: skip
HOMES = {"redhat": "etc/pki/ca-trust", "suse": "etc/pki/trust"}
BROUGHT = {"redhat": "usr/share/pki/ca-trust-source", "suse": "usr/share/pki/trust"}


@dataclass(frozen=True, slots=True)
class Made:
    box: Box
    store: Store
    brought: Issued

    @property
    def bundle(self) -> str:
        return self.box.run("cat", self.store.bundle).stdout

    def files(self) -> dict[str, str]:
        """What there is of a site's authorities, and the bundle."""
        paths = [*(self.box.root / self.store.folder.lstrip("/")).iterdir(), self.box.root / self.store.bundle[1:]]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module", params=["redhat", "suse"])
def made(request: pytest.FixtureRequest) -> Iterator[Made]:
    if why := boxes.missing():
        pytest.skip(why)
    store = stores.by_family(request.param)
    assert store is not None
    with Box(MORE) as box:
        for folder in (*FOLDERS, store.folder.lstrip("/"), f"{BROUGHT[store.family]}/anchors"):
            (box.root / folder).mkdir(parents=True, exist_ok=True)
        source = f"/{HOMES[store.family]}" + ("/source" if store.family == "redhat" else "")
        module = MODULE.format(folder=source, brought=f"/{BROUGHT[store.family]}")
        box.write("/usr/share/p11-kit/modules/p11-kit-trust.module", module)
        brought = authority("Brought by the distribution")
        box.write(f"/{BROUGHT[store.family]}/anchors/brought.pem", brought.pem.decode())
        _commands(box, store)
        box.run(*store.command)
        yield Made(box, store, brought)


def _commands(box: Box, store: Store) -> None:
    where = box.root / "usr/sbin" / store.command[0]
    where.unlink(missing_ok=True)
    if REAL:
        shutil.copy(Path(REAL) / store.command[0], where)
        if store.family == "suse":
            shutil.copytree(Path(REAL) / "update.d", box.root / "usr/lib/ca-certificates/update.d")
    else:
        where.write_text(COMMANDS[store.family].format(bundle=store.bundle))
    where.chmod(0o755)


def authority(name: str) -> Issued:
    today = datetime.datetime.now(datetime.UTC)
    return issued(name, begins=today - datetime.timedelta(days=2), ends=today + datetime.timedelta(days=900))


def apply(made: Made, *authorities: Issued) -> None:
    texts = ["  - |\n" + "".join(f"    {line}\n" for line in a.pem.decode().splitlines()) for a in authorities]
    listed = "\n" + "".join(texts) if texts else " []\n"
    made.box.write("/root/wish.yaml", f"version: 1\ntrust:\n  authorities:{listed}")
    made.box.onsite("apply", "/root/wish.yaml", "--keep-within", "60", "--yes-warnings")


def believes(made: Made, one: Issued) -> bool:
    """Whether OpenSSL finds an authority in the bundle; it is its own proof, as it signs itself."""
    made.box.write("/root/one.pem", one.pem.decode())
    command = ["python3", "-c", BELIEVES, made.store.bundle, one.sha256]
    return made.box.run(*command).stdout.strip() == "True"


BELIEVES = """
import hashlib, ssl, sys
known = ssl.create_default_context(cafile=sys.argv[1])
print(sys.argv[2] in {hashlib.sha256(der).hexdigest() for der in known.get_ca_certs(True)})
"""


def test_added_kept_taken_back(made: Made) -> None:
    """Two changes: the second takes one of two away, which is where these commands may leave the old bundle."""
    one, two = authority("Example Root CA"), authority("Example Other CA")
    before = made.files()
    assert believes(made, made.brought)
    assert not believes(made, one)
    apply(made, one, two)
    made.box.onsite("keep")
    assert [believes(made, x) for x in (one, two, made.brought)] == [True] * 3
    assert (made.box.root / stores.ours(made.store, one.sha256).lstrip("/")).exists()
    apply(made, two)
    assert [believes(made, x) for x in (one, two, made.brought)] == [False, True, True]
    made.box.onsite("revert")
    assert [believes(made, x) for x in (one, two, made.brought)] == [True] * 3
    apply(made)
    made.box.onsite("keep")
    assert [believes(made, x) for x in (one, two, made.brought)] == [False, False, True]
    assert made.files() == before


def test_a_command_that_does_nothing_is_seen(made: Made) -> None:
    """SUSE's ends with 0 whatever its parts did; the bundle is looked into, and the change is taken back."""
    where = made.box.root / "usr/sbin" / made.store.command[0]
    before = made.files()
    where.rename(where.with_suffix(".away"))
    where.write_text("#!/bin/sh\nexit 0\n")
    where.chmod(0o755)
    try:
        made.box.write("/root/wish.yaml", "")
        with pytest.raises(AssertionError, match="S152"):
            _refused(made)
    finally:
        where.with_suffix(".away").replace(where)
    assert made.files() == before


def _refused(made: Made) -> None:
    one = authority("Example Root CA")
    text = "".join(f"    {line}\n" for line in one.pem.decode().splitlines())
    made.box.write("/root/wish.yaml", f"version: 1\ntrust:\n  authorities:\n  - |\n{text}")
    done = made.box.onsite("apply", "/root/wish.yaml", "--keep-within", "60", "--yes-warnings", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
