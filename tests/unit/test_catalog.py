"""Plug-ins come in by entry points; one that is broken is named and bars nobody else's way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from renderkiln.domain.errors import UsageError
from renderkiln.pipelines import catalog

GROUP = "renderkiln.examples"


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution with one sound and two broken plug-ins."""
    (tmp_path / "catalog_sound.py").write_text("class Sound: ...\n")
    (tmp_path / "catalog_broken.py").write_text("raise RuntimeError('out of order')\n")
    info = tmp_path / "examples-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: examples\nVersion: 1.0\n")
    points = ["sound = catalog_sound:Sound", "broken = catalog_broken:X", "absent = catalog_sound:Nobody"]
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n" + "\n".join(points))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in ("catalog_sound", "catalog_broken", "catalog_queue"):
        sys.modules.pop(name, None)


def test_the_built_in_pipeline_comes_in_by_the_same_door() -> None:
    assert "visualizer" in catalog.names(catalog.PIPELINES)
    assert catalog.load(catalog.PIPELINES, "visualizer").name == "visualizer"


def test_names_are_listed_without_importing() -> None:
    assert catalog.names(GROUP) == ("absent", "broken", "sound")
    assert "catalog_broken" not in sys.modules


def test_a_plugin_is_loaded_by_name_or_by_reference() -> None:
    assert catalog.load(GROUP, "sound").__name__ == "Sound"
    assert catalog.load(GROUP, "catalog_sound:Sound") is catalog.load(GROUP, "sound")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown example 'loud'; known are: absent, broken, sound"):
        catalog.load(GROUP, "loud")
    with pytest.raises(UsageError, match="known are: none is installed"):
        catalog.load("renderkiln.nothings", "x")


def test_a_broken_plugin_is_named_and_harms_no_other() -> None:
    with pytest.raises(UsageError, match=r"'broken' \(catalog_broken:X\) cannot be loaded: .*out of order"):
        catalog.load(GROUP, "broken")
    assert set(catalog.broken(GROUP)) == {"absent", "broken"}
    assert catalog.load(GROUP, "sound")


@pytest.mark.parametrize("queue", ["sea", "", "video-rendering\n", "\x1b[2J" * 99, None, 7, "storage-upload"])
def test_a_pipeline_that_names_no_queue_of_ours_is_not_loaded(tmp_path: Path, queue: object) -> None:
    (tmp_path / "catalog_queue.py").write_text(f"class Mine:\n    queue = {queue!r}\n")
    with pytest.raises(
        UsageError, match=r"cannot be loaded: its queue is .*, but a pipeline's queue is one of: "
    ) as no:
        catalog.load(catalog.PIPELINES, "catalog_queue:Mine")
    assert str(no.value).isprintable()
    assert len(str(no.value)) < 300


def test_a_reference_leads_back_to_the_class() -> None:
    plugin = catalog.load(GROUP, "sound")()
    assert catalog.reference(plugin) == "catalog_sound:Sound"


def test_what_no_other_process_could_import_is_refused() -> None:
    class Local: ...

    with pytest.raises(UsageError, match="put it at the top level of a module"):
        catalog.reference(Local())
