"""The frame that is shown at a time, against every frame of the clip decoded one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import av
import pytest

import clips
from renderkiln.media.errors import Unreadable
from renderkiln.media.video import samples as module
from renderkiln.media.video.samples import samples
from renderkiln.media.video.survey import survey

Packets = Iterator["av.Packet[av.VideoStream]"]

pytestmark = pytest.mark.integration


def sample_times(duration: float, count: int) -> list[float]:
    """Seconds in the middle of `count` equal parts of `duration`."""
    return [(k + 0.5) * duration / count for k in range(count)]


def truth(path: Path, start: float, times: list[float]) -> list[bytes]:
    """Luma of the last frame that begins by each time, of all that FFmpeg decodes."""
    with av.open(path) as container:
        frames = [(frame.pts or frame.dts or 0, frame) for frame in container.decode(video=0)]
        tick = float(container.streams.video[0].time_base or 0)
    found = []
    for time in times:
        begun = [frame for pts, frame in frames if pts * tick <= start + time + 1e-6]
        found.append(luma(begun[-1] if begun else frames[0][1]))
    return found


def luma(frame: av.VideoFrame) -> bytes:
    return bytes(frame.planes[0])


@pytest.mark.parametrize(
    "make",
    [
        clips.plain,
        clips.long_gop,
        clips.variable_rate,
        clips.webm,
        clips.avi,
        clips.transport_stream,
        clips.edited,
        clips.tiny,
        clips.hdr_pq,
    ],
)
def test_the_frame_shown(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path)
    known = survey(path)
    for count in (1, 7, 40):
        times = sample_times(known.duration, count)
        got = [luma(frame) for frame in samples(path, known, times)]
        assert got == truth(path, known.start, times)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts"])
def test_far_apart(suffix: str, tmp_path: Path) -> None:
    """Many key frames between the samples: seeking gives the frames that going on gives."""
    coding = ("-c:v", "mpeg4") if suffix == "avi" else clips.X264
    output = tmp_path / f"long.{suffix}"
    path = clips.ffmpeg(output, *clips.picture(96, 64, seconds=24), *coding, "-g", "8", "-bf", "2")
    known = survey(path)
    times = [0.0, 0.3, 5.55, 5.6, 12.0, 23.9]
    got = [luma(frame) for frame in samples(path, known, times)]
    assert got == truth(path, known.start, times)


@pytest.mark.parametrize(("gop", "most"), [(10, 3 * 12), (9999, 601)])
def test_little_is_decoded(gop: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GOP for each sample where there are key frames, and every frame once where there is but one."""
    path = clips.ffmpeg(tmp_path / "a.mp4", *clips.picture(96, 64, seconds=20), *clips.X264, "-g", str(gop))
    decoded = 0

    def counted(packets: Packets) -> Iterator[av.VideoFrame]:
        nonlocal decoded
        for frame in whole(packets):
            decoded += 1
            yield frame

    whole = module._decoded
    monkeypatch.setattr(module, "_decoded", counted)
    known = survey(path)
    assert len(list(samples(path, known, sample_times(known.duration, 3)))) == 3
    assert 3 < decoded <= most


def test_damage_between_is_passed_over(tmp_path: Path) -> None:
    path = clips.ffmpeg(tmp_path / "a.mkv", *clips.picture(seconds=2), *clips.X264, "-g", "15")
    known = survey(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\x55" * 2000
    path.write_bytes(content)
    assert len(list(samples(path, known, sample_times(known.duration, 10)))) == 10


def test_nothing_can_be_decoded(tmp_path: Path) -> None:
    path = clips.ffmpeg(tmp_path / "a.mp4", *clips.picture(), *clips.X264, "-movflags", "+faststart")
    known = survey(path)
    path.write_bytes(path.read_bytes().partition(b"mdat")[0] + b"mdat")
    with pytest.raises(Unreadable, match="no frame of it can be decoded"):
        list(samples(path, known, [0.5]))


def test_times_outside_of_the_clip(tmp_path: Path) -> None:
    path = clips.plain(tmp_path)
    first, last = samples(path, survey(path), [99.0, -1.0])
    assert (first.pts, round(last.time, 2)) == (0, round(44 / 30, 2))


def test_sample_times() -> None:
    times = sample_times(6.0, 4)
    assert times == [0.75, 2.25, 3.75, 5.25]
    assert [later - sooner for sooner, later in pairwise(times)] == [1.5] * 3
