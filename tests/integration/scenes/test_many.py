"""A film of very many scenes."""

from __future__ import annotations

from typing import Any

import pytest

from audio_truth import sine, write_wav
from integration.scenes.rig import Kiln

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_five_hundred_scenes(kiln: Kiln) -> None:
    write_wav(kiln.folder / "music.wav", sine(440, 3, 0.3))
    scenes: list[dict[str, Any]] = [
        {
            "duration": 0.25,
            "background": f"#{n * 7919 % 2**24:06x}",
            "layers": [{"type": "text", "text": f"Scene {n}", "style": "title"}],
        }
        for n in range(500)
    ]
    fade = {"type": "crossfade", "duration": 1 / 24}
    film = kiln.film({"scenes": scenes, "music": "music.wav", "transition": fade})
    assert len(film.luma) == 500 * 6 - 499
    assert film.report.result is not None
    assert film.report.result["parts"] == 999
    heaviest = max(each.facts["peak_bytes"] or 0 for each in kiln.events if each.name == "stage.completed")
    assert heaviest < 450 * 2**20
    again = kiln.film({"title": "Again", "scenes": scenes, "music": "music.wav", "transition": fade})
    assert again.report.result is not None
    assert again.report.result["partsReused"] == 999
