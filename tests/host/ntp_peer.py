"""A time server for tests: answers with this machine's own clock, so nobody's clock is moved. `... ADDRESS`."""

from __future__ import annotations

import socket
import struct
import sys
import time

_1900 = 2_208_988_800


def stamp(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack("!II", (whole + _1900) & 0xFFFFFFFF, int((seconds - whole) * (1 << 32)))


def main(address: str) -> None:
    """RFC 5905 section 7.3: mode 4, stratum 2, leap 0."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind((address, 123))
        print("ready", flush=True)
        while True:
            asked, sender = bound.recvfrom(512)
            now = time.time()
            head = struct.pack("!BBbbII4s", 0x24, 2, 6, -20, 0x10, 0x10, b"TEST")
            bound.sendto(head + stamp(now - 1) + asked[40:48] + stamp(now) + stamp(time.time()), sender)


if __name__ == "__main__":
    main(*sys.argv[1:])
