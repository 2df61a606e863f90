"""A whole machine: QEMU with the kernel of the distribution, a serial line, a screen with a keyboard, a plug to pull.

Emulated (TCG), so that it runs where no KVM is; a boot takes one to three minutes of a core. `freeze` and `restore`
go back to a moment within a second. What is asked of the machine itself goes through its guest agent, so that neither
console is touched by the question.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench.model import Model
from bench.terminal import key
from tests.host.box import wait_for

PROGRAMS = ("qemu-system-x86_64", "qemu-img", "mkfs.ext4", "mmdebstrap")
SIGNS = {
    " ": "spc", "-": "minus", "=": "equal", "/": "slash", ".": "dot", ",": "comma", ";": "semicolon",
    "'": "apostrophe", "\\": "backslash", "[": "bracket_left", "]": "bracket_right", "`": "grave_accent",
}  # fmt: skip
SHIFTED = dict(zip('!@#$%^&*()_+{}|:"<>?~', "1234567890-=[]\\;'" + ",./`", strict=True))
NAMES = {"enter": "ret", "escape": "esc", "space": "spc"}


def missing() -> str | None:
    """Why no machine can be had here, or None."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"a virtual machine needs {' and '.join(absent)} (qemu-system-x86 and qemu-utils)" if absent else None


class Machine:
    """One machine on a copy of an image folder (`vmlinuz`, `initrd.img`, `root.ext4`). A context manager."""

    def __init__(self, image: Path, memory: int = 768) -> None:
        self.image, self.memory = image, memory
        self.model = Model(80, 24)
        self.said = bytearray()
        self.qemu: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Machine:
        self.folder = Path(tempfile.mkdtemp(prefix="onsite-vm-"))
        disk = [str(self.image / "root.ext4"), str(self.folder / "disk.qcow2")]
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", *disk], check=True)
        self.boot()
        return self

    def __exit__(self, *_: object) -> None:
        self.power_cut()
        shutil.rmtree(self.folder, ignore_errors=True)

    def boot(self) -> None:
        """Switch it on; returns at once."""
        folder = self.folder
        for name in ("serial", "qmp", "agent"):
            (folder / name).unlink(missing_ok=True)
        command = [
            *("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off"),
            *("-m", str(self.memory), "-smp", "1", "-nodefaults", "-no-user-config", "-display", "none", "-vga", "std"),
            *("-kernel", str(self.image / "vmlinuz"), "-initrd", str(self.image / "initrd.img")),
            *("-append", "root=/dev/vda rw console=tty0 console=ttyS0,115200 mitigations=off nowatchdog"),
            # writeback, not unsafe: what the machine flushed has to survive the plug being pulled
            *("-drive", f"file={folder}/disk.qcow2,if=virtio,format=qcow2,cache=writeback"),
            *("-chardev", f"socket,id=serial,path={folder}/serial,server=on,wait=off", "-serial", "chardev:serial"),
            *("-qmp", f"unix:{folder}/qmp,server=on,wait=off", "-device", "virtio-serial-pci"),
            *("-chardev", f"socket,id=agent,path={folder}/agent,server=on,wait=off"),
            *("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0", "-device", "virtio-rng-pci"),
            *("-device", "qemu-xhci,id=usb", "-device", "usb-kbd,bus=usb.0"),
            *("-netdev", "hubport,id=n0,hubid=0", "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:12:34:01,romfile="),
        ]
        with (folder / "qemu.log").open("ab") as log:
            self.qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.began = time.monotonic()
        self.serial, self._qmp = self._connected("serial"), self._connected("qmp")
        self._qmp_lines = self._qmp.makefile("rb")
        self._qmp_lines.readline()
        self.qmp("qmp_capabilities")
        self._agent: socket.socket | None = None
        self.model = Model(80, 24)
        threading.Thread(target=self._listen, args=(self.serial,), daemon=True).start()

    def power_cut(self) -> None:
        """The plug is pulled: nothing in the machine gets a chance to flush."""
        if self.qemu is not None:
            self.qemu.kill()
            self.qemu.wait()
            for line in (self.serial, self._qmp, self._agent):
                if line is not None:
                    line.close()
        self.qemu = None

    def _connected(self, name: str) -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        path = self.folder / name
        wait_for(f"QEMU's {name}: {(self.folder / 'qemu.log').read_text()[-300:]}", path.exists, 30)
        line.connect(str(path))
        return line

    # --- the serial line -------------------------------------------------------------------------------------------

    def _listen(self, line: socket.socket) -> None:
        while True:
            try:
                data = line.recv(65536)
            except OSError:
                return
            if not data:
                return
            self.said += data
            self.model.feed(data)

    def press(self, *names: str) -> None:
        """Keys of a VT220 on the serial line, in pieces that its UART takes."""
        for name in names:
            self.send(key(name, "vt220"))

    def send(self, data: bytes) -> None:
        for start in range(0, len(data), 16):
            self.serial.sendall(data[start : start + 16])
            time.sleep(0.005)  # a UART's buffer has 16 bytes; the line is not faster

    def serial_text(self) -> str:
        return "\n".join(self.model.text())

    def serial_shows(self, words: str, seconds: float = 240) -> None:
        try:
            wait_for(words, lambda: words in self.serial_text(), seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; the serial line shows:\n{self.serial_text()}") from None

    def quiet(self, seconds: float = 3.0, patience: float = 120.0) -> None:
        """Until the serial line has said nothing for so long; a console that still works on its keys says something."""
        end, before, since = time.monotonic() + patience, len(self.said), time.monotonic()
        while time.monotonic() < end and time.monotonic() - since < seconds:
            time.sleep(0.2)
            if len(self.said) != before:
                before, since = len(self.said), time.monotonic()

    # --- the screen and its keyboard -------------------------------------------------------------------------------

    def type(self, *names: str) -> None:
        """Keys at the machine's own keyboard: names as `press` has them, or "ctrl-alt-f2"."""
        for name in names:
            if len(name) == 1:
                base = SHIFTED.get(name, name.lower())
                keys = [*(["shift"] if name in SHIFTED or name.isupper() else []), SIGNS.get(base, base)]
            else:
                keys = [NAMES.get(part, part) for part in name.split("-")]
            self.qmp("send-key", **{"keys": [{"type": "qcode", "data": k} for k in keys], "hold-time": 30})
            time.sleep(0.08)  # held for 30 ms, and a keyboard has to let go before the next

    def screen_text(self, number: int = 1) -> str:
        """What a virtual terminal shows, from the kernel's own memory of it."""
        rows, columns = self.run(f"head -c 2 /dev/vcsa{number} | od -An -tu1").split()
        raw = base64.b64decode(self.run(f"base64 -w0 /dev/vcsu{number}"))
        text, width = raw.decode("utf-32-le", errors="replace"), int(columns)
        return "\n".join(text[y * width : (y + 1) * width].rstrip(" \0") for y in range(int(rows)))

    def screen_shows(self, words: str, number: int = 1, seconds: float = 240) -> None:
        try:
            wait_for(words, lambda: words in self.screen_text(number), seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; tty{number} shows:\n{self.screen_text(number)}") from None

    def picture(self, path: Path) -> None:
        """What the screen looks like, as PNG."""
        self.qmp("screendump", filename=str(path), format="png")

    # --- behind the scenes -----------------------------------------------------------------------------------------

    def qmp(self, command: str, **arguments: Any) -> Any:
        asked = {"execute": command} | ({"arguments": arguments} if arguments else {})
        self._qmp.sendall(json.dumps(asked).encode() + b"\n")
        while True:
            answer = json.loads(self._qmp_lines.readline())
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']}")
            if "return" in answer:  # the others are events
                return answer["return"]

    def freeze(self, name: str = "ready") -> None:
        """Remember this moment: memory and disk."""
        self._monitor(f"savevm {name}")

    def restore(self, name: str = "ready") -> None:
        """Back to it. The clock of the machine is then that of the moment."""
        self._monitor(f"loadvm {name}")
        self.qmp("cont")

    def _monitor(self, line: str) -> None:
        if said := self.qmp("human-monitor-command", **{"command-line": line}).strip():
            raise RuntimeError(f"{line}: {said}")

    def up(self) -> bool:
        """The guest agent answers."""
        try:
            self._ask({"execute": "guest-ping"}, 2)
        except (OSError, ValueError):
            if self._agent is not None:
                self._agent.close()
            self._agent = None
            return False
        return True

    def run(self, script: str, *, check: bool = True, seconds: float = 120) -> str:
        """A shell script in the machine, as root and on no console; what it printed."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        arguments = {"path": "/bin/sh", "arg": ["-c", script], "env": [f"PATH={path}"], "capture-output": True}
        pid = self._ask({"execute": "guest-exec", "arguments": arguments})["pid"]
        end = time.monotonic() + seconds
        while True:
            state = self._ask({"execute": "guest-exec-status", "arguments": {"pid": pid}})
            if state["exited"]:
                break
            assert time.monotonic() < end, f"{script!r} still runs after {seconds:.0f} s"
            time.sleep(0.05)
        out = b"".join(base64.b64decode(state.get(name, "")) for name in ("out-data", "err-data")).decode()
        assert not check or state.get("exitcode", -1) == 0, f"{script!r}: {out}"
        return out

    def _ask(self, asked: dict[str, Any], seconds: float = 60) -> Any:
        if self._agent is None:
            self._agent = self._connected("agent")
        self._agent.settimeout(seconds)
        self._agent.sendall(json.dumps(asked).encode() + b"\n")
        data = b""
        while not data.endswith(b"\n"):
            more = self._agent.recv(1 << 20)
            if not more:
                raise OSError("the guest agent has gone")
            data += more
        answer = json.loads(re.sub(rb"^\xff+", b"", data).splitlines()[-1])
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["return"]
