"""Archives for the tests of content: good ones, and every kind of hostile one that we know of."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
from collections.abc import Callable
from typing import Any

import zstandard

from tui.services.content import tar

PARTS = {
    "bin/engine": b"\x7fELF" + bytes(range(256)) * 40,
    "images/one.tar": b"layer" * 5000,
    "packs/a.yaml": b"kind: List\n",
}
REF = "registry.example/one:1.0"


def manifest(parts: dict[str, bytes] = PARTS, **changes: Any) -> dict[str, Any]:
    """A good manifest of these parts, with changes."""
    members = [{"path": p, "size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for p, d in parts.items()]
    images = [{"ref": REF, "archive": "images/one.tar"}] if "images/one.tar" in parts else []
    data = {
        "format": 1, "kind": "bundle", "name": "till", "version": "1.0.0", "created": "2026-01-31T12:00:00Z",
        "architecture": "amd64", "engine": {"name": "kubeadm", "version": "v1.20.2"}, "members": members,
        "images": images,
    }  # fmt: skip
    return {key: value for key, value in {**data, **changes}.items() if value is not None}


def entry(name: str, data: bytes, size: int | None = None) -> bytes:
    return tar.header(name, len(data) if size is None else size) + data + bytes(tar.padding(len(data)))


def special(name: str, kind: bytes, target: bytes = b"") -> bytes:
    """The header of something that is no plain file, with a right checksum."""
    block = bytearray(tar.header(name, 0))
    block[156:157] = kind
    block[157 : 157 + len(target)] = target
    return summed(block)


def summed(block: bytearray) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def odd_name(name: bytes, data: bytes) -> bytes:
    """A header with a name that `tar.header` would not write."""
    block = bytearray(tar.header("x", len(data)))
    block[: len(name)] = name
    return summed(block) + data + bytes(tar.padding(len(data)))


def sized(field: bytes) -> bytes:
    """A header with another field for the size."""
    block = tar.header("bin/engine", 0)
    return summed(bytearray(block[:124] + field + block[136:]))


END = bytes(1024)


def plain(parts: dict[str, bytes] = PARTS, head: Any = None, signature: bytes = b"") -> bytes:
    """The tar: manifest, signature, parts, end."""
    raw = head if isinstance(head, bytes) else json.dumps(head or manifest(parts)).encode()
    signed = entry("manifest.sig", signature) if signature else b""
    return entry("manifest.json", raw) + signed + b"".join(entry(p, d) for p, d in parts.items()) + END


def packed(data: bytes, frame: int = 1 << 20) -> bytes:
    """zstd frames of so many bytes."""
    engine = zstandard.ZstdCompressor(level=3)
    return b"".join(engine.compress(data[i : i + frame]) for i in range(0, len(data), frame))


def good() -> bytes:
    return packed(plain())


def definition(**changes: Any) -> bytes:
    """A good cluster definition."""
    variables = changes.pop("variables", [{"name": "site", "regex": "^[0-9]{4}$", "defaultValue": "0001"}])
    parts = {"packs/a.yaml": PARTS["packs/a.yaml"]}
    pack = {"name": "a", "version": "1.0.0", "manifests": ["packs/a.yaml"]}
    profile = {"name": "base", "uid": "base-1", "packs": [pack], "variables": variables}
    head = manifest(parts, kind="definition", name="shop", profiles=[profile], needs_images=[REF], **changes)
    return gzip.compress(plain(parts, head), mtime=0)


def _flipped() -> bytes:
    data = bytearray(packed(plain()))
    data[len(data) // 2] ^= 0x55
    return bytes(data)


def _renamed(at: int, make: Callable[[], bytes]) -> bytes:
    """The good tar with another header in place of that of part number `at`."""
    names = list(PARTS)
    before = entry("manifest.json", json.dumps(manifest()).encode())
    before += b"".join(entry(n, PARTS[n]) for n in names[:at])
    return packed(before + make() + b"".join(entry(n, PARTS[n]) for n in names[at + 1 :]) + END)


def _with(path: str) -> bytes:
    members = [{"path": path, "size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}]
    return packed(plain({}, manifest({}, members=members)))


def _zstd_window(log: int) -> bytes:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=log)
    engine = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return engine.compress(plain()) + engine.flush()


def _claims(size: int) -> bytes:
    members = [{"path": "a", "size": size, "sha256": "0" * 64}]
    return packed(plain({}, manifest({}, members=members))[:-1024] + tar.header("a", size) + bytes(4096))


def _grows() -> bytes:
    """A manifest that tells the truth about 300 MB of zeros."""
    size = 300 << 20
    digest = hashlib.sha256()
    for _ in range(300):
        digest.update(bytes(1 << 20))
    members = [{"path": "a", "size": size, "sha256": digest.hexdigest()}]
    head = entry("manifest.json", json.dumps(manifest({}, members=members)).encode()) + tar.header("a", size)
    engine = zstandard.ZstdCompressor(level=3).compressobj()
    pieces = [engine.compress(head), *(engine.compress(bytes(1 << 20)) for _ in range(300)), engine.compress(END)]
    return b"".join(pieces) + engine.flush()


def run_length() -> bytes:
    """One frame of blocks that repeat one byte 128 Ki times each: four bytes make 128 KiB."""
    head = b"\x28\xb5\x2f\xfd" + bytes((0b00000000, 0x38))
    block = ((128 << 10) << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    return packed(entry("manifest.json", json.dumps(manifest()).encode())) + head + block * 4000  # 500 MiB


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "B101"),
    "text": (lambda: b"hello\n" * 100, "B101"),
    "zip": (lambda: b"PK\x03\x04" + bytes(100), "B101"),
    "plain tar without compression": (plain, "B101"),
    "zstd of no tar": (lambda: packed(b"hello" * 1000), "B102"),
    "tar that begins with a part": (lambda: packed(entry("bin/engine", b"x") + END), "B101"),
    "tar of nothing": (lambda: packed(END), "B101"),
    "cut off in the zstd header": (lambda: good()[:5], "B102"),
    "cut off in the middle": (lambda: good()[: len(good()) // 2], "B102"),
    "cut off before its last byte": (lambda: good()[:-1], "B102"),
    "without the end of the tar": (lambda: packed(plain()[:-1024]), "B102"),
    "ends within a part": (lambda: packed(plain()[:-3000]), "B102"),
    "one bit damaged": (_flipped, "B102 B107 B103 B108"),
    "a part altered": (lambda: packed(plain({**PARTS, "packs/a.yaml": b"kind: Evil\n"}, manifest())), "B107"),
    "a part shorter than stated": (lambda: packed(plain({**PARTS, "bin/engine": b"short"}, manifest())), "B107"),
    "a part missing": (lambda: packed(plain({"bin/engine": PARTS["bin/engine"]}, manifest())), "B106"),
    "a part too many": (lambda: packed(plain({**PARTS, "extra": b"x"}, manifest())), "B106"),
    "a part twice": (lambda: packed(plain()[:-1024] + entry("bin/engine", b"evil") + END), "B106"),
    "a part twice in place of another": (lambda: _renamed(1, lambda: entry("bin/engine", PARTS["bin/engine"])), "B106"),
    "parts in another order": (lambda: packed(plain(dict(reversed(PARTS.items())), manifest())), "B106"),
    "a second manifest": (lambda: _renamed(1, lambda: entry("manifest.json", b"{}")), "B106"),
    "a path upwards": (lambda: _renamed(0, lambda: entry("../../etc/passwd", b"x")), "B105"),
    "an absolute path": (lambda: _renamed(0, lambda: entry("/etc/passwd", b"x")), "B105"),
    "a path upwards in the middle": (lambda: _renamed(0, lambda: entry("bin/../../x", b"x")), "B105"),
    "a path with a new line": (lambda: _renamed(0, lambda: odd_name(b"bin/\nx", b"x")), "B105"),
    "a path with an escape": (lambda: _renamed(0, lambda: odd_name(b"\x1b[2Jx", b"x")), "B105"),
    "a path upwards in the manifest": (lambda: _with("../x"), "B103"),
    "an absolute path in the manifest": (lambda: _with("/etc/passwd"), "B103"),
    "a hidden file in the manifest": (lambda: _with(".ssh/authorized_keys"), "B103"),
    "a manifest in the manifest": (lambda: _with("sub/manifest.json"), "B103"),
    "a path of 5000 characters": (lambda: _with("a" * 5000), "B103"),
    "a folder of a hundred levels": (lambda: _with("a/" * 100 + "a"), "B103"),
    "a file as a folder": (
        lambda: packed(plain({}, manifest({"a": b"x", "a/b": b"y"}))), "B103",
    ),
    "a symbolic link": (lambda: _renamed(0, lambda: special("bin/engine", b"2", b"/etc/shadow")), "B104"),
    "a hard link": (lambda: _renamed(0, lambda: special("bin/engine", b"1", b"/etc/shadow")), "B104"),
    "a hard link that says it is a file": (lambda: _renamed(0, lambda: special("bin/engine", b"0", b"x")), "B104"),
    "a character device": (lambda: _renamed(0, lambda: special("bin/engine", b"3")), "B104"),
    "a block device": (lambda: _renamed(0, lambda: special("bin/engine", b"4")), "B104"),
    "a pipe": (lambda: _renamed(0, lambda: special("bin/engine", b"6")), "B104"),
    "a folder": (lambda: _renamed(0, lambda: special("bin/", b"5")), "B104"),
    "a PAX header": (lambda: _renamed(0, lambda: special("pax", b"x")), "B104"),
    "a global PAX header first": (lambda: packed(special("pax", b"g") + plain()), "B104"),
    "a GNU long name": (lambda: _renamed(0, lambda: special("././@LongLink", b"L")), "B104"),
    "a sparse file": (lambda: _renamed(0, lambda: special("bin/engine", b"S")), "B104"),
    "a wrong checksum": (lambda: _renamed(0, lambda: b"\xff" + entry("bin/engine", b"x")[1:]), "B102"),
    "a size that is no number": (
        lambda: _renamed(0, lambda: sized(b"-0000000001\0")),
        "B102",
    ),
    "a size in base 256": (
        lambda: _renamed(0, lambda: sized(b"\x80" + bytes(10) + b"\x01")),
        "B102",
    ),
    "data after the end of the tar": (lambda: packed(plain() + b"#!/bin/sh\n" + bytes(502)), "B108"),
    "another archive after the end": (lambda: packed(plain()) + packed(plain()), "B108"),
    "bytes after the last frame": (lambda: good() + b"trailing", "B108"),
    "a skippable frame": (lambda: good() + struct.pack("<II", 0x184D2A50, 4) + b"evil", "B108"),
    "gzip with bytes after it": (lambda: definition() + b"trailing", "B108"),
    "gzip cut off": (lambda: definition()[:-9], "B102"),
    "two gzip members": (lambda: definition() + definition(), "B108"),
    "claims a terabyte": (lambda: _claims((8 << 30) - 1), "B109"),
    "300 MB of zeros": (_grows, "B109"),
    "blocks of one byte": (run_length, "B106"),
    "a window of 128 MiB": (lambda: _zstd_window(27), "B102"),
    "a manifest of 3 MB": (lambda: packed(plain(PARTS, b" " * (3 << 20))), "B103"),
    "a manifest that is no JSON": (lambda: packed(plain(PARTS, b"{'a': 1}")), "B103"),
    "a manifest that is no UTF-8": (lambda: packed(plain(PARTS, b'{"a": "\xff"}')), "B103"),
    "a manifest nested 100000 deep": (lambda: packed(plain(PARTS, b"[" * 100_000)), "B103"),
    "a manifest with a key twice": (lambda: packed(plain(PARTS, b'{"format": 1, "format": 1}')), "B103"),
    "a manifest with NaN": (lambda: packed(plain(PARTS, b'{"format": NaN}')), "B103"),
    "a manifest with an unknown key": (lambda: packed(plain(PARTS, manifest(run="/bin/sh"))), "B103"),
    "a manifest of format 2": (lambda: packed(plain(PARTS, manifest(format=2))), "B123"),
    "a manifest with a negative size": (
        lambda: packed(plain({}, manifest({}, members=[{"path": "a", "size": -1, "sha256": "0" * 64}]))), "B103",
    ),
    "a manifest with a path twice": (
        lambda: packed(plain({}, manifest({}, members=manifest()["members"] * 2))), "B103",
    ),
    "an image whose archive is not there": (
        lambda: packed(plain({}, manifest({}, images=[{"ref": REF, "archive": "images/none.tar"}]))), "B103",
    ),
    "a name with an escape": (lambda: packed(plain(PARTS, manifest(name="\x1b]0;x"))), "B103"),
    "a signature of a megabyte": (lambda: packed(plain(signature=b"A" * (1 << 20))), "B111"),
}  # fmt: skip
