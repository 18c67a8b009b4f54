"""For all tests: one cache of compiled kernels, a home that is never the developer's own, no deadlines."""

import os
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path

import hypothesis
import pytest

from renderkiln.media.kernels import use_cache

TESTS = Path(__file__).parent

# No test is timed: machines are shared, and a first example may compile a kernel.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# What renders, or waits for processes: tests of these folders begin before all others, by turns.
LONG = (
    "acceptance",
    "browser",
    "chaos",
    "conformance",
    "contract",
    "integration/api",
    "integration/durable",
    "integration/scenes",
    "integration/visualizer",
)
# The tests of a file stay together, for they may share what took long to make. These share nothing.
APART = ("acceptance", "conformance/database", "contract", "integration/durable", "integration/visualizer")

# The core's own tests, which alone have to cover it. Measuring makes them twice as slow: of those that ask
# over HTTP, it is done on SQLite only.
CORE = (
    "conformance/database",
    "integration/api",
    "integration/durable",
    "integration/engine",
    "unit/database",
    "unit/domain",
    "unit/engine",
)
MEASURED_ONCE = ("integration/api",)

# Before any test imports Numba; all workers and child processes share it.
use_cache(TESTS.parent / ".pytest_cache" / "renderkiln")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Values of megabytes are no names: those travel between the processes with every word about a test."""
    return f"{val[:20]!r} and so on, {len(val)}" if isinstance(val, str | bytes) and len(val) > 60 else None


@pytest.hookimpl(tryfirst=True)  # pytest-xdist looks for groups afterwards
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the work, say in which order, and what must not be torn apart."""
    for item in items:
        if _folder(item, CORE) and not (_folder(item, MEASURED_ONCE) and "postgres" in item.name):
            item.add_marker(pytest.mark.core)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    for item in items:
        if not _folder(item, APART):
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(TESTS))))
    folders = [_folder(item, LONG) for item in items]
    sizes, begun, turns = Counter(folders), Counter[str](), []
    for item, folder in zip(items, folders, strict=True):
        turns.append(begun[folder] / sizes[folder] if folder else 1 + ("unit" in item.path.parts))
        begun[folder] += 1
    items[:] = [items[place] for place in sorted(range(len(items)), key=turns.__getitem__)]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only the core is asked for, nothing else is read: that takes a while, too."""
    core = any(collection_path.is_relative_to(TESTS / each) for each in CORE)
    outside = config.option.markexpr.startswith("core") and collection_path.suffix and not core
    return outside or None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where groups are torn apart, tests make anew what they should share: slow, and nobody would see it."""
    if "PYTEST_XDIST_WORKER" in os.environ and session.config.getvalue("loadgroup"):
        marked = [item for item in session.items if item.get_closest_marker("xdist_group")]
        if not all("@" in item.nodeid for item in marked):
            raise pytest.UsageError("this pytest and this pytest-xdist do not keep groups of tests together")


def _folder(item: pytest.Item, folders: Sequence[str]) -> str:
    """The one of them that it lies in, if any."""
    return next((each for each in folders if item.path.is_relative_to(TESTS / each)), "")


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
