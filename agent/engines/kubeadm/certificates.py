"""What kubeadm signed on this host: how long it is good, and renewing it. Works without the API."""

from __future__ import annotations

import base64
import datetime
import hashlib
import warnings
from collections.abc import Iterator

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from agent.engines import kubectl
from agent.engines.engine import Event, Tell
from agent.engines.kubeadm import etcd
from agent.engines.machine import Machine
from tui.models.change import Issue, Refused
from tui.services import reading

# kubeadm gives its authorities the serial number 0; the log need not say so at each look.
warnings.filterwarnings("ignore", "Parsed a serial number", CryptographyDeprecationWarning)

PKI = "/etc/kubernetes/pki"
_CONFIGS = ("admin.conf", "controller-manager.conf", "scheduler.conf")
_KUBELET = "/var/lib/kubelet/pki/kubelet-client-current.pem"
_USERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
"""Static pods that read certificates only when they start."""


def found(machine: Machine) -> tuple[dict[str, str], ...]:
    """Each with "name", "ca" (who signed it; itself for an authority), "from", "until" (RFC 3339) and "serial"."""
    return tuple(
        {
            "name": name,
            "ca": _common(certificate.issuer),
            "from": certificate.not_valid_before_utc.isoformat(),
            "until": certificate.not_valid_after_utc.isoformat(),
            "serial": f"{certificate.serial_number:x}",
            "authority": "yes" if certificate.issuer == certificate.subject else "",
        }
        for name, certificate in _all(machine)
    )


def ca_hash(machine: Machine) -> str:
    """How a joining host recognises the cluster: SHA-256 of the authority's public key (RFC 7469)."""
    certificate = x509.load_pem_x509_certificate(machine.text(f"{PKI}/ca.crt").encode())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(key).hexdigest()}"


def soon(machine: Machine, now: float, days: int = 30) -> tuple[Issue, ...]:
    """Certificates, authorities left out, that end within so many days (K305)."""
    issues = []
    for name, certificate in _all(machine):
        left = certificate.not_valid_after_utc.timestamp() - now
        if left < days * 86400 and certificate.issuer != certificate.subject:
            when = (
                f"ended on {certificate.not_valid_after_utc:%Y-%m-%d}"
                if left < 0
                else f"ends in {left / 86400:.0f} days"
            )
            text = f"The certificate {name} {when}."
            issues.append(Issue("K305", "error" if left < 0 else "warning", "", text, "Renew the certificates."))
    return tuple(issues)


async def renew(machine: Machine, tell: Tell) -> None:
    """Renew, then start what uses them anew, one pod after the other.

    Raises:
        Refused: kubeadm refuses (K201), or the API does not come back with the new certificate (K205).
    """
    tell(Event(step="renew", mark="begun", text="Certificates are renewed"))
    before = {c["name"]: c["serial"] for c in found(machine)}
    await machine.must("Renewing the certificates", "kubeadm", "certs", "renew", "all", limit=120)
    for name in _USERS:
        await etcd.anew(machine, name)
    await kubectl.wait_for_api(machine)
    await etcd.wait_healthy(machine)
    old = [c["name"] for c in found(machine) if before.get(c["name"]) == c["serial"] and c["name"] in _renewed(before)]
    if old:
        text = f"Not renewed: {', '.join(old)}."
        raise Refused(Issue("K201", "error", "", text, "Read the whole story in the log."))
    tell(Event(step="renew", mark="done", text="Certificates are renewed"))


def _renewed(names: dict[str, str]) -> set[str]:
    authorities = {"ca", "etcd/ca", "front-proxy-ca"}
    return {n for n in names if n not in authorities and n != "kubelet"}


def _all(machine: Machine) -> Iterator[tuple[str, x509.Certificate]]:
    for folder in ("", "etcd/"):
        for name in reading.names(machine.host, f"{PKI}/{folder}", ".crt"):
            yield from _read(folder + name.removesuffix(".crt"), machine.text(f"{PKI}/{folder}{name}"))
    for name in _CONFIGS:
        try:
            user = yaml.safe_load(machine.text(f"/etc/kubernetes/{name}"))["users"][0]["user"]
            text = base64.b64decode(user["client-certificate-data"]).decode()
        except (ValueError, KeyError, TypeError, IndexError, yaml.YAMLError):
            continue
        yield from _read(name, text)
    if machine.there(_KUBELET):
        yield from _read("kubelet", machine.text(_KUBELET))


def _read(name: str, text: str) -> Iterator[tuple[str, x509.Certificate]]:
    try:
        yield name, x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        return


def _common(name: x509.Name) -> str:
    parts = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(parts[0].value) if parts else ""


def earliest(certificates: tuple[dict[str, str], ...]) -> datetime.datetime | None:
    """When the first that is no authority ends."""
    ends = [datetime.datetime.fromisoformat(c["until"]) for c in certificates if not c["authority"]]
    return min(ends, default=None)
