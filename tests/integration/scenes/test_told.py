"""What a film tells of itself: warnings each time, captions as far as they are heard, a gif as it became."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import clips
from audio_truth import sine, write_wav
from integration.scenes.rig import Kiln
from renderkiln.media.frames.image import write_image

pytestmark = pytest.mark.integration


def test_what_no_font_draws_is_told_of_each_scene_and_each_time(kiln: Kiln) -> None:
    texts = ("a\U00013000", "b\U00012000")
    scenes = [{"duration": 0.25, "layers": [{"type": "text", "text": text}]} for text in texts]
    for time in range(2):
        report = kiln.render({"scenes": scenes})
        assert report.succeeded, report.error
        assert report.result is not None
        assert report.result["partsReused"] == 2 * time
        told = sorted(kiln.warnings.values())
        assert len(told) == 2
        assert "scene-1" in told[0]
        assert "\U00013000" in told[0]
        assert "scene-2" in told[1]


@pytest.mark.parametrize("format", ["mp4", "gif"])
def test_a_waveform_of_nothing_is_at_rest_and_told(kiln: Kiln, format: str) -> None:
    film = kiln.film({"scenes": [{"duration": 0.5, "layers": [{"type": "waveform"}]}]}, format=format)
    assert film.luma.max() > 0
    assert kiln.warnings["waveform-mix"] == "A waveform shows the mix, but nothing of it is heard"


def test_captions_end_with_their_scenes(kiln: Kiln) -> None:
    scenes = [
        {
            "duration": 1.5,
            "voice": "This is a sentence that takes far longer than its scene. So does this one.",
        },
        {"duration": 1.5, "voice": {"speech": "Two.", "start": 0.1}},
    ]
    report = kiln.render({"scenes": scenes})
    assert report.succeeded, report.error
    (path,) = [each.path for each in report.artifacts if each.kind == "captions"]
    times = [line.split(" --> ") for line in path.read_text().splitlines() if "-->" in line]
    seconds = [
        [sum(60**n * float(part) for n, part in enumerate(reversed(time.split(":")))) for time in cue]
        for cue in times
    ]
    assert all(start < end <= 3.0 for start, end in seconds)
    assert all(before[1] <= after[0] for before, after in pairwise(seconds))
    assert seconds[0][1] <= 1.5


def test_a_clip_whose_sound_is_damaged_is_named_as_its_author_names_it(kiln: Kiln) -> None:
    write_wav(kiln.folder / "tone.wav", sine(440, 1, 0.3))
    (kiln.folder / "tone.wav").write_bytes((kiln.folder / "tone.wav").read_bytes()[:60])
    scenes = [{"duration": 1, "voice": {"file": "tone.wav"}}]
    report = kiln.render({"scenes": scenes})
    assert not report.succeeded
    assert report.error is not None
    assert "tone.wav" in report.error.message
    assert "asset-" not in report.error.message


def test_a_gif_that_was_made_smaller_is_named_and_told_as_it_is(kiln: Kiln) -> None:
    colors = ["#ff0000", "#00ff00", "#0000ff"]
    background = {"type": "gradient", "kind": "radial", "colors": colors}
    scene = {
        "duration": 1,
        "background": background,
        "layers": [{"type": "text", "text": "hello", "enter": "rise"}],
    }
    report = kiln.render({"scenes": [scene]}, format="gif", max_bytes=60_000)
    assert report.succeeded, report.error
    assert report.result is not None
    look = report.result["look"]
    path = report.artifacts[0].path
    assert f"_{look['height']}p_" in path.name
    assert look["height"] < 480
    assert f"{look['width']}x{look['height']} pixels" in kiln.warnings["gif-look"]


def test_motions_that_take_longer_than_a_voice_are_told(kiln: Kiln) -> None:
    """Of a scene that is as long as its voice that is known late, and no mistake of its author's."""
    slow = {"type": "fade", "duration": 5}
    report = kiln.render(
        {"scenes": [{"voice": "Hi.", "layers": [{"type": "text", "text": "X", "enter": slow, "exit": slow}]}]}
    )
    assert report.succeeded, report.error
    (told,) = kiln.warnings.values()
    assert told.startswith("layers[0] of the scene scene-1 goes before it has come: it is seen for")


def test_a_clip_with_transparency_is_told(kiln: Kiln) -> None:
    clear = ("-vf", "format=yuva420p,geq=lum=200:a=0", "-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p")
    clips.ffmpeg(kiln.folder / "clear.webm", *clips.picture(64, 36, seconds=0.5), *clear)
    scenes = [{"duration": 0.5, "layers": [{"type": "video", "file": "clear.webm"}]}]
    assert kiln.render({"scenes": scenes}).succeeded
    assert any("the transparency of clips is not used" in told for told in kiln.warnings.values())


def test_a_picture_that_is_moved_until_it_is_tiny_is_told(kiln: Kiln) -> None:
    write_image(kiln.folder / "a.png", np.full((90, 160, 3), 200, np.uint8))
    layers = [{"type": "image", "file": "a.png", "x": x} for x in ("-50%", "-10%")]
    assert kiln.render({"scenes": [{"duration": 0.25, "layers": layers}]}).succeeded
    (told,) = kiln.warnings.values()
    assert told == (
        "The scene scene-1, layers[0]: x and y leave it little room, so that it is made very small: "
        "give it a width or height"
    )


@pytest.mark.parametrize("layer", [{"type": "image", "ken_burns": "in"}, {"type": "image"}])
@pytest.mark.parametrize("size", [{"height": 1}, {"width": 3}, {"x": "-50%"}])
def test_a_picture_as_small_as_can_be(kiln: Kiln, layer: dict[str, str], size: dict[str, object]) -> None:
    write_image(kiln.folder / "a.png", np.full((2, 500, 3), 200, np.uint8))
    report = kiln.render({"scenes": [{"duration": 0.25, "layers": [{**layer, "file": "a.png", **size}]}]})
    assert report.succeeded, report.error
