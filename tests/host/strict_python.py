"""Run by a Python with strict verification, in a root of its own: `python3 -m tests.host.strict_python FOLDER`.

Prints, as JSON: its version and that of cryptography, the verdicts of our reader over the table of certificate inputs,
and for each pair of files in FOLDER whether `ssl.create_default_context` believes the server.
"""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path

import cryptography

from tests.unit.certificate_cases import cases
from tui.models.certificate import Judged
from tui.services.parser import certificates


def verdicts() -> dict[str, tuple[int, list[str], int, list[str]]]:
    """Usable certificates and codes: found, and expected."""
    said = {}
    for name, case in cases().items():
        found = Judged.from_dict(certificates.read(case.data, dict(case.details)))
        said[name] = (len(found.usable), list(found.codes), case.usable, list(case.codes))
    return said


def believes(authority: Path, server: Path) -> str:
    """ "" where it is believed, else what Python says; a handshake in memory."""
    client = ssl.create_default_context(cafile=str(authority))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(server)
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(into, out, server_hostname="registry.example")
    there = serving.wrap_bio(out, into, server_side=True)
    for _ in range(10):
        for end in (here, there):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as refused:
                return refused.verify_message
        if here.version() and here.getpeercert():
            return ""
    raise AssertionError("no end of the handshake")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    told = {}
    for path in sorted(folder.glob("*.ca.pem")):
        told[path.name.removesuffix(".ca.pem")] = believes(path, folder / path.name.replace(".ca.", ".server."))
    versions = {
        "python": sys.version.split()[0],
        "cryptography": cryptography.__version__,
        "openssl": ssl.OPENSSL_VERSION,
    }
    print(json.dumps({**versions, "table": verdicts(), "believed": told}))
