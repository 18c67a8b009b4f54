from __future__ import annotations

import av
import numpy as np
import numpy.typing as npt
import pytest

from renderkiln.media.luma import Luma, LumaWatch


def watch(*pictures: npt.NDArray[np.uint8]) -> Luma:
    watching = LumaWatch()
    for picture in pictures:
        height, width = picture.shape
        frame = np.full((height * 3 // 2, width), 128, np.uint8)
        frame[:height] = picture
        watching.add(av.VideoFrame.from_ndarray(frame, format="yuv420p"))
    return watching.result()


def grey(value: int, shape: tuple[int, int] = (180, 322)) -> npt.NDArray[np.uint8]:
    return np.full(shape, value, np.uint8)


def test_a_black_film() -> None:
    result = watch(*[grey(16)] * 5)
    assert (result.black_frames, result.longest_black, result.mean_max) == (5, 5, 16)
    assert result.contrast_max == 0


def test_a_frozen_film() -> None:
    picture = np.random.default_rng(0).integers(16, 235, (180, 320), np.uint8)
    result = watch(grey(20, (180, 320)), *[picture] * 10)
    assert (result.still_frames, result.longest_still, result.change_median) == (9, 9, 0)
    assert result.contrast_median == pytest.approx(picture.std(), abs=0.5)


def test_a_lively_film() -> None:
    result = watch(*[grey(value) for value in (50, 60, 50, 60, 50)])
    assert (result.change_median, result.change_max) == (10, 10)
    assert (result.still_frames, result.black_frames) == (0, 0)
    assert result.mean_median == 50


def test_runs_are_of_frames_in_a_row() -> None:
    result = watch(grey(16), grey(16), grey(90), grey(16), grey(16), grey(16), grey(90))
    assert (result.black_frames, result.longest_black) == (5, 3)


def test_a_frame_of_another_size_is_not_still() -> None:
    assert watch(grey(90), grey(90, (64, 64))).still_frames == 0


def test_ten_bit_pictures_count_in_eight_bit_values() -> None:
    watching = LumaWatch()
    frame = av.VideoFrame.from_ndarray(np.full((96, 64), 240, np.uint8), format="gray")
    watching.add(frame.reformat(format="yuv420p10le"))
    assert watching.result().mean_max > 180
