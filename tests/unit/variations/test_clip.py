from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.pipelines.variations.clip import MOMENTS, Clip
from renderkiln.pipelines.variations.params import VariationsParams
from surveys import STEREO, surveyed


def clip(params: dict[str, object] | None = None, **changes: object) -> Clip:
    return Clip.of(surveyed(**changes), VariationsParams.model_validate(params or {}))


@pytest.mark.parametrize(
    ("stored", "resolution", "size"),
    [
        ((1920, 1080), "keep", (1920, 1080)),
        ((3840, 2160), "1080p", (1920, 1080)),
        ((1080, 1920), "720p", (720, 1280)),
        ((1280, 720), "1080p", (1280, 720)),  # nothing is enlarged
        ((1921, 1081), "keep", (1920, 1080)),
        ((2048, 858), "480p", (1146, 480)),
    ],
)
def test_the_size_is_the_clips_or_fits_what_was_asked(
    stored: tuple[int, int], resolution: str, size: tuple[int, int]
) -> None:
    made = clip({"resolution": resolution}, width=stored[0], height=stored[1])
    assert (made.width, made.height) == size


def test_a_phones_film_lies_in_the_file_and_stands_in_its_variations() -> None:
    made = clip(rotation=90)
    assert (made.width, made.height) == (1080, 1920)


def test_sound_is_kept_unless_asked_otherwise() -> None:
    assert (clip().channels, clip().rate) == (2, 48000)
    assert clip({"channels": "mono"}).channels == 1
    assert not clip(audio=None).has_sound
    assert not clip({"channels": "stereo"}, audio=None).has_sound
    high = STEREO.__class__(1, "flac", 96000, 2, "stereo", 0.0, 10.0)
    odd = STEREO.__class__(1, "pcm_s16le", 37800, 1, "mono", 0.0, 10.0)
    assert clip(audio=high).rate == 48000
    assert clip(audio=odd).rate == 44100  # AAC players know no 37.8 kHz


@given(
    duration=st.floats(0.03, 50_000),
    speed=st.floats(0.5, 2),
    fps=st.sampled_from([Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)]),
)
def test_picture_and_sound_last_as_long_as_they_should(duration: float, speed: float, fps: Fraction) -> None:
    made = clip(duration=duration, fps=fps)
    assert made.frames(speed) >= 1
    assert abs(made.seconds(speed) - duration / speed) <= 1 / fps
    assert abs(made.samples(speed) / made.rate - made.seconds(speed)) <= 1 / made.rate


@given(st.floats(0.03, 50_000))
def test_moments_are_spread_over_the_clip(duration: float) -> None:
    moments = clip(duration=duration).moments
    assert 1 <= len(moments) <= MOMENTS
    assert list(moments) == sorted(set(moments))
    assert moments[0] >= 0
    assert moments[-1] < duration
    if duration > 30:
        assert len(moments) == MOMENTS
        assert moments[-1] > 0.8 * duration
