"""Colours come out of the encoder as they were asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.ffmpeg.binary import find
from renderkiln.media.ffmpeg.run import feed
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.colorcode import WORST
from renderkiln.media.frames.picture import to_rgb
from renderkiln.pipelines.scenes.formats import encode_part
from renderkiln.pipelines.scenes.params import ScenesParams
from studios import film

pytestmark = pytest.mark.integration

COLORS = ["#d1495b", "#00a0ff", "#123456", "#ffd166", "#3a7d44", "#808080", "#ffffff", "#000000", "#ff0000"]
SIDE = 300  # of a patch, in pixels of 1080 lines
FRAMES = 3  # of a scene
Picture = npt.NDArray[np.int16]


def patch(number: int, color: str, kind: str) -> dict[str, Any]:
    """Nine of them are a square in the middle."""
    place = {"x": (number % 3 - 1) * SIDE, "y": (number // 3 - 1) * SIDE}
    if kind == "shape":
        return {**place, "type": "shape", "width": SIDE, "height": SIDE, "color": color}
    box = {"color": color, "padding": SIDE / 2 - 20, "radius": 0}
    return {**place, "type": "text", "text": "i", "size": 8, "color": color, "box": box}


def made(path: Path, scenes: list[dict[str, Any]], quality: str) -> list[Picture]:
    """The second frame of each scene, drawn, encoded as the pipeline does, and decoded: RGB (h, w, 3)."""
    scenes = [{**scene, "duration": FRAMES / 30} for scene in scenes]
    params = ScenesParams.model_validate(
        {"project": {"scenes": scenes, "resolution": "480p"}, "quality": quality}
    )
    drawn = film(*scenes, canvas=params.canvas)
    with feed(encode_part(params, path), binary=find()) as encoder:
        for n in range(drawn.timeline.frames):
            encoder.write(drawn.frame(n).buffer.data)
        encoder.finish()
    with av.open(path) as decoded:
        pictures = list(decoded.decode(video=0))[1::FRAMES]
        planes = [np.asarray(each.to_ndarray(format="yuv420p"), np.uint8).ravel() for each in pictures]
    return [to_rgb(Frame(params.canvas, each)).astype(np.int16) for each in planes]


@pytest.mark.parametrize("quality", ["draft", "balanced", "high"])
def test_colours_come_back_as_they_were_asked_for(quality: str, tmp_path: Path) -> None:
    backgrounds = [{"background": color} for color in COLORS]
    patches = [{"layers": [patch(*each, kind) for each in enumerate(COLORS)]} for kind in ("shape", "text")]
    *whole, shapes, boxes = made(tmp_path / "part.mp4", [*backgrounds, *patches], quality)
    for number, color in enumerate(COLORS):
        wanted = list(bytes.fromhex(color[1:]))
        assert np.abs(whole[number] - wanted).max() <= 2, color
        y, x = 240 + (number // 3 - 1) * 133, 427 + (number % 3 - 1) * 133
        for kind, frame in (("shape", shapes), ("box", boxes)):
            inner = frame[y - 36 : y - 14, x - 36 : x + 36] - np.array(wanted)  # above the letter in a box
            assert np.abs(inner).max() <= 2, (kind, color)
            assert np.abs(inner.reshape(-1, 3).mean(axis=0)).max() <= WORST, (kind, color)
