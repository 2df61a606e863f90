"""The console with Textual's own driver: `python -m bench.stock` takes the arguments of `onsite`.

Only the driver is another; the screens and styles are the program's own.
"""

import sys


def main() -> int:
    """Run the command line with `OnsiteDriver` taken out."""
    import textual.drivers.linux_driver

    import tui.terminal.driver
    import tui.terminal.profile
    from tui.cli import run

    class Stock:
        """Stands where the driver class is asked for."""

        @staticmethod
        def on(*_: object) -> type[textual.drivers.linux_driver.LinuxDriver]:
            return textual.drivers.linux_driver.LinuxDriver

    tui.terminal.driver.OnsiteDriver = Stock  # type: ignore[assignment,misc]  # that is what is measured
    tui.terminal.profile.prepare_environment = lambda *_: None  # type: ignore[assignment]
    return run(sys.argv[1:])


if __name__ == "__main__" and len(sys.argv) > 1:
    sys.exit(main())
