"""Whether a certificate can be an authority of this host, and which programs will not believe it.

The rules are RFC 5280 §4.2 and §6.1 as OpenSSL (verify and X509_V_FLAG_X509_STRICT, which Python sets from 3.13 on)
and Go (crypto/x509) apply them. They are not those of one library: what one program refuses another takes, and an
operator has to know which.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Any

from tui.models.certificate import BELIEVABLE, SOON, Certificate, Judged
from tui.models.change import Issue

STRICT = "Python 3.13 and later"
OPENSSL = "OpenSSL (curl, Python)"
GO = "Go (containerd, kubelet)"
_OLD = ("1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1")
"""RSA with MD5 or SHA-1, ECDSA with SHA-1."""
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign",
)  # fmt: skip


def judge(raw: list[bytes], issues: list[Issue], *, now: float, trusted: list[bytes]) -> Judged:
    """Judge certificates in DER that were found to be readable.

    Args:
        issues: what is known already about the input as a whole.
        now: seconds since the epoch.
        trusted: DER of what the host trusts already.
    """
    from cryptography import x509

    unique = {hashlib.sha256(der).hexdigest(): der for der in raw}
    if len(unique) < len(raw):
        text = f"{len(raw) - len(unique)} of {len(raw)} certificates are there twice; each is taken once."
        issues.append(Issue("S113", "note", "", text, "Nothing has to be done."))
    parsed: dict[str, Any] = {name: x509.load_der_x509_certificate(der) for name, der in unique.items()}
    known = _readable(trusted)
    have = {hashlib.sha256(der).hexdigest() for der in trusted}
    if now < BELIEVABLE:
        text = f"The clock of this host says {day(now)}: whether a certificate is valid today cannot be told."
        issues.append(Issue("S131", "warning", "", text, "Set the time first."))
    found: list[Certificate] = []
    for name in _ordered(parsed):
        try:
            certificate, about = _one(name, parsed[name], now)
            gap = _gap(certificate, parsed, known)
            about = gap if any(i.severity == "error" for i in gap) else [*about, *gap]
        except Exception:  # noqa: BLE001 - an extension of foreign bytes that cannot be read
            text = "A certificate in it has a part that cannot be read."
            issues.append(Issue("S115", "error", "", text, "Ask whoever made it for a correct one."))
            continue
        if name in have:
            remedy = "Nothing has to be done."
            about.append(Issue("S128", "note", name, "This host trusts this very certificate already.", remedy))
        found.append(certificate)
        issues += about
    return Judged(tuple(found), tuple(issues))


def _readable(ders: list[bytes]) -> list[Any]:
    from cryptography import x509

    found = []
    for der in ders:
        try:
            certificate = x509.load_der_x509_certificate(der)
            certificate.subject.public_bytes()
        except Exception:  # noqa: BLE001, S112 - one that cannot be read issues nothing
            continue
        found.append(certificate)
    return found


def _one(name: str, x: Any, now: float) -> tuple[Certificate, list[Issue]]:
    from cryptography.hazmat.primitives.serialization import Encoding

    basic, usage = extension(x, "BasicConstraints"), extension(x, "KeyUsage")
    names = extension(x, "SubjectAlternativeName")
    root = signed_by(x, x)
    algorithm = x.signature_hash_algorithm
    certificate = Certificate(
        pem=x.public_bytes(Encoding.PEM).decode(),
        sha256=name,
        subject=_words(x.subject),
        issuer=_words(x.issuer),
        not_before=x.not_valid_before_utc.timestamp(),
        not_after=x.not_valid_after_utc.timestamp(),
        key=_key(x.public_key()),
        signature=algorithm.name if algorithm is not None else "",
        authority=bool(basic and basic.value.ca),
        self_signed=root,
        path_length=basic.value.path_length if basic and basic.value.ca else None,
        key_usage=tuple(u for u in _USAGES if usage and getattr(usage.value, u)),
        names=tuple(_plain(str(n.value)) for n in names.value)[:20] if names else (),
        refused_by=tuple(_refusals(x, root, basic, usage)),
    )
    issues = [*_authority(certificate, basic, usage), *_validity(certificate, now), *_strength(certificate, x)]
    if certificate.refused_by and not any(issue.severity == "error" for issue in issues):
        words = "; ".join(f"{who}: {why}" for who, why in certificate.refused_by)
        text = f"Not every program will believe it. {words}."
        issues.append(Issue("S129", "warning", name, text, "It helps the others; ask for a CA made anew."))
    return certificate, issues


def _authority(c: Certificate, basic: Any, usage: Any) -> Iterator[Issue]:
    if basic is None and c.self_signed:
        text = f"{c.subject} does not say that it is a CA (no basicConstraints): programs would not believe it."
        yield Issue("S132", "error", c.sha256, text, "Ask for a CA certificate of X.509 version 3.")
    elif not c.authority:
        text = f"{c.subject} is the certificate of a server, not of a CA."
        yield Issue("S120", "error", c.sha256, text, f"Ask for the certificate of its issuer: {c.issuer}.")
    elif usage is not None and "key_cert_sign" not in c.key_usage:
        text = f"{c.subject} may not sign certificates (key usage)."
        yield Issue("S121", "error", c.sha256, text, "Ask for the CA certificate that signs your servers.")


def _validity(c: Certificate, now: float) -> Iterator[Issue]:
    if now < BELIEVABLE:
        return
    clock = f"the clock of this host says {day(now)}"
    if c.not_after <= now:
        text = f"{c.subject} ended on {day(c.not_after)}; {clock}."
        yield Issue(
            "S122", "error", c.sha256, text, "Ask for the CA that came after it. If the clock is wrong, set it."
        )
    elif c.not_before > now:
        text = f"{c.subject} begins on {day(c.not_before)}; {clock}."
        yield Issue("S123", "warning", c.sha256, text, "Set the clock if it is wrong; else it works from that day on.")
    elif c.not_after - now < SOON:
        days = int((c.not_after - now) // 86400)
        text = f"{c.subject} ends in {days} day{'s' * (days != 1)}, on {day(c.not_after)}."
        yield Issue("S124", "warning", c.sha256, text, "Ask for the CA that comes after it, and add that one too.")


def _strength(c: Certificate, x: Any) -> Iterator[Issue]:
    bits = getattr(x.public_key(), "key_size", 256)
    rsa = c.key.startswith(("RSA", "DSA"))
    if bits < (2048 if rsa else 224):
        severity = "error" if (bits < 1024 if rsa else bits < 192) else "warning"
        text = f"The key of {c.subject} is weak: {c.key}."
        remedy = "Ask for a CA with RSA 2048, or a curve of 256 bits, or more."
        yield Issue("S125", severity, c.sha256, text, remedy)  # type: ignore[arg-type]  # one of the two
    if c.signature in ("md5", "md2", "md4", "sha1") and not c.self_signed:
        text = f"{c.subject} is signed with {c.signature.upper()}, which can be forged."
        yield Issue("S126", "error", c.sha256, text, "Ask for a CA signed with SHA-256 or better, or for its root.")


def _refusals(x: Any, root: bool, basic: Any, usage: Any) -> Iterator[tuple[str, str]]:
    """Who will not use this certificate as an authority, and why. Only for one that says it is a CA."""
    if not (basic and basic.value.ca):
        return
    if not basic.critical:
        yield STRICT, "basicConstraints is not marked critical"
    elif usage is None:
        yield STRICT, "it has no key usage"
    elif extension(x, "SubjectKeyIdentifier") is None:
        yield STRICT, "it has no subject key identifier"
    elif not root and extension(x, "AuthorityKeyIdentifier") is None:
        yield STRICT, "it has no authority key identifier"
    elif not list(x.subject):
        yield STRICT, "its subject is empty"
    public = x.public_key()
    bits, kind = getattr(public, "key_size", 256), type(public).__name__
    if ("RSA" in kind and bits < 2048) or ("EllipticCurve" in kind and bits < 224):
        yield OPENSSL, "its key is too weak"
    if "RSA" in kind and bits < 1024:
        yield GO, "its key is too weak"
    if "DSA" in kind or ("EllipticCurve" in kind and bits not in (224, 256, 384, 521)) or "448" in kind:
        yield GO, "it does not know this kind of key"
    if x.serial_number <= 0:
        yield GO, "its serial number is not positive"


def _gap(c: Certificate, parsed: dict[str, Any], known: list[Any]) -> list[Issue]:
    """An intermediate whose issuer is neither here nor trusted already."""
    if c.self_signed or not c.authority:
        return []
    x = parsed[c.sha256]
    if any(signed_by(x, other) for other in (*parsed.values(), *known) if other is not x):
        return []
    if x.issuer == x.subject and _forged(x):
        text = f"The signature of {c.subject} does not fit: a byte of it has changed."
        return [Issue("S115", "error", c.sha256, text, "Get it again from where it came from; compare its SHA-256.")]
    text = f"{c.subject} is issued by {c.issuer}, which is neither here nor trusted by this host."
    remedy = "Add that root instead if you can get it; some programs stop at an intermediate."
    return [Issue("S127", "warning", c.sha256, text, remedy)]


def _ordered(parsed: dict[str, Any]) -> list[str]:
    """Leaf first, each followed by its issuer; a file may have them in any order."""
    issuer_of = {
        name: next((n for n, other in parsed.items() if n != name and signed_by(x, other)), "")
        for name, x in parsed.items()
    }
    order: list[str] = []
    starts = [name for name in parsed if name not in issuer_of.values()]
    for start in (*starts, *parsed):
        chain, name = [], start
        while name and name not in order and name not in chain:
            chain.append(name)
            name = issuer_of[name]
        at = order.index(name) if name in order else len(order)
        order[at:at] = chain
    return order


def signed_by(x: Any, issuer: Any) -> bool:
    """Whether `issuer` has the name and the key that signed `x`."""
    from cryptography.exceptions import InvalidSignature

    if x.issuer != issuer.subject:
        return False
    try:
        x.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    except Exception:  # noqa: BLE001 - a library that no longer knows an old hash: the name has to do
        return x.signature_algorithm_oid.dotted_string in _OLD
    return True


def _forged(x: Any) -> bool:
    """Whether what says that it signed itself did not: another key of the same name may have (RFC 5280 §3.2)."""
    from cryptography.exceptions import InvalidSignature

    own, issuer = extension(x, "SubjectKeyIdentifier"), extension(x, "AuthorityKeyIdentifier")
    if own and issuer and issuer.value.key_identifier not in (None, own.value.digest):
        return False
    try:
        x.verify_directly_issued_by(x)
    except InvalidSignature:
        return True
    except Exception:  # noqa: BLE001 - a kind of key or hash that is not known
        return False
    return False


def extension(x: Any, name: str) -> Any:
    from cryptography import x509

    try:
        return x.extensions.get_extension_for_class(getattr(x509, name))
    except x509.ExtensionNotFound:
        return None


def _key(public: Any) -> str:
    kind = type(public).__name__.removesuffix("PublicKey").lstrip("_")
    if "EllipticCurve" in kind:
        return f"EC {public.curve.name}"
    size = getattr(public, "key_size", None)
    return f"{kind} {size}" if size else kind


def _words(name: Any) -> str:
    """A distinguished name as people say it: the common name, with the organization where it tells more."""
    parts: dict[str, str] = {}
    for attribute in name:
        value = attribute.value if isinstance(attribute.value, str) else "?"
        parts.setdefault(attribute.rfc4514_attribute_name, _plain(value))
    common, unit, organization = parts.get("CN", ""), parts.get("OU", ""), parts.get("O", "")
    main = common or unit or organization or _plain(name.rfc4514_string()) or "(no name)"
    return f"{main}, {organization}" if organization and organization not in main else main


def _plain(text: str) -> str:
    """Text for one line of a screen: no control characters, not longer than a line."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= 64 else shown[:62] + ".."


def day(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.gmtime(seconds))
    except (OverflowError, OSError, ValueError):
        return "an impossible day"
