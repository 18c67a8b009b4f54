from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest

from renderkiln.media.ffmpeg import command
from renderkiln.media.ffmpeg.command import Codec, Quality

OUT = Path("out.mp4")
HOSTILE = ["-y.mp4", "a:b.mp4", "%d.mp4", "pipe:1", "concat:a|b", "new\nline.mp4", "😀 'q\".mp4", "http://x"]


def encode(
    codec: Codec = "h264", quality: Quality = "balanced", fps: Fraction = Fraction(30)
) -> tuple[str, ...]:
    return command.encode_frames(
        width=1920, height=1080, fps=fps, codec=codec, quality=quality, output=OUT
    ).args


@pytest.mark.parametrize("codec", get_args(Codec))
@pytest.mark.parametrize("quality", get_args(Quality))
def test_the_same_encoding_everywhere(codec: Codec, quality: Quality) -> None:
    args = encode(codec, quality)
    before, after = args[: args.index("-i")], args[args.index("-i") :]
    for side in (before, after):
        for tag in ("-color_range", "-colorspace", "-color_primaries", "-color_trc"):
            assert side[side.index(tag) + 1] in ("tv", "bt709")
    assert after[after.index("-g") + 1] == "60"


@pytest.mark.parametrize(
    ("fps", "gop"), [(Fraction(24), "48"), (Fraction(30000, 1001), "60"), (Fraction(1, 4), "1")]
)
def test_a_gop_is_two_seconds(fps: Fraction, gop: str) -> None:
    args = encode(fps=fps)
    assert args[args.index("-g") + 1] == gop


def test_threads_do_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    before = encode()
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert encode() == before


@pytest.mark.parametrize("name", HOSTILE)
def test_names_mean_nothing_to_ffmpeg(name: str) -> None:
    commands = [
        command.copy_audio(source=Path(name), output=Path(name)),
        command.encode_audio(rate=48000, output=Path(name)),
        command.concat_and_mux(segments=Path(name), audio=Path(name), output=Path(name)),
    ]
    for args in (built.args for built in commands):
        assert name not in args
        assert f"file:{Path(name)}" in args


def test_tags_are_single_arguments() -> None:
    value = 'a=b\n"c" ; -y %d 😀'
    args = command.concat_and_mux(segments=Path("l"), output=OUT, metadata={"title": value}).args
    assert args[args.index("-metadata") + 1] == f"title={value}"


def test_a_list_of_segments() -> None:
    assert command.concat_list(["a_0.mp4", "b-1.mp4"]) == "ffconcat version 1.0\nfile a_0.mp4\nfile b-1.mp4\n"


@pytest.mark.parametrize(
    "name", ["../a.mp4", "/a.mp4", "a b.mp4", "a'.mp4", "a\nfile b", "", "é.mp4", "a\\b"]
)
def test_a_list_takes_plain_names_only(name: str) -> None:
    with pytest.raises(ValueError, match="segment names"):
        command.concat_list([name])


def test_a_cover_is_jpeg_or_png() -> None:
    with pytest.raises(ValueError, match="cover"):
        command.concat_and_mux(segments=Path("l"), output=OUT, cover=Path("c.svg"))


@pytest.mark.parametrize(
    "unsafe", ["concat", "hls", "dash", "image2", "lavfi", "sdp", "tty", "rtsp", "srt", "ass"]
)
def test_demuxers_that_open_other_things_are_not_allowed(unsafe: str) -> None:
    assert unsafe not in command.DEMUXERS.split(",")
