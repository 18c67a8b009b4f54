"""For processes that may write next to nothing: what they cover cannot be written down either."""

from __future__ import annotations

import os


def uncovered() -> dict[str, str]:
    """The environment of this process, for one whose coverage is not measured."""
    return {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}
