"""The frames a film gets, against every picture of the clip decoded one by one."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import clips
from renderkiln.media.errors import FFmpegFailed, Unreadable, Unsuitable
from renderkiln.media.ffmpeg.binary import find
from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.reader import Reader
from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.video.plain import plain, size
from renderkiln.media.video.playback import Playback
from renderkiln.media.video.survey import Survey, survey

pytestmark = pytest.mark.integration

Picture = tuple[Fraction, bytes]  # when it begins, seconds from the first one on; I420
WIDTH, HEIGHT = 96, 64


def opened(command: Command) -> Reader:
    return Reader(command, binary=find())


def playback(path: Path, known: Survey, **wanted: Any) -> Playback:
    width, height = size(known)
    given: dict[str, Any] = {"width": width, "height": height, "fps": Fraction(30), "open_reader": opened}
    return Playback(path, known, **(given | wanted))


def played(path: Path, known: Survey, count: int, **wanted: Any) -> list[bytes]:
    width, height = size(known)
    canvas = Canvas(wanted.get("width", width), wanted.get("height", height), Fraction(30))
    frame = Frame(canvas)
    frames = []
    with playback(path, known, **wanted) as film:
        for _ in range(count):
            film.read(frame)
            frames.append(frame.buffer.tobytes())
    return frames


def every_picture(path: Path, known: Survey) -> list[Picture]:
    """Decoded from the beginning and made plain: times by PyAV, pictures by FFmpeg, one thread as ours."""
    filters = ("-vf", ",".join(plain(known))) if plain(known) else ()
    command = ("-v", "error", "-filter_threads", "1", "-noautorotate", "-i", str(path), *filters, "-an")
    raw_video = ("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
    raw = subprocess.run([find(), *command, *raw_video], check=True, stdout=subprocess.PIPE).stdout
    with av.open(path) as container:
        film = container.streams.video[0]
        assert film.time_base is not None
        moments = [frame.pts if frame.pts is not None else frame.dts for frame in container.decode(film)]
        times = [(moment or 0) * film.time_base - Fraction(known.start) for moment in moments]
    length = Canvas(*size(known), Fraction(30)).frame_bytes
    assert len(raw) == length * len(times)
    return [(time, raw[number * length :][:length]) for number, time in enumerate(times)]


def shown_at(pictures: Sequence[Picture], time: Fraction) -> bytes:
    begun = [picture for begins, picture in pictures if begins <= time + Fraction(1, 1000)]
    return begun[-1] if begun else pictures[0][1]


def numbered(
    output: Path, *coding: str, frames: int = 60, fps: str = "30", width: int = WIDTH, height: int = HEIGHT
) -> Path:
    """Each frame carries its number, in eight bars of a bit each, the lowest to the left."""
    bits = (np.arange(frames)[:, None] >> np.arange(8)) & 1
    luma = (40 + 160 * bits).astype(np.uint8).repeat(width // 8, axis=1)[:, None].repeat(height, axis=1)
    chroma = np.full((frames, width * height // 2), 128, np.uint8)
    raw = np.concatenate([luma.reshape(frames, -1), chroma], axis=1).tobytes()
    source = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{width}x{height}", "-framerate", fps)
    return clips.ffmpeg(output, *source, "-i", "pipe:0", "-vf", clips.BT709, *coding, stdin=raw)


def number(frame: bytes, width: int = WIDTH, height: int = HEIGHT) -> int:
    row = np.frombuffer(frame, np.uint8)[height // 2 * width :][:width]
    return sum(1 << bit for bit in range(8) if row[(2 * bit + 1) * width // 16] > 120)


def numbers(path: Path, count: int, **wanted: Any) -> list[int]:
    known = survey(path)
    return [number(frame) for frame in played(path, known, count, width=WIDTH, height=HEIGHT, **wanted)]


@pytest.mark.parametrize(
    "make",
    [
        clips.plain,
        clips.rotated,
        clips.variable_rate,
        clips.odd,
        clips.anamorphic,
        clips.interlaced,
        clips.ten_bit,
        clips.hdr_pq,
        clips.edited,
        clips.long_gop,
        clips.webm,
        clips.avi,
        clips.transport_stream,
        clips.late_sound,
        clips.tiny,
    ],
)
def test_the_picture_shown_at_each_time(make: Callable[[Path], Path], tmp_path: Path) -> None:
    """Byte for byte, till after the end; and a part that begins in the middle goes on as the whole does."""
    path, fps = make(tmp_path), Fraction(24)
    known = survey(path)
    pictures, count = every_picture(path, known), int(known.duration * fps) + 5
    expected = [shown_at(pictures, n / fps) for n in range(count)]
    whole = played(path, known, count, fps=fps)
    assert [got == wanted for got, wanted in zip(whole, expected, strict=True)] == [True] * count
    middle = count // 2
    assert played(path, known, count - middle, fps=fps, start=float(middle / fps)) == whole[middle:]


@pytest.mark.parametrize("fps", ["24000/1001", "30", "50", "60000/1001"])
@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.flv"])
def test_numbers_at_other_rates(name: str, fps: str, tmp_path: Path) -> None:
    """In containers that count in milliseconds too: at its own rate each picture comes once."""
    vp9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
    path = numbered(tmp_path / name, *(vp9 if name.endswith("webm") else clips.X264), "-g", "12")
    rate = Fraction(fps)
    count = int(2 * rate) + 4
    expected = [min(59, int((n / rate + Fraction(1, 1000)) * 30)) for n in range(count)]
    assert numbers(path, count, fps=rate) == expected
    assert numbers(path, 5, fps=rate, start=float(31 / rate)) == expected[31:36]


@pytest.mark.parametrize(("name", "offset"), [("a.ts", "100"), ("a.mkv", "0.7"), ("a.mpg", "3")])
def test_a_clock_that_does_not_begin_at_zero(name: str, offset: str, tmp_path: Path) -> None:
    coding = ("-c:v", "mpeg2video", "-q:v", "2") if name == "a.mpg" else clips.X264
    path = numbered(tmp_path / name, *coding, "-bf", "2", "-g", "20", "-output_ts_offset", offset)
    for start in (0, 1, 17, 44):
        assert numbers(path, 8, start=start / 30) == list(range(start, start + 8))


def test_interlaced_from_a_key_frame_on(tmp_path: Path) -> None:
    """The deinterlacer looks at the picture before, too."""
    weave = f"interlace=scan=tff:lowpass=0,{clips.BT709}"
    coding = (*clips.X264, "-flags", "+ildct+ilme", "-x264opts", "tff=1", "-g", "10")
    path = clips.ffmpeg(tmp_path / "a.mkv", *clips.picture(fps="50"), "-vf", weave, *coding)
    known, fps = survey(path), Fraction(25)
    assert known.interlaced == "top"
    assert played(path, known, 4, fps=fps, start=20 / 25) == played(path, known, 24, fps=fps)[20:]


def test_far_in_a_stream_without_an_index(tmp_path: Path) -> None:
    path = clips.ffmpeg(
        tmp_path / "a.ts", *clips.picture(WIDTH, HEIGHT, seconds=30), *clips.X264, "-vf", clips.BT709
    )
    known = survey(path)
    pictures = every_picture(path, known)
    assert played(path, known, 3, start=26) == [picture for _, picture in pictures[780:783]]


def test_a_loop_repeats_every_length(tmp_path: Path) -> None:
    path, fps = numbered(tmp_path / "a.mp4", *clips.X264, frames=10), Fraction(25)
    length = Fraction(10, 30) - Fraction(1, 10)
    expected = [3 + int((n / fps % length + Fraction(1, 1000)) * 30) for n in range(30)]
    assert numbers(path, 30, fps=fps, trim=0.1, if_short="loop") == expected
    assert numbers(path, 10, fps=fps, trim=0.1, if_short="loop", start=20 / 25) == expected[20:]


def test_a_loop_at_its_own_rate_is_seamless(tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.mkv", *clips.X264, frames=6)
    assert numbers(path, 15, if_short="loop") == [n % 6 for n in range(15)]


def test_freezing_is_told(tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.mp4", *clips.X264, frames=6)
    frame = Frame(Canvas(WIDTH, HEIGHT, Fraction(30)))
    with playback(path, survey(path)) as film:
        seen = []
        for _ in range(9):
            film.read(frame)
            seen.append((number(frame.buffer.tobytes()), film.is_still))
    assert seen == [*((n, False) for n in range(6)), *[(5, True)] * 3]
    assert numbers(path, 2, start=99.0) == [5, 5]


def test_it_fills_the_size(tmp_path: Path) -> None:
    """Eight bars, as wide again as high: in a square their middle half is seen."""
    path = numbered(tmp_path / "a.mp4", *clips.X264, frames=255, fps="120", width=160, height=80)
    frame = np.frombuffer(played(path, survey(path), 1, width=80, height=80, start=165 / 120)[0])
    row = frame.view(np.uint8)[40 * 80 :][:80]
    bars = [1, 0, 1, 0, 0, 1, 0, 1]  # 165, lowest bit first
    assert [int(value > 120) for value in row[10::20]] == bars[2:6]


@pytest.mark.parametrize("wanted", [(160, 320), (1920, 1080), (34, 258)])
def test_colours(wanted: tuple[int, int], tmp_path: Path) -> None:
    """Of the four quarters, however it is scaled and cut."""
    lying = np.ascontiguousarray(np.rot90(clips.corners()))
    coding = ("-vf", f"scale=out_color_matrix=bt709,{clips.BT709}", *clips.X264, "-qp", "1")
    still = clips.still(tmp_path / "still.mp4", lying, *coding)
    path = clips.ffmpeg(tmp_path / "a.mov", "-display_rotation", "-90", "-i", str(still), "-c", "copy")
    frame = Frame(Canvas(*wanted, Fraction(30)))
    with playback(path, survey(path), width=wanted[0], height=wanted[1]) as film:
        film.read(frame)
    planes = [plane[plane.shape[0] // 4 :: plane.shape[0] // 2] for plane in (frame.y, frame.u, frame.v)]
    got = np.stack([rows[:, rows.shape[1] // 4 :: rows.shape[1] // 2] for rows in planes], -1).reshape(4, 3)
    bt709 = [(63, 102, 240), (173, 42, 26), (32, 240, 118), (235, 128, 128)]  # of red, green, blue, white
    assert np.abs(got.astype(int) - bt709).max() <= 2


def test_damage_in_the_middle_is_passed_over(tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.mkv", *clips.X264, "-qp", "0", "-g", "15")
    known = survey(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = b"\x55" * 1500
    path.write_bytes(content)
    got = [number(frame) for frame in played(path, known, 62)]
    assert got[:20] == list(range(20))
    assert got != [min(n, 59) for n in range(62)]


def test_when_all_is_damaged_from_there_on_an_earlier_picture_stays(tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.mp4", *clips.X264, "-g", "15", "-movflags", "+faststart")
    known = survey(path)
    content = path.read_bytes()
    kept = content.index(b"mdat") + 4 + (len(content) - content.index(b"mdat")) // 3
    path.write_bytes(content[:kept] + b"\x55" * (len(content) - kept))
    whole = played(path, known, 60)
    assert 0 < number(whole[-1]) == max(number(frame) for frame in whole) < 20
    assert played(path, known, 3, start=55 / 30) == whole[55:58]


def test_a_size_that_changes_midway(tmp_path: Path) -> None:
    """Two recordings joined: bytes are counted, so that every frame must have the same size."""
    first = numbered(tmp_path / "a.ts", *clips.X264, "-g", "15", frames=30)
    other = ("-output_ts_offset", "1", "-g", "15")
    second = numbered(tmp_path / "b.ts", *clips.X264, *other, frames=30, width=192, height=128)
    path = tmp_path / "both.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    got = numbers(path, 62)
    assert got == [*range(30), *range(30), 29, 29]
    assert numbers(path, 4, start=1.5) == got[45:49]


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_nothing_can_be_decoded(start: float, tmp_path: Path) -> None:
    path = clips.ffmpeg(tmp_path / "a.mp4", *clips.picture(), *clips.X264, "-movflags", "+faststart")
    known = survey(path)
    whole = path.read_bytes()
    for content in (whole.partition(b"mdat")[0] + b"mdat", b"\0" * 5000):
        path.write_bytes(content)
        with pytest.raises(Unreadable, match=r"a\.mp4' is damaged: no frame of it can be decoded"):
            played(path, known, 1, start=start)


def test_nothing_is_left_of_it(tmp_path: Path) -> None:
    path = clips.tiny(tmp_path)
    with pytest.raises(Unsuitable, match=r"lasts 0\.10 s: nothing is left after its first 0\.50 s"):
        playback(path, survey(path), trim=0.5)


def read_on(film: Playback, frame: Frame) -> None:
    for _ in range(600):
        film.read(frame)


@pytest.fixture
def pids() -> Iterator[list[int]]:
    started: list[int] = []
    yield started
    for pid in started:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_leaving_early_leaves_no_process(tmp_path: Path, pids: list[int]) -> None:
    path = clips.plain(tmp_path, seconds=3)

    def noted(command: Command) -> Reader:
        return Reader(command, binary=find(), on_process=lambda pid, _: pids.append(pid))

    with playback(path, survey(path), open_reader=noted) as film:
        film.read(Frame(Canvas(320, 180, Fraction(30))))
    assert len(set(pids)) == 1


@pytest.mark.parametrize("first", [True, False])
def test_a_killed_decoder_is_no_damage(first: bool, tmp_path: Path) -> None:
    path, readers = clips.plain(tmp_path, seconds=20), list[Reader]()

    def noted(command: Command) -> Reader:
        readers.append(opened(command))
        if first:
            os.kill(readers[0].pid, signal.SIGKILL)
        return readers[-1]

    frame = Frame(Canvas(320, 180, Fraction(30)))
    with playback(path, survey(path), open_reader=noted) as film:
        if not first:
            film.read(frame)
            os.kill(readers[0].pid, signal.SIGKILL)
        with pytest.raises(FFmpegFailed, match="killed by signal 9"):
            read_on(film, frame)
