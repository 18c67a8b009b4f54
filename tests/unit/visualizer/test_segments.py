import itertools

from hypothesis import given
from hypothesis import strategies as st

from renderkiln.pipelines.visualizer.listen import frame_count
from renderkiln.pipelines.visualizer.render import SEGMENT_SECONDS, segments


@given(st.integers(1, 12 * 3600 * 60), st.sampled_from([24, 25, 30, 50, 60]))
def test_segments_cover_every_frame_once_in_order(frames: int, fps: int) -> None:
    cut = segments(frames, fps)
    assert [segment.number for segment in cut] == list(range(len(cut)))
    assert cut[0].start == 0
    assert cut[-1].stop == frames
    assert all(before.stop == after.start for before, after in itertools.pairwise(cut))
    assert all(len(segment.frames) == SEGMENT_SECONDS * fps for segment in cut[:-1])


def test_the_last_frame_covers_the_last_sample() -> None:
    assert frame_count(48000, 48000, 30) == 30
    assert frame_count(48001, 48000, 30) == 31
    assert frame_count(44100 * 3 * 3600, 44100, 60) == 3 * 3600 * 60
    assert frame_count(4410, 44100, 24) == 3  # 0.1 s are 2.4 frames
