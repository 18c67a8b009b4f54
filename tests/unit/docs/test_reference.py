"""The reference pages say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", ["commands.md", "settings.md", "templates.md", "narration.md", "projects.md"]
)
def test_the_page_is_up_to_date(generate: ModuleType, name: str) -> None:
    stored = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert stored == generate.pages()[name], "run `make docs`"


def test_the_dashboard_knows_the_api_as_it_is(generate: ModuleType) -> None:
    assert generate.DOCUMENT.read_text(encoding="utf-8") == generate.openapi(), "run `make docs`"


def test_every_command_option_and_setting_has_help(generate: ModuleType) -> None:
    for page in generate.pages().values():
        for line in page.splitlines():
            if line.startswith("| `"):
                assert line.split(" | ")[-1].removesuffix(" |").strip(), line
