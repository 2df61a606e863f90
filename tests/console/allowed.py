"""What may be on the line of each terminal: written from the manuals, and not taken from the program.

VT100 user guide, VT220 reference manual, console_codes(4), xterm's ctlseqs. Whatever is not listed here is unknown to
that terminal, or does something else there.
"""

import re

VT100 = (
    r"\x1b\[[0-9]*[ABCD]|\x1b\[[0-9]*(?:;[0-9]*)?[Hr]|\x1b\[[02]?J|\x1b\[0?K|\x1bM|\x1b\[\?7[hl]|\x1b\(B|\x1b\)[0B]"
    r"|\x1b7|\x1b8|\x1b\[6n|\x1b\[(?:[0147]?(?:;[147])*)m|[\x07\x08\n\r\x0e\x0f]|[ -~]"
)
VT220 = VT100 + r"|\x1b\[[0-9]+X|\x1b\[\?25[hl]|\x1b\[(?:[0147]|2[247])?(?:;(?:[147]|2[247]))*m"
SIXTEEN = r"(?:[017]|2[27]|[34][0-7]|9[0-7]|39|49)"
CONSOLE_GLYPHS = "─│┌┐└┘├┤┬┴┼═║╔╗╚╝╠╣╦╩╬█▒░■•·→←↑↓▲▼≤≥±°£§¶«»¡¿¢¥ªº¬½¼µ÷ÄÅÆÇÉÑÖÜßàáâäåæçèéêëìíîïñòóôöùúûüÿ"
LINUX = (
    VT100.replace("[0147]?(?:;[147])*", f"{SIXTEEN}?(?:;{SIXTEEN})*")
    + rf"|\x1b\[[0-9]+X|\x1b\[\?25[hl]|\x1b\[[0-9]+[Gd]|\x1b\]P[0-9A-F]{{7}}|\x1b\]R|\x1b%G|[{CONSOLE_GLYPHS}]"
)
DEEP = r"(?:[0147]|2[247]|[349][0-7]|10[0-7]|39|49|[34]8;5;[0-9]{1,3}|[34]8;2;[0-9]{1,3};[0-9]{1,3};[0-9]{1,3})"
XTERM = VT220 + rf"|\x1b\[{DEEP}?(?:;{DEEP})*m|\x1b\[[0-9]+[Gd]|\x1b\[\?(?:1049|2004)[hl]|[\xa0-￿]"

ALLOWED = {"vt100": VT100, "ascii": VT100, "vt220": VT220, "linux": LINUX, "xterm": XTERM}


def unknown(terminal: str, data: bytes) -> str:
    """What of some output the terminal does not know; empty when all is well. UTF-8 must be valid."""
    return re.sub(ALLOWED[terminal], "", data.decode("utf-8"))
