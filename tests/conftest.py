"""For all tests: one cache of compiled kernels, a home that is never the developer's own, no deadlines."""

import os
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

from renderkiln.media.kernels import use_cache

# No test is timed: machines are shared, and a first example may compile a kernel.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# Before any test imports Numba; all workers and child processes share it.
use_cache(Path(__file__).parents[1] / ".pytest_cache" / "renderkiln")


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENDERKILN_HOME", str(tmp_path_factory.mktemp("home")))
    for name in [name for name in os.environ if name.startswith("RENDERKILN_") and name != "RENDERKILN_HOME"]:
        if name != "RENDERKILN_GOLDEN":
            monkeypatch.delenv(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What was logged may hold lone surrogates of file names, which cannot travel between test processes."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report
