"""One question to PAM, by ctypes: is this the password of that user, and may they log in now?

The host's own stack decides, with whatever its administrator put there (LDAP, SSSD, faillock); we bring a service
file that includes it (`assets/pam.d`). Nothing is kept: no session is opened, no token is changed. Needs root, or a
stack that does without, such as pam_unix with its helper for the user's own password.

Source: pam_start(3), pam_conv(3), pam_authenticate(3), pam_acct_mgmt(3) of Linux-PAM; the numbers are `_pam_types.h`.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from pathlib import Path
from typing import Any, Literal

SERVICE = "onsite"
Verdict = Literal["accepted", "refused", "locked", "expired", "unavailable"]
"""refused: wrong name or password (never said which). locked: the stack has shut this user out for now.
expired: the password is right, but it has to be renewed, or the account has ended or is shut.
unavailable: PAM could not decide."""

_ECHO_OFF, _ECHO_ON = 1, 2
_TTY, _RHOST = 3, 4
_SILENT = 0x8000
_CONV_ERR, _BUF_ERR = 19, 5
_LONGEST = 511
"""Bytes of a name or a password: PAM_MAX_RESP_SIZE is 512."""
_VERDICTS: dict[int, Verdict] = {
    0: "accepted", 6: "refused", 7: "refused", 10: "refused", 11: "locked", 12: "expired", 13: "expired", 27: "expired",
}  # fmt: skip


class _Message(ctypes.Structure):
    _fields_ = (("style", ctypes.c_int), ("text", ctypes.c_char_p))


class _Response(ctypes.Structure):
    _fields_ = (("text", ctypes.c_void_p), ("code", ctypes.c_int))


_Converse = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.POINTER(_Message)), ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
)  # fmt: skip


class _Conversation(ctypes.Structure):
    _fields_ = (("call", _Converse), ("data", ctypes.c_void_p))


def check(
    service: str, user: str, password: str, *, line: str = "", peer: str = "", folder: Path | None = None
) -> Verdict:
    """Whether this is the user's password and the user may log in. Blocks, after a failure for as long as PAM delays.

    Args:
        service: name of a file in /etc/pam.d.
        line: terminal that is asked at, such as "tty1", for modules that look at it and for the log.
        peer: address that asks, where it is not this machine.
        folder: where the service file lies instead of /etc/pam.d.
    """
    name, secret = user.encode(), password.encode()
    if not name or any(b"\0" in x or b"\n" in x or len(x) > _LONGEST for x in (name, secret)):
        return "refused"
    try:
        pam, libc = ctypes.CDLL("libpam.so.0"), ctypes.CDLL(None)
    except OSError:
        return "unavailable"
    libc.calloc.restype = libc.strdup.restype = ctypes.c_void_p
    libc.calloc.argtypes = (ctypes.c_size_t, ctypes.c_size_t)
    libc.strdup.argtypes = (ctypes.c_char_p,)

    def converse(count: int, messages: Any, answers: Any, _data: Any) -> int:
        """The password to every hidden question, the name to an open one.

        PAM frees what it is given, so it has to be the C library's memory.
        """
        if not 0 < count <= 32:
            return _CONV_ERR
        room = libc.calloc(count, ctypes.sizeof(_Response))
        if not room:
            return _BUF_ERR
        responses = ctypes.cast(room, ctypes.POINTER(_Response))
        for number in range(count):
            answer = {_ECHO_OFF: secret, _ECHO_ON: name}.get(messages[number].contents.style)
            if answer is not None:
                responses[number].text = libc.strdup(answer)
        answers[0] = room
        return 0

    handle = ctypes.c_void_p()
    conversation = _Conversation(_Converse(converse), None)
    pam.pam_set_item.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)
    begin = [service.encode(), name, ctypes.byref(conversation)]
    if folder is None:
        began = pam.pam_start(*begin, ctypes.byref(handle))
    else:
        began = pam.pam_start_confdir(*begin, str(folder).encode(), ctypes.byref(handle))
    if began:
        return "unavailable"
    ended = 0
    try:
        for item, value in ((_TTY, line), (_RHOST, peer)):
            if value:
                pam.pam_set_item(handle, item, value.encode())
        if ended := pam.pam_authenticate(handle, _SILENT):
            return _VERDICTS.get(ended, "unavailable")
        ended = pam.pam_acct_mgmt(handle, _SILENT)
        verdict = _VERDICTS.get(ended, "unavailable")
        # The password was right. Debian's stack turns an account that has ended into "permission denied".
        return "expired" if verdict == "refused" else verdict
    finally:
        pam.pam_end(handle, ended)
