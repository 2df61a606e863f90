"""What we say of a certificate, held against a real Python 3.13, which verifies strictly by default.

The root is Debian 13 by mmdebstrap and takes minutes: only with ONSITE_FULL=1. Its table is in
docs/measured/certificates.md.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.certificates import Issued, issued, rsa_key, server
from tui.services.parser import certificates
from tui.services.parser.judgement import STRICT

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime.datetime.now(datetime.UTC)
SPAN: dict[str, Any] = {"begins": NOW - datetime.timedelta(days=30), "ends": NOW + datetime.timedelta(days=3650)}
AUTHORITIES: dict[str, dict[str, Any]] = {
    "as made today": {},
    "RSA 2048": {"key": rsa_key(2048)},
    "EC P-384": {"key": ec.generate_private_key(ec.SECP384R1())},
    "Ed25519": {"key": ed25519.Ed25519PrivateKey.generate()},
    "no organization": {"organization": ""},
    "path length 0": {"path_length": 0},
    "constraints not critical": {"critical": False},
    "no key usage": {"usage": None},
    "no key identifier": {"ski": False},
    "empty subject": {"common_name": "", "organization": ""},
    "all of these": {"critical": False, "usage": None, "ski": False},
}


def made(folder: Path) -> dict[str, list[str]]:
    """Authorities and servers as files; who refuses each, by our own judgement."""
    said: dict[str, list[str]] = {}

    def add(name: str, root: Issued, leaf: Issued, *chain: Issued) -> None:
        (folder / f"{name}.ca.pem").write_bytes(root.pem)
        (folder / f"{name}.server.pem").write_bytes(leaf.key_pem + leaf.pem + b"".join(c.pem for c in chain))
        found = certificates.judged(root.pem + b"".join(c.pem for c in chain), now=NOW.timestamp())
        said[name] = sorted({who for c in found.usable for who, _ in c.refused_by})

    span = {"begins": SPAN["begins"]}
    for name, how in AUTHORITIES.items():
        root = issued(**{"common_name": "Some Root", **SPAN, **how})
        add(name, root, server(root, **span))
    root = issued("Some Root", **SPAN)
    for name, aki in (("with an intermediate", True), ("intermediate without issuer's key identifier", False)):
        middle = issued("Middle", root, aki=aki, **SPAN)
        add(name, root, server(middle, **span), middle)
    return said


def run(root: Path, folder: Path) -> dict[str, Any]:
    """Copy what is needed into the root and let its own Python tell."""
    code = root / "opt/onsite"
    shutil.rmtree(code, ignore_errors=True)
    for name in ("tui", "tests"):
        shutil.copytree(ROOT / name, code / name, ignore=shutil.ignore_patterns("__pycache__", "__snapshots__"))
    shutil.copytree(folder, code / "given")
    command = ["chroot", str(root), "/bin/sh", "-c", "cd /opt/onsite && python3 -m tests.host.strict_python given"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PATH": os.defpath + ":/usr/sbin:/sbin"}
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def table(said: dict[str, list[str]], told: dict[str, Any]) -> str:
    right = sum(v[:2] == v[2:] for v in told["table"].values())
    lines = [
        f"Python {told['python']}, cryptography {told['cryptography']}, {told['openssl']}:",
        f"{len(told['table'])} inputs, {right} with the expected verdict.",
        "",
        "| authority | we say that strict Python | Python says |",
        "| --- | --- | --- |",
    ]
    for name, answer in told["believed"].items():
        lines.append(f"| {name} | {'refuses it' if STRICT in said[name] else 'takes it'} | {answer or 'believed'} |")
    return "\n".join(lines)


if os.environ.get("ONSITE_FULL"):

    def test_python_313(tmp_path: Path) -> None:
        if shutil.which("mmdebstrap") is None or os.geteuid():
            pytest.skip("a root of Debian 13 needs mmdebstrap and root (see .ci/packages)")
        root, folder = tmp_path / "root", tmp_path / "given"
        folder.mkdir()
        include = "--include=python3,python3-cryptography"
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", include, "trixie", str(root)], check=True)
        said = made(folder)
        told = run(root, folder)
        print("\n" + table(said, told))
        assert tuple(map(int, told["python"].split(".")[:2])) >= (3, 13)
        assert {n: v for n, v in told["table"].items() if v[:2] != v[2:]} == {}
        assert {n: not answer for n, answer in told["believed"].items()} == {
            n: STRICT not in w for n, w in said.items()
        }
