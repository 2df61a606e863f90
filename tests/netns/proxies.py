"""Real proxies and servers on loopback for the tests of the proxy: squid, TLS with a private CA, one that hangs.

Certificates are made here; nothing of the machine's own trust is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import os
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SQUID = shutil.which("squid", path="/usr/sbin:/usr/bin")
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Authority:
    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def authority(common_name: str) -> Authority:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(name, name, key, days=3650)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(name, key, certificate)


def issued(ca: Authority, *names: str, begins: float = -1, days: float = 90) -> Authority:
    """A server's certificate. `begins` and `days` are days from now and from its begin."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    key = ec.generate_private_key(ec.SECP256R1())
    kinds = [x509.IPAddress(ipaddress.ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names]
    certificate = (
        _builder(subject, ca.name, key, begins=begins, days=days)
        .add_extension(x509.SubjectAlternativeName(kinds), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False)
        .sign(ca.key, hashes.SHA256())
    )
    return Authority(subject, key, certificate)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, begins: float = -1, days: float
) -> x509.CertificateBuilder:
    start = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=begins)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=ca, crl_sign=ca, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


@contextlib.contextmanager
def serving(serve: Serve, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[int]:
    """A server in a thread of its own, so that a test may block; gives its port."""
    ready, ports, over = threading.Event(), list[int](), list[Callable[[], None]]()

    async def run() -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(lambda *_: None)
        server = await asyncio.start_server(serve, host, 0, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
        over.append(lambda: loop.call_soon_threadsafe(end.set) and None)
        ready.set()
        await end.wait()
        server.close()
        for transport in list(loop._transports.values()):  # also those whose handshake never ended
            transport.abort()
        await asyncio.sleep(0.05)  # aborting is done in the next turns of the loop

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield ports[0]
    finally:
        over[0]()
        thread.join(5)


@contextlib.contextmanager
def tls_server(own: Authority, folder: Path, status: str = "200 OK") -> Iterator[int]:
    """An HTTPS server that says the right time."""
    file = folder / f"{own.certificate.serial_number}.pem"
    file.write_bytes(own.pem + own.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with serving(answering(status), context) as port:
        yield port


def answering(status: str = "200 OK", *fields: str) -> Serve:
    """Every request gets this answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            head = "\r\n".join((f"HTTP/1.1 {status}", f"Date: {formatdate(usegmt=True)}", *fields))
            writer.write(f"{head}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".encode())
            await writer.drain()
        writer.close()

    return serve


async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the connection and all that is sent, and says nothing."""
    with contextlib.suppress(OSError):
        while await reader.read(4096):
            pass
    writer.close()


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n" + bytes(range(256)) + b"\r\n\r\n")
    with contextlib.suppress(OSError):
        await writer.drain()
        await reader.read(4096)
    writer.close()


@contextlib.contextmanager
def squid(
    folder: Path, *lines: str, listen: str = "127.0.0.1:{port}{options}", options: str = "", within: Sequence[str] = ()
) -> Iterator[int]:
    """A real squid with these configuration lines; gives its port. `within` enters other namespaces."""
    assert SQUID is not None
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "squid.conf"
    conf = [
        f"http_port {listen.format(port=port, options=options)}",
        f"pid_filename {folder}/pid", f"cache_log {folder}/cache.log", "access_log none", "cache deny all",
        f"coredump_dir {folder}", "shutdown_lifetime 0 seconds", "pinger_enable off", "visible_hostname proxy.example",
        "dns_nameservers 127.0.0.1", "connect_timeout 3 seconds", "forward_timeout 4 seconds", *lines,
    ]  # fmt: skip
    config.write_text("\n".join(conf) + "\n")
    subprocess.run(["chown", "-R", "proxy:proxy", str(folder)], check=True)
    for above in (folder, *folder.parents):  # squid changes its user; temporary folders are private
        if str(above).startswith("/tmp/"):
            above.chmod(above.stat().st_mode | 0o011)
    command = [*within, SQUID, "-N", "-f", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 15
        while True:
            assert process.poll() is None, (folder / "cache.log").read_text()[-2000:]
            assert time.monotonic() < end, (folder / "cache.log").read_text()[-2000:]
            if (
                "Accepting" in (folder / "cache.log").read_text(errors="replace")
                if (folder / "cache.log").exists()
                else ""
            ):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def basic(folder: Path, user: str, password: str) -> tuple[str, ...]:
    """Configuration lines of a squid that asks for this login."""
    folder.mkdir(parents=True, exist_ok=True)
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", "-stdin"], input=password.encode(), capture_output=True, check=True
    ).stdout.decode()
    (folder / "users").write_text(f"{user}:{hashed}")
    return (
        f"auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/users",
        "auth_param basic utf8 off",
        "acl known proxy_auth REQUIRED",
        "http_access allow known",
        "http_access deny all",
    )


def bumping(folder: Path, ca: Authority, trusts: Authority) -> tuple[tuple[str, ...], str]:
    """Lines and port options of a squid that opens TLS with this authority."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ca.pem").write_bytes(ca.pem + ca.key_pem)
    (folder / "trusts.pem").write_bytes(trusts.pem)
    certgen = "/usr/lib/squid/security_file_certgen"
    subprocess.run([certgen, "-c", "-s", str(folder / "made"), "-M", "4MB"], check=True, capture_output=True)
    lines = (
        f"sslcrtd_program {certgen} -s {folder}/made -M 4MB", "sslcrtd_children 1", "ssl_bump bump all",
        f"tls_outgoing_options cafile={folder}/trusts.pem", "http_access allow all",
    )  # fmt: skip
    return lines, f" ssl-bump tls-cert={folder}/ca.pem generate-host-certificates=on"


def missing() -> str | None:
    """Why no squid can be had here."""
    if os.geteuid():
        return "squid as a test's own process needs root"
    if SQUID is None or not Path("/usr/lib/squid/security_file_certgen").exists():
        return "needs squid-openssl (see .ci/packages)"
    return None


def passwords(count: int) -> list[str]:
    """Generated passwords; together they have every printable ASCII sign, and some of other scripts."""
    dice = random.Random(7)
    printable = [chr(n) for n in range(32, 127)]
    others = [*"äöüßéñçøÆœ€£¥µ§°λжщ中日한ا🔑", "\u00a0", "\u0301"]
    awkward = [
        "%",
        "%%",
        "%40",
        "$HOME",
        "$(id)",
        "`id`",
        "\\",
        "'",
        '"',
        "${x}",
        "#",
        ";",
        "//",
        "\\\\n",
        "!!",
        "~",
        "null",
    ]
    made = [*awkward, "".join(printable), "".join(reversed(printable)), *printable]
    while len(made) < count:
        signs = dice.choices([*printable, *others, *awkward], k=dice.randint(1, 24))
        made.append("".join(signs))
    return made[:count]
