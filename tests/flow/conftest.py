"""The whole console on a recorded host: real service layer, real files below a folder, a clock that is moved."""

from tests.screens.conftest import opened, session

__all__ = ["opened", "session"]
