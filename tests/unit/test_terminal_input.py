"""The input decoder: keys of four kinds of terminals, and everything a line can carry besides."""

import random

import pytest

from tui.terminal.input import Decoder, Key, Paste, Position
from tui.terminal.profile import PROFILES

ENTER, ESCAPE = Key("enter", "\r"), Key("escape", "\x1b")


class Typist:
    """Feeds a decoder with its own clock."""

    def __init__(self, profile="vt220", speed=0):
        self.decoder = Decoder(PROFILES[profile], speed)
        self.now = 100.0

    def type(self, *chunks, pause=0.2):
        """Send chunks, with a pause after each; returns all events."""
        events = []
        for data in chunks:
            events += self.decoder.feed(data, self.now)
            events += self.sleep(pause)
        return events

    def sleep(self, seconds):
        events, until = [], self.now + seconds
        while (due := self.decoder.due()) is not None and due <= until:
            self.now = max(due, self.now)
            events += self.decoder.tick(self.now)
        self.now = until
        return events


def names(events):
    return [event.name for event in events]


# Source: VT100 user guide, VT220 reference manual table 3-3, console_codes(4), xterm's ctlseqs
SENT = {
    "vt100": {"f1": b"\x1bOP", "f2": b"\x1bOQ", "f3": b"\x1bOR", "f4": b"\x1bOS", "up": b"\x1bOA", "left": b"\x1bOD",
              "enter": b"\x1bOM", "5": b"\x1bOu", "comma": b"\x1bOl"},
    "vt220": {"f6": b"\x1b[17~", "f9": b"\x1b[20~", "home": b"\x1b[1~", "end": b"\x1b[4~", "delete": b"\x1b[3~",
              "pageup": b"\x1b[5~", "pagedown": b"\x1b[6~", "up": b"\x9bA", "left": b"\x8fD"},
    "linux": {"f1": b"\x1b[[A", "f5": b"\x1b[[E", "f6": b"\x1b[17~", "f9": b"\x1b[20~", "shift+tab": b"\x1b\t"},
    "xterm": {"f1": b"\x1bOP", "f5": b"\x1b[15~", "home": b"\x1b[H", "end": b"\x1b[F", "shift+tab": b"\x1b[Z",
              "ctrl+right": b"\x1b[1;5C", "shift+f1": b"\x1b[1;2P", "é": "é".encode()},
}  # fmt: skip


PF = {f"f{n}": b"\x1bO" + letter for n, letter in enumerate((b"P", b"Q", b"R", b"S"), 1)}
FUNCTION = {f"f{n}": b"\x1b[%d~" % code for n, code in enumerate((15, 17, 18, 19, 20, 21), 5)}
BY_DIGIT = {f"f{n}": b"\x1b%d" % n for n in range(1, 10)}
SENT["vt100"] |= {**BY_DIGIT, **PF}
SENT["vt220"] |= {**BY_DIGIT, **PF, **{key: FUNCTION[key] for key in ("f6", "f7", "f8", "f9")}}
SENT["linux"] |= {**FUNCTION, **{f"f{n}": b"\x1b[[" + bytes([64 + n]) for n in range(1, 6)}}
SENT["xterm"] |= {**FUNCTION, **PF}


@pytest.mark.parametrize(("profile", "key", "data"), [(p, k, d) for p, keys in SENT.items() for k, d in keys.items()])
def test_keys_of_each_terminal(profile, key, data):
    assert names(Typist(profile).type(data)) == [key]


@pytest.mark.parametrize(
    ("data", "key"),
    [(b"\x0e", "down"), (b"\x10", "up"), (b"\x14", "shift+tab"), (b"\x07", "escape"), (b"\x02", "pageup"),
     (b"\x06", "pagedown"), (b"\x0c", "ctrl+l"), (b"\n", "enter"), (b"\x08", "backspace"), (b"\x7f", "backspace"),
     (b"\x1b1", "f1"), (b"\x1b[28~", "f1"), (b"\x1b9", "f9"), (b"\x1b0", "f10")],
)  # fmt: skip
def test_every_key_has_a_route_on_a_terminal_that_lacks_it(data, key):
    assert names(Typist("vt100").type(data)) == [key]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_lone_escape_is_the_escape_key_when_its_time_is_over(profile):
    typist = Typist(profile)
    assert typist.type(b"\x1b", pause=PROFILES[profile].escape - 0.01) == []
    assert typist.sleep(0.02) == [ESCAPE]


@pytest.mark.parametrize("split", [1, 2])
def test_a_sequence_that_comes_in_two_halves_is_one_key(split):
    typist = Typist("vt100")
    data = b"\x1bOP"
    assert names(typist.type(data[:split], data[split:])) == ["f1"]


def test_a_sequence_that_never_ends_types_nothing():
    typist = Typist("vt220")
    assert typist.type(b"\x1b[2", pause=3.0) == []
    assert names(typist.type(b"x")) == ["x"]


def test_escape_and_a_letter_are_two_keys():
    assert names(Typist("linux").type(b"\x1bn")) == ["escape", "n"]


@pytest.mark.parametrize(
    "answer",
    [b"\x1b[?6c", b"\x1b[?62;1;2;6;7;8;9c", b"\x1b[0n", b"\x1b[8;24;80t", b"\x1b[24;80R", b"\x1b[?2026;2$y",
     b"\x1b]11;rgb:0000/0000/0000\x1b\\", b"\x1bP>|XTerm(388)\x1b\\", b"\x1b[I", b"\x1b[O", b"\x1b[<0;10;10M",
     b"\x1b[M !!", b"\x1b[97;5u", b"\x1b[>41;388;0c"],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_late_answers_are_not_typed_in(profile, answer):
    typist = Typist(profile)
    assert typist.type(answer, pause=3.0) == []
    assert typist.type(answer[:3], answer[3:], pause=0.01) == []
    typist.sleep(3.0)
    assert names(typist.type(b"y")) == ["y"]


def test_an_answer_that_was_asked_for_is_a_size():
    typist = Typist()
    typist.decoder.asked = True
    assert typist.type(b"\x1b[24;80R") == [Position(80, 24)]
    assert typist.type(b"\x1b[24;80R") == []


@pytest.mark.parametrize("noise", [b"\xff", b"\xe9", b"caf\xe9", b"\x90\x90", b"\xc3(", b"\r\xfe\r", b"\xc2\x9b1m"])
@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_no_text_is_dropped_whole(profile, noise):
    typist = Typist(profile)
    assert typist.type(noise, pause=1.0) == []
    assert names(typist.type(b"a")) == ["a"]


def test_a_break_is_nothing():
    assert Typist().type(b"\0") == []


def test_a_character_cut_between_two_reads_is_whole():
    typist = Typist("xterm")
    assert names(typist.type(b"\xc3", b"\xa9", pause=0.001) + typist.sleep(1)) == ["é"]


def test_a_character_that_is_never_finished_is_dropped():
    typist = Typist("xterm")
    assert typist.type(b"\xc3", pause=1.0) == []
    assert names(typist.type(b"a")) == ["a"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("size", [1, 7, 16, 512, 4095])
def test_noise_confirms_and_types_nothing(profile, size):
    allowed = bytes(b for b in range(256) if not 0x20 <= b < 0x7F and b not in b"\r\n\x03\x04\x11\x1a\x1c")
    noise = bytes(random.Random(size).choices(allowed, k=200_000))
    typist = Typist(profile)
    typist.type(b"\xff")  # a line that is wrong is wrong from the first byte
    events = typist.type(*(noise[n : n + size] for n in range(0, len(noise), size)), pause=0.001)
    typist.sleep(3)
    assert events == []
    assert names(typist.type(b"a")) == ["a"]


def test_pasted_lines_do_not_confirm():
    assert Typist("vt100").type(b"first\rsecond\r") == [Paste("first\nsecond\n")]
    assert Typist("vt100").type(b"secret\r") == [Paste("secret\n")]


def test_enter_after_a_typed_value_confirms():
    assert names(Typist("vt100").type(b"a", b"b", b"\r")) == ["a", "b", "enter"]
    assert names(Typist("vt100").type(b"ab\r")) == ["a", "b", "enter"]  # two letters of a hasty typist


@pytest.mark.parametrize("gap", [0.0, 0.001, 0.004])
def test_a_long_paste_in_pieces_never_confirms(gap):
    text = b"\r".join(b"line %03d of a certificate" % n for n in range(450))
    assert len(text) > 11_000
    typist = Typist("vt100", speed=115200)
    events = typist.type(*(text[n : n + 16] for n in range(0, len(text), 16)), pause=gap)
    assert events == []
    assert typist.sleep(1) == [Paste(text.decode().replace("\r", "\n"))]


@pytest.mark.parametrize("gap", [0.008, 0.02])
def test_pieces_of_a_paste_that_come_late_confirm_nothing(gap):
    text = b"\r".join(b"line %03d of a certificate" % n for n in range(450))
    typist = Typist("vt100", speed=9600)
    events = typist.type(*(text[n : n + 16] for n in range(0, len(text), 16)), pause=gap)
    assert ENTER not in events + typist.sleep(1)


def test_a_bracketed_paste_is_one_text():
    typist = Typist("xterm")
    assert typist.type(b"\x1b[200~one\rt", b"wo\x1b[201~") == [Paste("one\ntwo")]
    assert names(typist.type(b"a\r")) == ["a", "enter"]


def test_a_bracketed_paste_that_never_ends_ends_by_itself():
    typist = Typist("xterm")
    assert typist.type(b"\x1b[200~one", pause=2.0) == [Paste("one")]
    assert names(typist.type(b"a")) == ["a"]


def test_a_paste_holds_no_controls():
    (paste,) = Typist("xterm").type(b"\x1b[200~a\x1b[Ab\x07\x00c\x1b[201~")
    assert paste.text.isprintable()


@pytest.mark.parametrize("profile", PROFILES)
def test_random_bytes_only_make_events(profile):
    data = random.Random(1).randbytes(100_000)
    typist = Typist(profile)
    events = typist.type(*(data[n : n + 100] for n in range(0, len(data), 100)), pause=0.02)
    assert all(isinstance(event, Key | Paste | Position) for event in events)


def test_a_script_that_types_fast_still_moves_between_fields():
    """A terminal multiplexer, or a line that was held up, delivers text and Tab in one burst."""
    events = Typist().type(b"192.0.2.10/24\t192.0.2.1\t2001:db8:0:1::10/64")
    tab = Key("tab", "\t")
    assert events == [Paste("192.0.2.10/24"), tab, Paste("192.0.2.1"), tab, Paste("2001:db8:0:1::10/64")]
