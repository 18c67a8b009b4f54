"""What a survey says of clips of which everything is known."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

import clips
from renderkiln.media.errors import FFmpegStopped, MediaError, Unreadable, Unsuitable
from renderkiln.media.video import survey as module
from renderkiln.media.video.survey import Survey, survey

pytestmark = pytest.mark.integration

Make = Callable[[Path], Path]


def test_a_plain_clip(tmp_path: Path) -> None:
    known = survey(clips.plain(tmp_path, fps="30000/1001"))
    assert (known.width, known.height, known.rotation, known.mirrored) == (320, 180, 0, False)
    assert (known.fps, known.variable, known.frames) == (Fraction(30000, 1001), False, 45)
    assert known.pixel_aspect == 1
    assert known.interlaced == known.hdr == ""
    assert (known.bits, known.pixel_format) == (8, "yuv420p")
    assert (known.color.matrix, known.color.range, known.color.transfer) == ("bt709", "tv", "bt709")
    assert known.start == 0.0
    assert known.duration == pytest.approx(45 * 1001 / 30000, abs=1e-4)
    assert known.promised == pytest.approx(known.duration, abs=1e-3)
    audio = known.audio
    assert audio is not None
    assert (audio.index, audio.codec, audio.rate, audio.channels, audio.layout) == (
        1,
        "aac",
        48000,
        1,
        "mono",
    )
    assert audio.start == 0.0
    assert audio.end == pytest.approx(1.5, abs=1e-3)


@pytest.mark.parametrize("make", [clips.plain, clips.silent_film])
def test_json_there_and_back(make: Make, tmp_path: Path) -> None:
    known = survey(make(tmp_path))
    values = json.loads(json.dumps(known.to_json()))
    assert values["fps"] == "30"
    assert Survey.from_json(values) == known


@pytest.mark.parametrize(
    ("name", "fps", "coding"),
    [
        ("a.mkv", "30", clips.X264),
        ("a.mkv", "24000/1001", clips.X264),
        ("a.webm", "30000/1001", ("-c:v", "libvpx", "-deadline", "realtime", "-auto-alt-ref", "0")),
        ("a.mp4", "60000/1001", clips.X264),
        ("a.mov", "12", clips.X264),
        ("a.avi", "25", ("-c:v", "mpeg4")),
        ("a.ts", "50", clips.X264),
        ("a.mpg", "24", ("-c:v", "mpeg2video")),
        ("a.flv", "15", clips.X264),
        ("a.mp4", "90", (*clips.X264, "-bf", "3")),
    ],
)
def test_a_constant_rate_is_exact(name: str, fps: str, coding: tuple[str, ...], tmp_path: Path) -> None:
    """In milliseconds too, and where decoding goes another order than showing."""
    known = survey(clips.ffmpeg(tmp_path / name, *clips.picture(96, 64, fps=fps), *coding))
    assert (known.fps, known.variable) == (Fraction(fps), False)
    assert known.duration == pytest.approx(known.frames / Fraction(fps), abs=0.002)


def test_a_variable_rate(tmp_path: Path) -> None:
    known = survey(clips.variable_rate(tmp_path))
    assert (known.fps, known.variable, known.frames) == (Fraction(30), True, 36)


def test_a_rate_beyond_all_screens(tmp_path: Path) -> None:
    known = survey(clips.ffmpeg(tmp_path / "a.mp4", *clips.picture(96, 64, fps="240"), *clips.X264))
    assert (known.fps, known.variable) == (Fraction(120), True)


def test_one_picture_in_many_seconds(tmp_path: Path) -> None:
    known = survey(clips.ffmpeg(tmp_path / "a.mp4", *clips.picture(96, 64, "1/4", 12), *clips.X264))
    assert (known.fps, known.variable, known.frames) == (Fraction(24000, 1001), True, 3)
    assert known.duration == pytest.approx(12)


def test_a_single_picture(tmp_path: Path) -> None:
    known = survey(clips.ffmpeg(tmp_path / "a.mp4", *clips.picture(seconds=0.03), *clips.X264))
    assert (known.fps, known.variable, known.frames) == (Fraction(30), False, 1)
    assert known.duration == pytest.approx(1 / 30, abs=1e-4)


def test_a_tenth_of_a_second(tmp_path: Path) -> None:
    known = survey(clips.tiny(tmp_path))
    assert known.frames == 3
    assert known.duration == pytest.approx(0.1, abs=1e-4)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_phone_held_upright(degrees: int, tmp_path: Path) -> None:
    known = survey(clips.rotated(tmp_path, degrees))
    assert (known.width, known.height, known.rotation, known.mirrored) == (320, 180, degrees, False)


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    known = survey(clips.anamorphic(tmp_path))
    assert (known.width, known.height, known.pixel_aspect) == (240, 180, Fraction(4, 3))


def test_pixels_of_nonsense_are_square(tmp_path: Path) -> None:
    path = clips.ffmpeg(tmp_path / "a.mp4", *clips.picture(), "-vf", "setsar=1/9000", *clips.X264)
    assert survey(path).pixel_aspect == 1


@pytest.mark.parametrize("first", ["top", "bottom"])
@pytest.mark.parametrize(
    ("suffix", "coding"),
    [
        ("mkv", ("-c:v", "libx264", "-x264opts")),
        ("mp4", ("-c:v", "libx264", "-x264opts")),
        ("ts", ("-c:v", "mpeg2video")),
        ("mov", ("-c:v", "prores_ks")),
    ],
)
def test_fields(first: str, suffix: str, coding: tuple[str, ...], tmp_path: Path) -> None:
    order = f"{first[0]}ff"
    options = (f"{order}=1",) if "-x264opts" in coding else ()
    weave = ("-vf", f"interlace=scan={order}", "-flags", "+ildct+ilme")
    path = tmp_path / f"a.{suffix}"
    known = survey(clips.ffmpeg(path, *clips.picture(fps="50", seconds=0.5), *weave, *coding, *options))
    assert known.interlaced == first
    assert known.fps == 25


def test_fields_of_dv(tmp_path: Path) -> None:
    known = survey(clips.ffmpeg(tmp_path / "a.avi", *clips.picture(720, 576, "25", 0.1), "-c:v", "dvvideo"))
    assert known.interlaced == "bottom"


@pytest.mark.parametrize(("make", "kind"), [(clips.hdr_pq, "pq"), (clips.hdr_hlg, "hlg")])
def test_hdr(make: Make, kind: str, tmp_path: Path) -> None:
    known = survey(make(tmp_path))
    assert (known.hdr, known.bits, known.pixel_format) == (kind, 10, "yuv420p10le")
    assert (known.color.matrix, known.color.primaries) == ("bt2020nc", "bt2020")


def test_ten_bits(tmp_path: Path) -> None:
    known = survey(clips.ten_bit(tmp_path))
    assert (known.bits, known.pixel_format, known.hdr) == (10, "yuv422p10le", "")


def test_surround(tmp_path: Path) -> None:
    audio = survey(clips.five_one(tmp_path)).audio
    assert audio is not None
    assert (audio.channels, audio.layout) == (6, "5.1")


def test_no_sound(tmp_path: Path) -> None:
    assert survey(clips.silent_film(tmp_path)).audio is None


def test_sound_that_begins_later(tmp_path: Path) -> None:
    known = survey(clips.late_sound(tmp_path, 0.4))
    assert known.audio is not None
    assert known.audio.start - known.start == pytest.approx(0.4, abs=0.025)  # a frame of AAC earlier: priming


def test_an_edit_list(tmp_path: Path) -> None:
    known = survey(clips.edited(tmp_path))
    assert (known.start, known.frames) == (0.0, 30)
    assert known.duration == pytest.approx(1.0, abs=1e-3)
    assert known.audio is not None
    assert known.audio.start == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("make", [clips.webm, clips.avi])
def test_sound_of_other_codecs(make: Make, tmp_path: Path) -> None:
    known = survey(make(tmp_path))
    assert known.audio is not None
    assert known.audio.start == pytest.approx(0.0, abs=0.002)
    assert known.audio.end == pytest.approx(1.5, abs=0.04)


def test_a_clock_that_begins_anywhere(tmp_path: Path) -> None:
    known = survey(clips.transport_stream(tmp_path))
    assert known.start > 100
    assert known.duration == pytest.approx(1.5, abs=1e-3)
    assert known.audio is not None
    assert known.audio.start == pytest.approx(known.start, abs=0.025)


def test_a_recording_that_begins_between_key_frames(tmp_path: Path) -> None:
    coding = (*clips.X264, "-g", "30", "-x264opts", "repeat-headers=1")
    whole = clips.ffmpeg(tmp_path / "whole.ts", *clips.picture(seconds=3), *coding)
    content = whole.read_bytes()
    path = tmp_path / "part.ts"
    path.write_bytes(content[len(content) // 188 // 2 * 188 :])
    known = survey(path)
    assert 2.3 < known.start < 3.5
    assert known.duration < 1.6


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (clips.sound_only, Unsuitable, "has no picture: it is sound only"),
        (clips.covered_sound, Unsuitable, "only a cover picture"),
        (clips.cut_off, Unreadable, r"is cut off at \d\.\d s of 4\.0 s"),
        (clips.encrypted, Unreadable, "is encrypted"),
    ],
)
def test_what_cannot_be_used(make: Make, error: type[MediaError], said: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=said) as caught:
        survey(make(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.flv"])
def test_cut_off_elsewhere(name: str, tmp_path: Path) -> None:
    coding = ("-c:v", "mpeg4") if name == "a.avi" else clips.X264
    path = clips.ffmpeg(tmp_path / name, *clips.picture(seconds=4), *coding)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Unreadable, match=r"is cut off at [12]\.\d s of 4\.0 s"):
        survey(path)


def test_sound_that_goes_on_is_not_missing_film(tmp_path: Path) -> None:
    """The header of FLV tells the length of the whole file only."""
    path = clips.ffmpeg(tmp_path / "a.flv", *clips.picture(), *clips.tone(4), *clips.X264, *clips.AAC)
    assert survey(path).duration == pytest.approx(1.5, abs=0.01)


def test_pictures_of_noise(tmp_path: Path) -> None:
    path = clips.plain(tmp_path)
    content = path.read_bytes()
    begin = content.index(b"mdat") + 8
    end = content.index(b"moov") - 4
    path.write_bytes(content[:begin] + b"\x55" * (end - begin) + content[end:])
    with pytest.raises(Unreadable, match="its first frames cannot be decoded"):
        survey(path)


@pytest.mark.parametrize(("codec", "said"), [(b"V_MPEG4/ISO/AVC", "a film"), (b"A_AAC", "sound")])
def test_codecs_that_nobody_knows(codec: bytes, said: str, tmp_path: Path) -> None:
    path = clips.ffmpeg(tmp_path / "a.mkv", *clips.picture(), *clips.tone(), *clips.X264, *clips.AAC)
    path.write_bytes(path.read_bytes().replace(codec, codec[:-3] + b"XXX"))
    with pytest.raises(Unreadable, match=f"has {said} in a codec that cannot be decoded"):
        survey(path)


def test_no_frames(tmp_path: Path) -> None:
    path = clips.ffmpeg(tmp_path / "a.mp4", *clips.picture(), *clips.X264, "-movflags", "+faststart")
    path.write_bytes(path.read_bytes().partition(b"mdat")[0] + b"mdat")
    with pytest.raises(Unreadable, match="has no frames in it"):
        survey(path)


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PIXELS", 320 * 180 - 1)
    with pytest.raises(Unsuitable, match="is too large: 320x180, the limit is 57599 pixels"):
        survey(clips.silent_film(tmp_path))


def test_not_media(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"\x13\x37" * 5000)
    with pytest.raises(Unreadable):
        survey(path)


def test_stopped(tmp_path: Path) -> None:
    with pytest.raises(FFmpegStopped):
        survey(clips.silent_film(tmp_path), stop=lambda: True)


def test_memory_does_not_grow(tmp_path: Path) -> None:
    """Copied 60 times over: 2700 pictures."""
    short = clips.silent_film(tmp_path)
    path = tmp_path / "long.mp4"
    clips.ffmpeg(path, "-stream_loop", "59", "-i", str(short), "-c", "copy")
    survey(short)
    tracemalloc.start()
    known = survey(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert known.frames == 60 * 45
    assert peak < 200_000


def test_joined_recordings_whose_clock_begins_anew_are_told(tmp_path: Path) -> None:
    one = clips.transport_stream(tmp_path)
    both = tmp_path / "joined.ts"
    both.write_bytes(one.read_bytes() * 2)
    with pytest.raises(Unreadable, match=r"jumps back after 1\.\d s"):
        survey(both)


def test_of_several_sounds_it_is_the_one_that_players_take(tmp_path: Path) -> None:
    clip = clips.plain(tmp_path)
    both = tmp_path / "both.mkv"
    streams = ("-map", "0:v", "-map", "0:a", "-map", "1:a")
    flags = ("-disposition:a:0", "0", "-disposition:a:1", "default", "-c", "copy")
    clips.ffmpeg(both, "-i", str(clip), "-i", str(clip), *streams, *flags)
    track = survey(both).audio
    assert track is not None
    assert track.index == 2


def test_colours_that_cannot_be_converted_are_refused(tmp_path: Path) -> None:
    clip = clips.ffmpeg(
        tmp_path / "strange.mkv", *clips.picture(), "-vf", "setparams=colorspace=ycgco", *clips.X264
    )
    with pytest.raises(Unsuitable, match="matrix 8"):
        survey(clip)
