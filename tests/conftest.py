"""For every group: how hypothesis works, and no blinking cursor."""

from __future__ import annotations

import os

import hypothesis

# The same examples on every run of CI, and the failing one printed so that it can be pasted into @reproduce_failure.
# No deadline anywhere: how long one example takes on a busy machine says nothing.
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")
