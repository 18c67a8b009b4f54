"""The drawn layers are the enforced layers."""

from __future__ import annotations

import ast
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest

import renderkiln

ROOT = Path(__file__).parents[2]
SOURCE = Path(renderkiln.__file__).parent


def test_import_linter_keeps_every_contract() -> None:
    script = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run([script, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_domain_is_standard_library_only() -> None:
    for path in sorted((SOURCE / "domain").glob("*.py")):
        for module in _imports(path):
            top = module.partition(".")[0]
            assert top in sys.stdlib_module_names or module.startswith("renderkiln.domain"), (
                f"{path}: {module}"
            )


def test_the_fork_server_needs_nothing_but_the_standard_library() -> None:
    assert {name.partition(".")[0] for name in _imports(SOURCE / "engine" / "forkserver.py")} <= set(
        sys.stdlib_module_names
    )


def test_the_client_comes_alone() -> None:
    heavy = ("httpx", "pydantic", "sqlalchemy", "numpy", "dbos", "renderkiln.engine", "renderkiln.app")
    code = f"import sys, renderkiln.client; print([each for each in {heavy} if each in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_the_lock_file_names_the_public_index_only() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    hosts = {urlparse(value).hostname for value in _strings(lock) if "://" in value}
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


@pytest.mark.parametrize("name", renderkiln.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(renderkiln, name) is not None


def test_the_public_names_are_these() -> None:
    assert renderkiln.__all__ == [
        "Artifact",
        "Asset",
        "Event",
        "Job",
        "JobReport",
        "Permanent",
        "Pipeline",
        "ReceivedEvent",
        "Renderkiln",
        "RenderkilnError",
        "Result",
        "Retry",
        "Services",
        "Settings",
        "Stage",
        "StageContext",
        "Stopped",
        "Temporary",
        "UsageError",
        "UserError",
        "__version__",
    ]
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = renderkiln.nonsense


def test_importing_renderkiln_loads_nothing_of_it_but_itself() -> None:
    code = "import sys; import renderkiln; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "pydantic" not in loaded
    assert [name for name in loaded if name.startswith("renderkiln")] == ["renderkiln"]


def test_the_version_is_that_of_the_package() -> None:
    assert (
        tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == renderkiln.__version__
    )


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield str(node.module)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def test_only_the_journal_writes_events() -> None:
    """Whoever writes one past it tells no webhook and no handler."""
    writing = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if "events.append" in (text := path.read_text())
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module == "renderkiln.database"
        if "events" in [alias.name for alias in node.names]
    }
    assert writing == {"events/journal.py"}
