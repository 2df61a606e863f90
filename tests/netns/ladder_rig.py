"""A host and its world for the ladder: `python -m tests.netns.ladder_rig`, one JSON object a line, one line back.

{"shape": NAME} configures the host; {"faults": [...]} makes the world, or the host, wrong; {"climb": N} climbs N
times, ten at a time, and prints the runs; {"cancel": SECONDS} leaves a climb after so long and counts what is left;
{"capture": true} tells which IP packets have left since the last time, and on which interface; {"run": [ARGUMENTS]}
runs `onsite` on the host.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import yaml

from tests.netns import ladder_certs
from tests.netns.ladder_far import ip, plain
from tests.netns.ladder_world import AWAY, GATEWAY4, GATEWAY6, HOST4, HOST6, MAC, NAMES, PASSWORD, USER
from tests.netns.ladder_world import PROXY as PROXY_ADDRESS
from tui import namespaces
from tui.models.check import ProxyWay, Run, Target, Wanted
from tui.models.facts import Facts
from tui.models.host import HostConfig
from tui.services import facts as reading
from tui.services.checks import ladder, way
from tui.services.host import Host
from tui.services.network import dhcp
from tui.services.network.kernel import NetlinkKernel

STATIC4 = {"method": "static", "addresses": [f"{HOST4}/24"], "gateway": GATEWAY4}
STATIC6 = {"method": "static", "addresses": [f"{HOST6}/64"], "gateway": GATEWAY6}
OFF = {"method": "off"}
SHAPES: dict[str, dict[str, Any]] = {
    "static": {"ipv4": STATIC4, "ipv6": OFF, "nameservers": [GATEWAY4]},
    "DHCP": {"ipv4": {"method": "dhcp"}, "ipv6": OFF},
    "v6 only": {"ipv4": OFF, "ipv6": STATIC6, "nameservers": [GATEWAY6]},
    "dual": {"ipv4": STATIC4, "ipv6": STATIC6, "nameservers": [GATEWAY4, GATEWAY6]},
    "proxy": {"ipv4": STATIC4, "ipv6": OFF, "nameservers": [GATEWAY4]},
    "air gap": {"ipv4": STATIC4, "ipv6": OFF, "nameservers": [GATEWAY4, AWAY]},
}
WORLD = {"proxy": ["no outside names", "firewall"]}
"""What is so in the world of a healthy host of that shape."""
PROXY = ProxyWay("proxy.site.example", 3128, USER, PASSWORD)
ENDPOINT = Target.parse("management plane", "api.manage.example/v1/health")
SETTINGS = """\
[checks]
endpoint = "api.manage.example/v1/health"
registry = "registry.example"
url = "http://web.example/"
ntp = ["time.site.example"]
"""


def goal(shape: str) -> Wanted:
    if shape == "air gap":
        registry = Target.parse("registry", "registry.site.example")
        away = Target.parse("web page", f"http://{AWAY}/")
        return Wanted(ENDPOINT, registry, away, ("time.site.example", AWAY), "local")
    url = None if shape == "proxy" else Target.parse("web page", "http://web.example/")
    return Wanted(ENDPOINT, Target.parse("registry", "registry.example"), url, ("time.site.example",))


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder, self.root, self.shape = folder, folder / "root", "static"
        self.facts_faults: set[str] = set()
        self.trust = ladder_certs.make(folder)
        for name in ("etc/onsite/links", "run/onsite", "var/lib/onsite", "etc/ssl/certs"):
            (self.root / name).mkdir(parents=True)
        (self.root / "etc/onsite/onsite.toml").write_text(SETTINGS)
        (self.root / "etc/ssl/certs/ca-certificates.crt").write_text(self.trust)
        self.host = Host(self.root, NetlinkKernel(), "user")
        self.far = self._far()
        self.tap = Tap()

    def _far(self) -> subprocess.Popen[str]:
        far = subprocess.Popen(
            [sys.executable, "-m", "tests.netns.ladder_far", str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert far.stdout is not None
        assert far.stdout.readline() == "ready\n"
        ip("link", "set", "lo", "up")
        ip("link", "add", "lan0", "address", MAC, "type", "veth", "peer", "name", "near0")
        plain("lan0")
        plain("near0")
        ip("link", "set", "near0", "netns", str(far.pid))
        ip("link", "set", "lan0", "up")
        self.far = far
        self.tell("the cable is in")
        return far

    def tell(self, line: str) -> None:
        assert self.far.stdin is not None
        assert self.far.stdout is not None
        self.far.stdin.write(line + "\n")
        self.far.stdin.flush()
        said = self.far.stdout.readline()
        assert said == "ok\n", f"the world did not take {line}"

    async def configure(self, shape: str) -> None:
        self.shape = shape
        await self.hold([])
        name = MAC.replace(":", "-")
        config = {"mac": MAC, "name": "lan0", **SHAPES[shape]}
        (self.root / f"etc/onsite/links/{name}.yaml").write_text(yaml.safe_dump(config))
        await self.onsite("network", "up")
        await self.settled()
        await self.quiet()

    async def onsite(self, *arguments: str) -> dict[str, Any]:
        ran = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tui", "--root", str(self.root), *arguments,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = await ran.communicate()
        return {"status": ran.returncode, "out": out.decode(), "err": err.decode()}

    async def python(self, program: str) -> str:
        """What a program of its own, on this host, prints."""
        ran = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(self.root), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        return (await ran.communicate())[0].decode()

    async def settled(self) -> None:
        """Until every wanted family has an address that can be used, and its route."""
        need = {4: SHAPES[self.shape]["ipv4"] != OFF, 6: SHAPES[self.shape]["ipv6"] != OFF}
        for _ in range(400):
            out = way.of(self.facts(), None, "lan0")
            if out and out.link.carrier and set(out.families) == {f for f in need if need[f]} and out.gateways:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{self.shape} did not settle: {self.facts()}")

    async def quiet(self) -> None:
        """Until no connection of an earlier climb is open in the kernel; TIME_WAIT (06) says nothing any more."""
        for _ in range(600):
            rows = [
                row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()
            ]
            if all(row[3] in ("st", "06", "0A") for row in rows):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"connections stay open: {rows}")

    def facts(self) -> Facts:
        facts = reading.read(self.host, files=False)
        if "no name server" in self.facts_faults:
            facts = replace(facts, links=tuple(replace(x, nameservers=(), lease=None) for x in facts.links))
        return facts

    async def hold(self, faults: list[str]) -> None:
        before, self.facts_faults = self.facts_faults, set(faults)
        self.tell(json.dumps([*WORLD.get(self.shape, []), *faults]))
        if "no default route" in faults:
            ip("route", "delete", "default")
        if "no lease" in faults:
            ip("address", "flush", "dev", "lan0", "scope", "global")
        if before & {"no default route"}:
            ip("route", "add", "default", "via", GATEWAY4, "dev", "lan0")
        if before & {"no lease"}:
            lease = json.loads((self.root / "run/onsite/leases/lan0.json").read_text())
            ip("address", "add", lease["address"], "dev", "lan0")
            ip("route", "add", "default", "via", GATEWAY4, "dev", "lan0", "proto", "dhcp")
        if before and not faults:
            await self.settled()

    async def by_tinyproxy(self, configuration: list[str]) -> dict[str, Any]:
        """A climb by a proxy that others made, in the namespace of the world."""
        path = self.folder / "tinyproxy.conf"
        path.write_text("\n".join((f"Listen {PROXY_ADDRESS}", "Port 8888", "LogLevel Critical", *configuration)) + "\n")
        (self.folder / "hosts").write_text("".join(f"{a[0]} {name}\n" for name, a in NAMES.items()))
        script = f"mount --bind {self.folder}/hosts /etc/hosts && exec tinyproxy -d -c {path}"
        tinyproxy = await asyncio.create_subprocess_exec(
            "nsenter", f"--net=/proc/{self.far.pid}/ns/net", "unshare", "--mount", "sh", "-c", script,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await self.taken(PROXY_ADDRESS, 8888)
            return await self.climb(proxy=replace(PROXY, port=8888, user="edge", password="word"))
        finally:
            tinyproxy.kill()
            await tinyproxy.wait()

    async def taken(self, address: str, port: int) -> None:
        for _ in range(200):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(address, port)
                writer.close()
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"nothing listens at {address} port {port}")

    async def climb(self, draft: dict[str, Any] | None = None, proxy: ProxyWay | None = None) -> dict[str, Any]:
        config = HostConfig.model_validate({"links": [{"mac": MAC, **draft}]}) if draft else None
        proxy = proxy or (PROXY if self.shape == "proxy" else None)
        out = way.of(self.facts(), config, "lan0", proxy, self.trust)
        assert out is not None
        rungs = await ladder.climb(out, goal(self.shape), self.host.clock)
        return Run("lan0", rungs, mode=goal(self.shape).mode).to_dict()

    async def cancel(self, after: float) -> dict[str, Any]:
        """Leave a climb in the middle: how long that takes, and what is left a moment later."""
        before, loop = left(), asyncio.get_running_loop()
        task = asyncio.create_task(self.climb())
        await asyncio.sleep(after)
        begun = loop.time()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        seconds = loop.time() - begun
        await asyncio.sleep(0)
        return {"cancelled": task.cancelled(), "seconds": seconds, "before": before, "after": left()}


def left() -> dict[str, Any]:
    """What a check could leave behind in this process: open files by kind, children, tasks, namespaces."""
    kinds: dict[str, int] = {}
    for path in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):
            kind = str(path.readlink()).partition(":")[0]
            kinds[kind] = kinds.get(kind, 0) + 1
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    here = Path("/proc/self/ns/net").stat().st_ino
    return {"files": kinds, "children": len(children), "tasks": len(asyncio.all_tasks()), "namespace": here}


class Tap:
    """Hears every frame that leaves, on every interface."""

    def __init__(self) -> None:
        self.frames: dict[str, int] = {}
        self.outside: list[str] = []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.htons(3))
        asyncio.get_running_loop().add_reader(self.socket, self.hear)

    def hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, (name, kind, direction, *_) = self.socket.recvfrom(2048)
                if direction == 4:  # PACKET_OUTGOING
                    self.frames[name] = self.frames.get(name, 0) + 1
                    self._look(name, kind, data)

    def _look(self, name: str, kind: int, data: bytes) -> None:
        places = {0x0800: slice(16, 20), 0x86DD: slice(24, 40), 0x0806: slice(24, 28)}
        if kind not in places:
            self.outside.append(f"{name}: a frame of type {kind:#x}")
            return
        to = str(ip_address(data[places[kind]]))
        if not to.startswith(("192.0.2.", "2001:db8:0:1:", "fe80:", "ff02:", "127.")):
            self.outside.append(f"{name}: {to}")

    def told(self) -> dict[str, Any]:
        """How many frames left on each interface, and those to somewhere outside of the host's networks."""
        self.hear()
        said = {"frames": dict(self.frames), "outside": list(self.outside)}
        self.frames.clear()
        self.outside.clear()
        return said


async def main() -> None:
    loop = asyncio.get_running_loop()
    folder = Path(tempfile.mkdtemp(prefix="onsite-ladder-"))
    rig = Rig(folder)
    try:
        print("ready", flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            print(json.dumps(await answer(rig, json.loads(line))), flush=True)
    finally:
        rig.far.kill()
        rig.far.wait()
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((rig.root / f"{dhcp.FOLDER}/lan0.pid".lstrip("/")).read_text()), signal.SIGTERM)
        shutil.rmtree(folder, ignore_errors=True)


async def answer(rig: Rig, asked: dict[str, Any]) -> Any:
    if "shape" in asked:
        await rig.configure(asked["shape"])
    elif "faults" in asked:
        await rig.hold(asked["faults"])
    elif "climb" in asked:
        runs: list[dict[str, Any]] = []
        while len(runs) < asked["climb"]:
            together = min(10, asked["climb"] - len(runs))
            runs += await asyncio.gather(*(rig.climb() for _ in range(together)))
        return runs
    elif "cancel" in asked:
        return await rig.cancel(asked["cancel"])
    elif "draft" in asked:
        return await rig.climb(asked["draft"])
    elif "tinyproxy" in asked:
        return await rig.by_tinyproxy(asked["tinyproxy"])
    elif "capture" in asked:
        return rig.tap.told()
    elif "left" in asked:
        return left()
    elif "python" in asked:
        return await rig.python(asked["python"])
    elif "run" in asked:
        return await rig.onsite(*asked["run"])
    return True


if __name__ == "__main__":
    uid, gid = os.geteuid(), os.getegid()
    try:
        namespaces.unshare(namespaces.USER)
        namespaces.become_root(uid, gid)
    except OSError:
        if uid != 0:
            print("no user namespace", flush=True)
            sys.exit(3)
    namespaces.unshare(namespaces.NET)
    asyncio.run(main())
