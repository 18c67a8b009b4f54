"""The example projects are what people copy: each is valid, and each becomes a film."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from .conftest import Command

EXAMPLES = Path(__file__).parents[2] / "examples"
FPS = 24
SIZES = {
    "audiogram": (480, 600),
    "gallery": (854, 480),
    "languages": (480, 480),
    "launch": (854, 480),
    "story": (480, 854),
}
# Of those that do not wait for a voice: the frames of all seconds, and those that transitions take of them.
FRAMES = {
    "gallery": round((5 * 2.4 + 1.6 + 1.4) * 24) - 5 * 19,
    "languages": round(6 * 2.2 * 24) - 5 * 12,
    "launch": 96 + 108 + 108 + 84 - (14 + 17 + 19),
}


def test_all_examples_are_tested_and_named_in_their_readme() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.json")}
    assert names == SIZES.keys()
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"[`{name}.json`]({name}.json)" in readme for name in names)


def test_all_examples_are_valid(renderkiln: Command) -> None:
    ended = renderkiln("scenes", "validate", *sorted(EXAMPLES.glob("*.json")))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == len(SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_an_example_becomes_a_film(renderkiln: Command, name: str) -> None:
    small = ("--resolution", "480p", "--quality", "draft", "--fps", FPS)
    ended = renderkiln("render", "scenes", EXAMPLES / f"{name}.json", *small, "-o", "json", "--out", "out")
    assert ended.returncode == 0, ended.stderr
    (job,) = json.loads(ended.stdout)
    assert job["warnings"] == []
    frames, size, sounds = measured(Path(job["result"]["video"]))
    assert size == SIZES[name]
    assert frames == job["result"]["frames"] == FRAMES.get(name, in_parts(job["result"]["scenes"]))
    assert sounds == (name != "languages")


def measured(film: Path) -> tuple[int, tuple[int, int], bool]:
    """(decoded frames, width and height, whether it has sound) of a file."""
    with av.open(str(film)) as container:
        video = container.streams.video[0]
        frames = sum(1 for _ in container.decode(video))
        return frames, (video.width, video.height), bool(container.streams.audio)


def in_parts(scenes: list[dict[str, Any]]) -> int:
    """The frames of all scenes, each overlap counted once."""
    seconds: float = sum(each["seconds"] for each in scenes)
    seconds -= sum(before["start"] + before["seconds"] - after["start"] for before, after in pairwise(scenes))
    return round(seconds * FPS)
