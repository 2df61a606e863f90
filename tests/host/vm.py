"""A whole machine: QEMU with the kernel of the distribution, a serial line, a screen with a keyboard, a plug to pull.

Emulated (TCG), so that it runs where no KVM is; a boot takes one to three minutes of a core. `freeze` and `restore`
go back to a moment within a second, and `moment` keeps one in the temp folder for all later runs on the same image.
What is asked of the machine itself goes through its guest agent, so that neither console is touched by the question.
"""

from __future__ import annotations

import base64
import inspect
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from bench.model import Model
from bench.terminal import key
from tests.dev.container import kept
from tests.host.box import wait_for

PROGRAMS = ("qemu-system-x86_64", "qemu-img", "mkfs.ext4", "mmdebstrap")
SIGNS = {
    " ": "spc", "-": "minus", "=": "equal", "/": "slash", ".": "dot", ",": "comma", ";": "semicolon",
    "'": "apostrophe", "\\": "backslash", "[": "bracket_left", "]": "bracket_right", "`": "grave_accent",
}  # fmt: skip
SHIFTED = dict(zip('!@#$%^&*()_+{}|:"<>?~', "1234567890-=[]\\;'" + ",./`", strict=True))
CARD = "virtio-net-pci,romfile="
MACS = tuple(f"52:54:00:12:34:0{n}" for n in (1, 2, 3))
"""Of enp0s16, whose far end is a gateway (10.0.2.2) with nothing behind it, and of two on one cable."""
QUICK = "mitigations=off nowatchdog audit=0 tsc=reliable clocksource=tsc no_timer_check random.trust_cpu=on"
"""For a processor that is emulated; no rule of the machine itself."""
NAMES = {"enter": "ret", "escape": "esc", "space": "spc"}


def missing() -> str | None:
    """Why no machine can be had here, or None."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"a virtual machine needs {' and '.join(absent)} (qemu-system-x86 and qemu-utils)" if absent else None


def moment(image: Path, name: str, stand: Callable[[Machine], None], words: str = "") -> Path:
    """The disk of a machine that was frozen right after `stand`; made once for this image and this way to stand."""
    key = f"{image.name} {inspect.getsource(stand)} {Machine(image, None, words).command()}"
    frozen, partial = kept(f"vm-{name}", key)
    if not frozen.exists():
        with Machine(image, None, words) as machine:
            stand(machine)
            machine.freeze()
            machine.quit()
            shutil.move(machine.disk, partial)
        partial.rename(frozen)
    return frozen


class Machine:
    """One machine on a copy of an image folder (`vmlinuz`, `initrd.img`, `root.ext4`). A context manager.

    Args:
        image: the folder.
        frozen: a disk that `moment` made; the machine goes on from there. Else it boots.
        words: more for the command line of its kernel.
    """

    def __init__(self, image: Path, frozen: Path | None = None, words: str = "") -> None:
        self.image, self.frozen, self.words = image, frozen, words
        self.model = Model(80, 24)
        self.said = bytearray()
        self.qemu: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Machine:
        self.folder = Path(tempfile.mkdtemp(prefix="onsite-vm-"))
        if self.frozen is None:
            disk = [str(self.image / "root.ext4"), str(self.disk)]
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", *disk], check=True)
        else:
            subprocess.run(["cp", "--reflink=auto", str(self.frozen), str(self.disk)], check=True)
        self.boot(*([] if self.frozen is None else ["-loadvm", "ready"]))
        return self

    def __exit__(self, *_: object) -> None:
        self.power_cut()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def disk(self) -> Path:
        return self.folder / "disk.qcow2"

    def command(self) -> list[str]:
        """QEMU's; its files are named as they are called in the machine's own folder."""
        cards = [
            *("-netdev", "user,id=n0,restrict=on,ipv6=off", "-device", f"{CARD},netdev=n0,mac={MACS[0]},addr=0x10"),
            *("-netdev", "hubport,id=n1,hubid=1", "-device", f"{CARD},netdev=n1,mac={MACS[1]},addr=0x11"),
            *("-netdev", "hubport,id=n2,hubid=1", "-device", f"{CARD},netdev=n2,mac={MACS[2]},addr=0x12"),
        ]
        return [
            *("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off"),
            *("-m", "768", "-smp", "2", "-nodefaults", "-no-user-config", "-display", "none", "-vga", "std"),
            *("-kernel", str(self.image / "vmlinuz"), "-initrd", str(self.image / "initrd.img")),
            *("-append", f"root=/dev/vda rw console=tty0 console=ttyS0,115200 {QUICK} {self.words}".strip()),
            # writeback, not unsafe: what the machine flushed has to survive the plug being pulled
            *("-drive", "file=disk.qcow2,if=virtio,format=qcow2,cache=writeback"),
            *("-chardev", "socket,id=serial,path=serial,server=on,wait=off", "-serial", "chardev:serial"),
            *("-qmp", "unix:qmp,server=on,wait=off", "-device", "virtio-serial-pci"),
            *("-chardev", "socket,id=agent,path=agent,server=on,wait=off"),
            *("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0", "-device", "virtio-rng-pci"),
            *("-device", "qemu-xhci,id=usb", "-device", "usb-kbd,bus=usb.0", *cards),
        ]

    def boot(self, *more: str) -> None:
        """Switch it on; returns at once."""
        folder = self.folder
        for name in ("serial", "qmp", "agent"):
            (folder / name).unlink(missing_ok=True)
        with (folder / "qemu.log").open("ab") as log:
            command = [*self.command(), *more]
            self.qemu = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.began = time.monotonic()
        self.serial, self._qmp = self._connected("serial"), self._connected("qmp")
        self._qmp_lines = self._qmp.makefile("rb")
        self._qmp_lines.readline()
        self.qmp("qmp_capabilities")
        self._agent: socket.socket | None = None
        self._said_by_agent: BinaryIO | None = None
        self.model = Model(80, 24)
        threading.Thread(target=self._listen, args=(self.serial,), daemon=True).start()

    def quit(self) -> None:
        """QEMU ends in order, so that its disk is whole; the machine itself is not asked."""
        assert self.qemu is not None
        self.qmp("quit")
        self.qemu.wait(60)
        self.power_cut()

    def power_cut(self) -> None:
        """The plug is pulled: nothing in the machine gets a chance to flush."""
        if self.qemu is not None:
            self.qemu.kill()
            self.qemu.wait()
            for line in (self.serial, self._qmp_lines, self._qmp, self._said_by_agent, self._agent):
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
        """What a virtual terminal shows, from the kernel's own memory of it, without a process in the machine."""
        rows, columns = self.read(f"/dev/vcsa{number}", 2)
        text = self.read(f"/dev/vcsu{number}", 4 * rows * columns).decode("utf-32-le", errors="replace")
        return "\n".join(text[y * columns : (y + 1) * columns].rstrip(" \0") for y in range(rows))

    def screen_shows(self, words: str, number: int = 1, seconds: float = 240) -> None:
        end = time.monotonic() + seconds
        while words not in (text := self.screen_text(number)):
            assert time.monotonic() < end, f"not seen within {seconds:.0f} s: {words}; tty{number} shows:\n{text}"
            time.sleep(0.5)  # a look takes the machine's own time

    def picture(self, path: Path) -> None:
        """What the screen looks like, as PNG or PPM."""
        self.qmp("screendump", filename=str(path), format=path.suffix[1:])

    def plug(self, stick: Path) -> None:
        """Put an image of a stick into a USB port. It may be written to; a machine with it cannot be frozen."""
        file = {"driver": "file", "filename": str(stick)}
        self.qmp("blockdev-add", **{"driver": "raw", "node-name": "stick", "file": file})
        self.qmp("device_add", driver="usb-storage", drive="stick", bus="usb.0", id="stick", removable=True)

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
            self._ask({"execute": "guest-ping"}, 5)
        except (OSError, ValueError):
            return False
        return True

    def read(self, path: str, size: int) -> bytes:
        """So many bytes of a file in the machine, from its beginning."""
        handle = self._ask({"execute": "guest-file-open", "arguments": {"path": path, "mode": "r"}})
        data = b""
        try:
            while len(data) < size:
                wanted = {"handle": handle, "count": size - len(data)}
                answer = self._ask({"execute": "guest-file-read", "arguments": wanted})
                data += base64.b64decode(answer["buf-b64"])
                if answer["eof"] or not answer["count"]:
                    break
        finally:
            self._ask({"execute": "guest-file-close", "arguments": {"handle": handle}})
        return data

    def run(self, script: str, *, check: bool = True, seconds: float = 600) -> str:
        """A shell script in the machine, as root and on no console; what it printed."""
        pid = self.begin(script)
        end = time.monotonic() + seconds
        while True:
            state = self._ask({"execute": "guest-exec-status", "arguments": {"pid": pid}})
            if state["exited"]:
                break
            assert time.monotonic() < end, f"{script!r} still runs after {seconds:.0f} s"
            time.sleep(0.2)
        out = b"".join(base64.b64decode(state.get(name, "")) for name in ("out-data", "err-data")).decode()
        assert not check or state.get("exitcode", -1) == 0, f"{script!r}: {out}"
        return out

    def begin(self, script: str) -> int:
        """The same without waiting; its process id."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        arguments = {"path": "/bin/sh", "arg": ["-c", script], "env": [f"PATH={path}"], "capture-output": True}
        pid: int = self._ask({"execute": "guest-exec", "arguments": arguments})["pid"]
        return pid

    def _ask(self, asked: dict[str, Any], seconds: float = 120) -> Any:
        try:
            if self._agent is None:
                self._agent = self._connected("agent")
                self._agent.settimeout(seconds)
                self._said_by_agent = self._agent.makefile("rb")
                number = time.monotonic_ns() % 2**31
                self._agent.sendall(
                    b"\xff" + json.dumps({"execute": "guest-sync", "arguments": {"id": number}}).encode() + b"\n"
                )
                while self._answer() != {"return": number}:  # of questions that were given up
                    pass
            self._agent.settimeout(seconds)
            self._agent.sendall(json.dumps(asked).encode() + b"\n")
            answer = self._answer()
        except (OSError, ValueError):
            for given_up in (self._said_by_agent, self._agent):
                if given_up is not None:
                    given_up.close()
            self._agent = self._said_by_agent = None
            raise
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["return"]

    def _answer(self) -> Any:
        assert self._said_by_agent is not None
        line = self._said_by_agent.readline()
        if not line:
            raise OSError("the guest agent has gone")
        return json.loads(line.lstrip(b"\xff"))
