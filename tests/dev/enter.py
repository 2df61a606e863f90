"""The inside of a bare container: become root of an overlay, hide things, drop what is to be refused, run a command.

Run by container.py in mount and process namespaces of its own, with a JSON description as the only argument.
Standard library only; a user cannot make user namespaces below a chroot, so this pivots (pivot_root(2)).
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import shutil
import struct
import subprocess
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 24, 38, 22
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}
CALLS = {
    "x86_64": {"clone": 56, "unshare": 272, "clone3": 435},
    "aarch64": {"clone": 220, "unshare": 97, "clone3": 435},
}


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def build_root(base: str, scratch: str, binds: dict[str, str], hidden: list[str]) -> Path:
    """The root folder: an overlay of `base`, in memory, with the patterns of `hidden` removed."""
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "-o", "mode=755", "onsite-bare", scratch)
    upper, work, root = (Path(scratch, name) for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        folder.mkdir(mode=0o755)
    mount("-t", "overlay", "-o", f"lowerdir={base},upperdir={upper},workdir={work}", "overlay", str(root))
    for pattern in hidden:
        for path in root.glob(pattern.lstrip("/")):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    mount("-t", "proc", "proc", str(root / "proc"))
    mount("--rbind", "/dev", str(root / "dev"))
    mount("-t", "sysfs", "-o", "ro", "sysfs", str(root / "sys"))
    for folder, mode in (("tmp", "1777"), ("run", "755")):
        mount("-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", str(root / folder))
    for source, target in binds.items():
        inside = root / target.lstrip("/")
        inside.mkdir(parents=True) if Path(source).is_dir() else inside.touch()
        mount("--bind", source, str(inside))
        mount("-o", "remount,ro,bind", str(inside))
    return root


def copy_checkout(source: str, names: list[str], target: Path, owner: int) -> None:
    """The files of the checkout, owned by `owner`, so that nothing is left in the real one."""
    for name in names:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(Path(source, name), path, follow_symlinks=False)
    for folder, _, files in os.walk(target):
        for path in (folder, *(os.path.join(folder, name) for name in files)):  # noqa: PTH118
            os.chown(path, owner, owner, follow_symlinks=False)
    target.chmod(0o755)


def pivot(root: Path) -> None:
    old = root / ".old"
    old.mkdir()
    subprocess.run(["pivot_root", str(root), str(old)], check=True)
    os.chdir("/")
    subprocess.run(["umount", "-l", "/.old"], check=True)
    Path("/.old").rmdir()


def prctl(*arguments: int | ctypes.Array[ctypes.c_char]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(*(ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments), 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl{arguments[:1]}")


def refuse_user_namespaces() -> None:
    """What a container engine's seccomp profile does: EPERM for a new user namespace (seccomp(2), clone(2))."""
    call = CALLS[platform.machine()]
    load, equal, bits, give = 0x20, 0x15, 0x45, 0x06
    allow, refuse, absent = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
    program = [
        (load, 0, 0, 0),  # the number of the call
        (equal, 5, 0, call["clone3"]),  # its flags are behind a pointer, so libc is told to use clone
        (equal, 1, 0, call["unshare"]),
        (equal, 0, 2, call["clone"]),
        (load, 0, 0, 16),  # the first argument, low half
        (bits, 2, 0, CLONE_NEWUSER),
        (give, 0, 0, allow),
        (give, 0, 0, absent),
        (give, 0, 0, refuse),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, 2, ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))))


def main() -> None:
    box = json.loads(sys.argv[1])
    root = build_root(box["base"], box["scratch"], box["binds"], box["hidden"])
    copy_checkout(box["checkout"], box["files"], root / "checkout", box["owner"])
    for folder in box["folders"]:
        path = root
        for part in folder.strip("/").split("/"):
            path /= part
            if not path.exists():
                path.mkdir()
                os.chown(path, box["owner"], box["owner"])
    pivot(root)
    os.chdir("/checkout")
    for name in box["without"]:
        prctl(PR_CAPBSET_DROP, CAPABILITIES[name])
    if box["uid"]:
        os.setgroups([])
        os.setgid(box["uid"])
        os.setuid(box["uid"])
    if not box["user_namespaces"]:
        refuse_user_namespaces()
    os.execvpe(box["command"][0], box["command"], box["environment"])  # noqa: S606  # an argument list


if __name__ == "__main__":
    main()
