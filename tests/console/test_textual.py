"""What the driver relies on in Textual beyond its public interface; a new release is looked at here first."""

import inspect

import textual
from textual.app import App
from textual.driver import Driver
from textual.keys import _character_to_key

from tui.terminal import keys

LOOKED_AT = "8.2.8"


def test_this_release_was_looked_at():
    assert textual.__version__ == LOOKED_AT, "read the tests in this file, then name the release"


def test_a_driver_is_made_and_asked_for_the_size_as_the_driver_expects():
    assert list(inspect.signature(Driver.__init__).parameters) == ["self", "app", "debug", "mouse", "size"]
    assert "self._driver._size" in inspect.getsource(App.size.fget)
    source = inspect.getsource(Driver.__init__)
    assert all(f"self.{name} =" in source for name in ("_app", "_loop", "_size"))


def test_a_frame_is_written_as_text_with_cup_and_sgr():
    source = inspect.getsource(App._display)
    assert "self._driver.write(terminal_sequence)" in source
    assert "render_segments(console)" in source


def test_errors_are_printed_to_a_console_that_can_be_replaced():
    assert "self.error_console.print" in inspect.getsource(App._print_error_renderables)
    assert "self._exception = error" in inspect.getsource(App._handle_exception)


def test_names_of_characters_are_textuals():
    for code in range(0x20, 0x7F):
        assert keys.of_character(chr(code)) == _character_to_key(chr(code))
