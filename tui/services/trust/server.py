"""The certificate of the management API of this host: what is there, one of our own making, and one from a stick.

Two files, of which the agent takes up whatever lies there: the chain, and the key that only its owner can read.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface
from typing import TYPE_CHECKING

from tui.models.certificate import Certificate, Judged, groups
from tui.models.change import Difference, FileImage, Issue, Step
from tui.models.facts import Facts
from tui.services.change.target import Part
from tui.services.host import Host
from tui.services.trust import stores

if TYPE_CHECKING:
    from tui.models.host import HostConfig
    from tui.models.server import ServerConfig

CERTIFICATE, KEY = stores.SERVER
TARGET = "server certificate"
YEARS = 10
"""Nobody renews the certificate of a box in a cellar; what counts is its fingerprint, which the console shows."""
_remembered: dict[str, Pair] = {}


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its issuers, its key, and what is wrong; nothing of it where something is an error."""

    chain: tuple[Certificate, ...] = ()
    key: str = field(default="", repr=False)
    issues: tuple[Issue, ...] = ()

    @property
    def leaf(self) -> Certificate | None:
        return self.chain[0] if self.chain else None

    @property
    def usable(self) -> bool:
        return bool(self.chain) and not any(issue.severity == "error" for issue in self.issues)

    @property
    def config(self) -> ServerConfig:
        """The wish that this pair is."""
        from pydantic import SecretStr

        from tui.models.server import ServerConfig

        return ServerConfig(certificate="".join(c.pem for c in self.chain), key=SecretStr(self.key))


def judge(data: bytes, now: float, *, passphrase: str = "", others: Sequence[bytes] = ()) -> Pair:
    """What a file holds, with the key that belongs to it wherever that is. Blocks: the parser child is started.

    Args:
        others: the files beside it, among which the key may be.
    """
    from tui.services.parser.run import ParserFailed, parse

    coded = [base64.b64encode(other).decode() for other in others]
    try:
        said = parse("pair", data, now=now, passphrase=passphrase, others=coded)
        judged = Judged.from_dict(said)
        key = str(said["key"])
    except (ParserFailed, ValueError, KeyError):
        remedy = "Choose the file of the certificate, and put only its key beside it."
        return Pair(issues=(Issue("S156", "error", "", "Reading it took too long or too much memory.", remedy),))
    return Pair(judged.certificates, key, judged.issues)


def shown(facts: Facts, now: float) -> Pair:
    """The certificate that the host has, without its key. Blocks where it was not asked before."""
    return _judged(facts.file(CERTIFICATE).text or "", facts.file(KEY).text or "", now)


def _judged(certificate: str, key: str, now: float) -> Pair:
    """Remembered by its hash and without the key: a plan is made many times."""
    if not certificate:
        return Pair()
    name = hashlib.sha256(f"{now // 3600}\0{certificate}\0{key}".encode()).hexdigest()
    if name not in _remembered:
        if len(_remembered) > 16:
            _remembered.clear()
        found = judge(certificate.encode(), now, others=(key.encode(),))
        _remembered[name] = Pair(found.chain, "", found.issues)
    return _remembered[name]


def names(facts: Facts) -> tuple[str, ...]:
    """The names and addresses by which this host is reached now."""
    addresses = (ip_interface(a.address).ip for link in facts.links for a in link.addresses if not a.link_local)
    hosts = [n for n in (facts.hostname, "localhost") if n and n.isascii()]
    return tuple(dict.fromkeys([*hosts, *sorted({str(a) for a in addresses} | {"127.0.0.1", "::1"})]))


def made(facts: Facts, now: float) -> tuple[bytes, bytes]:
    """A certificate that signs itself, for the names and addresses of the host, and its key; both in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (facts.hostname or "localhost")[:64])])
    day = datetime.datetime.fromtimestamp(now, datetime.UTC)
    alternatives = [x509.IPAddress(ip_address(n)) if _is_address(n) else x509.DNSName(n) for n in names(facts)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(day - datetime.timedelta(days=3650))  # a clock that was never set is years behind
        .not_valid_after(day + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    how = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(*how)


def anew(facts: Facts, now: float) -> Pair:
    """One that signs itself, for the names and addresses of today, with its key, judged like any other."""
    return judge(b"".join(made(facts, now)), now)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


# --- the plan --------------------------------------------------------------------------------------------------------


def part(config: HostConfig, facts: Facts) -> Part:
    """Steps that put the pair of the draft there; nothing where the host has it."""
    wish = config.server
    if wish is None:
        return Part()
    key = wish.key.get_secret_value() if wish.key is not None else facts.file(KEY).text or ""
    images = (FileImage(KEY, key.encode(), 0o600), FileImage(CERTIFICATE, wish.certificate.encode(), 0o644))
    steps = tuple(
        Step(image, before.sha256, reload=TARGET, disruption="none")
        for image in images
        if (before := facts.file(image.path)).sha256 != image.sha256 or before.mode != image.mode
    )
    if not steps:
        return Part()
    now = facts.trust.time
    pair = _judged(wish.certificate, key, now)
    issues = [i.at("server") for i in pair.issues]
    if pair.leaf is not None and (missing := _unnamed(pair.leaf, facts)):
        text = f"The certificate does not name this host: {', '.join(missing)}."
        remedy = "Browsers warn where this host is reached so; ask for one with these in it."
        issues.append(Issue("S173", "warning", "server", text, remedy))
    return Part(steps, tuple(_differences(pair, shown(facts, now))), issues=tuple(issues))


def _unnamed(leaf: Certificate, facts: Facts) -> list[str]:
    """Names and addresses of the host that the certificate does not have."""
    own = ("localhost", "127.0.0.1", "::1")
    return [n for n in names(facts) if n not in own and not any(_covers(pattern, n) for pattern in leaf.names)]


def _covers(pattern: str, name: str) -> bool:
    pattern, name = pattern.lower(), name.lower()
    if pattern.startswith("*."):
        return name.partition(".")[2] == pattern[2:]
    return pattern == name or pattern.partition(".")[0] == name  # the short name is how people say it


def _differences(pair: Pair, before: Pair) -> Iterator[Difference]:
    new = pair.leaf
    if new is not None:
        yield Difference("Server certificate", "SHA-256", _start(before.leaf), _start(new))
        if before.leaf is None or before.leaf.subject != new.subject:
            yield Difference("Server certificate", "name", before.leaf.subject if before.leaf else "none", new.subject)


def _start(certificate: Certificate | None) -> str:
    return f"{' '.join(groups(certificate.sha256)[:4])}.." if certificate is not None else "none"


class ServerTarget:
    """The agent looks at the files by itself; what has to be true is that they belong together."""

    name = TARGET

    async def reload(self, host: Host, paths: Sequence[str]) -> None:
        return None

    async def problems(self, host: Host, paths: Sequence[str]) -> tuple[Issue, ...]:
        where = host.path(CERTIFICATE), host.path(KEY)
        if not (where[0].exists() or where[1].exists()):
            return ()
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*where)
        except (OSError, ssl.SSLError):
            text = "The server certificate and its key cannot be used together."
            return (Issue("S170", "error", "server", text, "Import both again; the former pair is put back."),)
        return ()
