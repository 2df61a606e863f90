"""The table of certificate inputs, and the rules against the programs that apply them."""

from __future__ import annotations

import base64
import ssl
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.certificates import NOW, YEAR, Issued, issued, rsa_key, server
from tests.unit.certificate_cases import Case, cases
from tui.models.certificate import Judged, groups
from tui.services.parser import certificates, mending
from tui.services.parser.judgement import STRICT

TABLE = cases()


def judged(case: Case) -> Judged:
    return Judged.from_dict(certificates.read(case.data, dict(case.details)))


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) > 100


@pytest.mark.parametrize("name", TABLE)
def test_verdict(name: str) -> None:
    case = TABLE[name]
    found = judged(case)
    assert (len(found.usable), found.codes) == (case.usable, case.codes), [i.text for i in found.issues]
    for issue in found.issues:
        assert issue.text.endswith(".")
        assert issue.remedy.endswith((".", "?"))
        assert issue.text.isprintable()
    assert all(c.subject.isprintable() for c in found.certificates)


@pytest.mark.parametrize("name", [n for n, c in TABLE.items() if "S111" in c.codes])
def test_nothing_of_a_file_with_a_private_key_is_taken(name: str) -> None:
    found = judged(TABLE[name])
    assert found.certificates == ()
    assert "MII" not in str(found.to_dict())


def test_mended_text_is_the_same_certificate() -> None:
    pem = TABLE["pem"].data
    fingerprint = judged(TABLE["pem"]).usable[0].sha256
    forms = [n for n, c in TABLE.items() if c.codes == ("S130",) and c.usable == 1 and n != "certificate and request"]
    same = [n for n in forms if judged(TABLE[n]).usable[0].sha256 == fingerprint]
    assert len(same) >= 20, set(forms) - set(same)
    assert pem.startswith(b"-----BEGIN")


@pytest.mark.parametrize("mark", ["> ", ">", "> > ", ">>", "# ", "// ", "//", " * ", "| > "])
@given(st.lists(st.sampled_from([b"\xff" * 48, b"\x00" * 48, bytes(range(48))]), min_size=1, max_size=6))
def test_marks_of_a_quotation_are_told_from_what_is_quoted(mark: str, rows: list[bytes]) -> None:
    """48 bytes are a line of base64; of 0xff they are a line of slashes."""
    body = b"".join(rows)
    text = "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(body).decode() + "-----END CERTIFICATE-----\n"
    found = mending.blocks("".join(f"{mark}{row}\n" for row in text.splitlines())).blocks
    assert [(b.wrong, b.data) for b in found] == [("", body)]


def test_a_chain_is_put_in_order() -> None:
    root = issued("Root")
    middle = issued("Middle", root)
    lower = issued("Lower", middle)
    leaf = server(lower)
    wanted = [x.sha256 for x in (leaf, lower, middle, root)]
    for order in ((root, leaf, lower, middle), (middle, lower, root, leaf), (leaf, lower, middle, root)):
        found = certificates.judged(b"".join(x.pem for x in order), now=NOW.timestamp())
        assert [c.sha256 for c in found.certificates] == wanted
        assert [c.self_signed for c in found.certificates] == [False, False, False, True]


def test_a_garbled_line_is_named() -> None:
    lines = TABLE["pem"].data.decode().splitlines()
    lines[4] = lines[4][:10] + "\u00a7" + lines[4][11:]
    issue = certificates.judged("\n".join(lines).encode(), now=0).issues[0]
    assert issue.text.startswith("Line 5 ")
    lines = TABLE["pem"].data.decode().splitlines()
    lines[6] = lines[6][:10] + lines[6][13:]
    issue = certificates.judged("\n".join(lines).encode(), now=0).issues[0]
    assert "line 7" in issue.text


def test_groups_of_four() -> None:
    assert groups("0123456789abcdef" * 4)[:3] == ["0123", "4567", "89AB"]
    assert len(groups("0" * 64)) == 16


AUTHORITIES: dict[str, dict[str, Any]] = {
    "as made today": {},
    "rsa": {"key": rsa_key(2048)},
    "constraints not critical": {"critical": False},
    "no key usage": {"usage": None},
    "no key identifier": {"ski": False},
    "no common name": {},
}


def believes(root: Issued, chain: tuple[Issued, ...], leaf: Issued, *, strict: bool) -> bool:
    """What OpenSSL says by way of Python's ssl, with the flags of Python 3.13 or without."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= 0x200000  # X509_V_FLAG_NO_CHECK_TIME: the certificates are of another day
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=root.pem.decode())
    return shaken(context, leaf, chain)


def shaken(client: ssl.SSLContext, leaf: Issued, chain: tuple[Issued, ...]) -> bool:
    """A handshake in memory."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.write_bytes(leaf.key_pem + leaf.pem + b"".join(x.pem for x in chain))
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(path)
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(into, out, server_hostname="registry.example")
    there = serving.wrap_bio(out, into, server_side=True)
    for _ in range(10):
        for end in (here, there):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
        if here.version() and here.getpeercert():
            return True
    raise AssertionError("no end of the handshake")


@pytest.mark.parametrize("name", AUTHORITIES)
def test_strict_python_refuses_what_we_say_it_refuses(name: str) -> None:
    root = issued("Some Root", **AUTHORITIES[name])
    leaf = server(root)
    found = certificates.judged(root.pem, now=NOW.timestamp()).usable[0]
    said = [who for who, _ in found.refused_by]
    assert believes(root, (), leaf, strict=True) is (STRICT not in said)
    assert believes(root, (), leaf, strict=False) is True


def test_strict_python_and_an_intermediate() -> None:
    root = issued("Some Root")
    for aki in (True, False):
        middle = issued("Middle", root, aki=aki)
        leaf = server(middle)
        found = certificates.judged(root.pem + middle.pem, now=NOW.timestamp())
        said = next(c.refused_by for c in found.usable if c.sha256 == middle.sha256)
        assert believes(root, (middle,), leaf, strict=True) is (not said)


def test_an_authority_that_has_ended_is_refused_by_openssl_too() -> None:
    root = issued("Past", begins=NOW - 20 * YEAR, ends=NOW - 15 * YEAR)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=root.pem.decode())
    assert shaken(context, server(root), ()) is False
    assert certificates.judged(root.pem, now=NOW.timestamp()).usable == ()
