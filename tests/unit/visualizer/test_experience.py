from __future__ import annotations

from pathlib import Path

from renderkiln.pipelines.experience import remember, speed_before
from renderkiln.pipelines.visualizer.pace import kind_of
from renderkiln.pipelines.visualizer.params import VisualizerParams


def test_the_last_film_of_its_kind_is_remembered(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    large, small = (kind_of(VisualizerParams(format=each), 2) for each in ("4k", "preview"))
    assert speed_before(cache, large) is None
    for kind, fps in ((large, 20.0), (small, 200.0), (large, 25.0)):
        remember(cache, kind, fps)
    assert (speed_before(cache, large), speed_before(cache, small)) == (25.0, 200.0)
    assert [path.name for path in cache.iterdir()] == ["speeds.json"]


def test_what_is_no_memory_is_none(tmp_path: Path) -> None:
    for text in ("{", "[1]", '{"x": "fast"}', '{"x": -1}'):
        (tmp_path / "speeds.json").write_text(text)
        assert speed_before(tmp_path, "x") is None
    remember(tmp_path, "x", 3.0)
    assert speed_before(tmp_path, "x") == 3.0
    remember(tmp_path / "speeds.json", "x", 3.0)  # no folder: forgotten, and no error
