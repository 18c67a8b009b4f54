"""Pictures made plain, against colours, edges and positions that are known."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
import pytest

import clips
from renderkiln.media.probe import probe
from renderkiln.media.video.plain import plain, size
from renderkiln.media.video.survey import Survey, survey

pytestmark = pytest.mark.integration

Array = npt.NDArray[np.float64]
Planes = npt.NDArray[np.uint8]  # Y, Cb, Cr of one frame at full size: (3, height, width)

KR_KB = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
STALE = {"DISPLAYMATRIX", "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}
TAGS = {"range": "tv", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}
BARS: Array = np.array(
    [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1), (0, 0, 0), (0.5, 0.3, 0.2)]
)
TO_2020 = np.array(  # BT.2087, linear light
    [(0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956)]
)


def codes(rgb: Array, matrix: str = "bt709", range_: str = "tv", bits: int = 8) -> Array:
    """Code values (n, 3) of Y, Cb, Cr by the formulas of BT.601, BT.709 and BT.2020; not rounded."""
    kr, kb = KR_KB[matrix]
    red, green, blue = rgb.T
    y = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - y) / (2 - 2 * kb), (red - y) / (2 - 2 * kr)
    if range_ == "pc":
        top = 2**bits - 1
        return np.stack([y * top, cb * top + 2 ** (bits - 1), cr * top + 2 ** (bits - 1)], axis=1)
    return 2.0 ** (bits - 8) * np.stack([16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr], axis=1)


def bars(output: Path, values: Array, pixels: str, tags: str, *, width: int = 32, height: int = 64) -> Path:
    """A lossless film of vertical bars with these code values; `pixels` is a planar YUV format."""
    values = np.minimum(np.round(values), 255 if pixels.endswith("p") else 65535)  # blue's Cb is 255.5
    samples = np.repeat(values.T[:, None, :], width, axis=2).repeat(height, axis=1)
    down, across = (2 if "420" in pixels else 1), (1 if "444" in pixels else 2)
    kind = "<u2" if pixels.endswith("le") else "u1"
    planes = [samples[0], samples[1, ::down, ::across], samples[2, ::down, ::across]]
    raw = b"".join(plane.astype(kind).tobytes() for plane in planes)
    source = ("-f", "rawvideo", "-pix_fmt", pixels, "-video_size", f"{samples.shape[2]}x{height}")
    reach = (
        "pc" if "range=pc" in tags else "tv"
    )  # told to the encoder too, or FFmpeg converts to what it likes
    coding = ("-vf", f"setparams={tags}", "-c:v", "ffv1", "-color_range", reach)
    return clips.ffmpeg(output, *source, "-i", "pipe:0", *coding, stdin=raw * 2)


def made_plain(path: Path, known: Survey | None = None, **wanted: int) -> list[Planes]:
    """Every frame through the filters, as a player would see the plain film: its tags are checked too."""
    known = known or survey(path)
    filters = ("-vf", ",".join(plain(known, **wanted))) if plain(known, **wanted) else ()
    passing = ("-fps_mode", "passthrough", "-c:v", "ffv1", "-an")
    output = clips.ffmpeg(path.with_name("out.mkv"), "-noautorotate", "-i", str(path), *filters, *passing)
    stream = probe(output).video
    assert stream is not None
    assert (stream.pixel_format, dict(stream.color)) == ("yuv420p", TAGS)
    with av.open(output) as container:
        assert container.streams.video[0].sample_aspect_ratio in (None, 0, 1)
        frames = list(container.decode(video=0))
    assert not {data.type.name for data in cast("Any", frames[0].side_data)} & STALE
    return [planes(frame) for frame in frames]


def planes(frame: av.VideoFrame) -> Planes:
    full = []
    for plane, step in zip(frame.planes, (1, 2, 2), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:, : plane.width]
        full.append(rows.repeat(step, axis=0).repeat(step, axis=1)[: frame.height, : frame.width])
    return np.stack(full)


def of_bars(picture: Planes, count: int) -> Array:
    """Code values (n, 3) in the middle of each of `count` bars."""
    middle = picture.shape[2] // count
    return picture[:, picture.shape[1] // 2, middle // 2 :: middle].T.astype(np.float64)


@pytest.mark.parametrize(
    ("matrix", "range_", "pixels"),
    [
        ("smpte170m", "tv", "yuv420p"),
        ("smpte170m", "pc", "yuv420p"),
        ("bt709", "pc", "yuv420p"),
        ("bt709", "pc", "yuvj420p"),
        ("bt709", "tv", "yuv444p10le"),
        ("bt709", "tv", "yuv422p"),
        ("bt2020nc", "tv", "yuv422p10le"),
        ("smpte170m", "tv", "yuv444p16le"),
    ],
)
def test_colours_of_the_matrix_the_range_and_the_format(
    matrix: str, range_: str, pixels: str, tmp_path: Path
) -> None:
    bits = int(pixels.rpartition("p")[2].removesuffix("le") or 8)
    tags = f"range={range_}:colorspace={matrix}:color_primaries=bt709:color_trc=bt709"
    path = bars(tmp_path / "bars.mkv", codes(BARS, matrix, range_, bits), pixels, tags)
    color = survey(path).color
    assert (color.matrix, color.range) == (matrix, range_)
    picture = made_plain(path)[0]
    assert np.abs(of_bars(picture, len(BARS)) - codes(BARS)).max() <= 1.5


def test_colours_of_rgb(tmp_path: Path) -> None:
    image = np.round(BARS * 255).astype(np.uint8)[None].repeat(64, axis=0).repeat(32, axis=1)
    path = clips.still(tmp_path / "rgb.mkv", image, "-c:v", "ffv1", "-pix_fmt", "gbrp")
    assert survey(path).color.matrix == "gbr"
    assert np.abs(of_bars(made_plain(path)[0], len(BARS)) - codes(BARS)).max() <= 1.5


def test_colours_of_wide_primaries(tmp_path: Path) -> None:
    """SDR in BT.2020, by the display's curve (BT.1886, a power of 2.4).

    A little pale: where a primary is 0, rounding to 10 bits alone moves it by several code values.
    """
    pale = 0.1 + 0.8 * BARS
    wide = (pale**2.4 @ TO_2020.T) ** (1 / 2.4)
    tags = "range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc=bt2020-10"
    path = bars(tmp_path / "wide.mkv", codes(wide, "bt2020nc", bits=10), "yuv420p10le", tags)
    assert survey(path).hdr == ""
    assert np.abs(of_bars(made_plain(path)[0], len(BARS)) - codes(pale)).max() <= 2


@pytest.mark.parametrize(("height", "matrix"), [(64, "smpte170m"), (720, "bt709")])
def test_untagged_colours_are_guessed(height: int, matrix: str, tmp_path: Path) -> None:
    path = bars(tmp_path / "a.mkv", codes(BARS, matrix), "yuv420p", "range=unspecified", height=height)
    assert np.abs(of_bars(made_plain(path)[0], len(BARS)) - codes(BARS)).max() <= 1.5


NITS = np.array([0, 1, 5, 10, 26, 50, 100, 203, 400, 600, 1000])


def pq(nits: Array) -> Array:
    """The signal 0 … 1 of SMPTE ST 2084."""
    y = (nits / 10_000) ** (2610 / 16384)
    return np.asarray(((3424 / 4096 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32))


def hlg(nits: Array) -> Array:
    """The signal 0 … 1 of BT.2100's HLG on a display of 1000 nit."""
    e = (nits / 1000) ** (1 / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(e <= 1 / 12, np.sqrt(3 * e), a * np.log(np.maximum(12 * e - b, 1e-9)) + c)


@pytest.mark.parametrize(("transfer", "curve"), [("smpte2084", pq), ("arib-std-b67", hlg)])
def test_hdr_is_well_exposed(transfer: str, curve: Callable[[Array], Array], tmp_path: Path) -> None:
    tags = f"range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}"
    grey = curve(NITS)[:, None].repeat(3, axis=1)
    red = curve(np.array([(100, 0, 0), (150, 0, 0)]) @ TO_2020.T)  # in BT.709, one of the brightest
    path = bars(tmp_path / "a.mkv", codes(np.vstack([grey, red]), "bt2020nc", bits=10), "yuv420p10le", tags)
    got = of_bars(made_plain(path)[0], len(NITS) + 2)
    ramp, reds = got[: len(NITS)], got[len(NITS) :]
    assert np.abs(ramp[:, 1:] - 128).max() <= 1
    assert (np.diff(ramp[:, 0]) > 0).all()
    luma = dict(zip(NITS, ramp[:, 0], strict=True))
    assert luma[0] == pytest.approx(16, abs=1)
    assert 170 < luma[100] < luma[203] < 225
    assert luma[203] > 200
    assert luma[1000] == pytest.approx(235, abs=2)
    hue = np.arctan2(reds[:, 2] - 128, reds[:, 1] - 128)
    pure = codes(np.array([(1.0, 0, 0)]))[0]
    assert np.degrees(np.abs(hue - np.arctan2(pure[2] - 128, pure[1] - 128))).max() < 3
    assert reds[1, 0] > reds[0, 0]  # not clipped


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_it_stands_upright(degrees: int, tmp_path: Path) -> None:
    upright = clips.corners(96, 64)
    stored = np.ascontiguousarray(np.rot90(upright, degrees // 90))  # counter-clockwise
    lying = clips.still(
        tmp_path / "a.mkv", stored, "-vf", f"scale=out_color_matrix=bt709,{clips.BT709}", *clips.X264
    )
    output = tmp_path / "b.mov"
    clips.ffmpeg(output, "-display_rotation", str(-degrees), "-i", str(lying), "-c", "copy")
    known = survey(output)
    assert (known.rotation, known.mirrored, size(known)) == (degrees, False, (96, 64))
    picture = made_plain(output, known)[0]
    quarters = picture[:, 16::32, 24::48].reshape(3, 4).T
    assert np.abs(quarters - codes(np.array(clips.CORNERS) / 255)).max() <= 6


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_mirrored(degrees: int, tmp_path: Path) -> None:
    """As FFmpeg itself would show it."""
    filters = f"scale=out_color_matrix=bt709,{clips.BT709}"
    lying = clips.still(tmp_path / "a.mkv", clips.corners(96, 64), "-vf", filters, *clips.X264)
    output = tmp_path / "b.mov"
    turn = ("-display_rotation", str(degrees), "-display_hflip")
    clips.ffmpeg(output, *turn, "-i", str(lying), "-c", "copy")
    itself = clips.ffmpeg(tmp_path / "c.mkv", "-i", str(output), "-c:v", "ffv1")
    with av.open(itself) as container:
        expected = planes(next(container.decode(video=0)))
    known = survey(output)
    picture = made_plain(output, known)[0]
    assert known.mirrored
    assert picture.shape == expected.shape
    assert (picture == expected).all()


@pytest.mark.parametrize("first", ["top", "bottom"])
def test_deinterlaced(first: str, tmp_path: Path) -> None:
    """A bar that moves 4 pixels a field: in every frame it is where the first field has it, and straight."""
    bar = "color=black:size=320x180:rate=50:duration=0.6[b];color=white:size=24x180:rate=50[w]"
    source = f"{bar};[b][w]overlay=x='20+4*n':eval=frame:shortest=1,format=yuv420p"
    order = f"{first[0]}ff"
    weave = f"interlace=scan={order}:lowpass=0,{clips.BT709}"
    coding = ("-c:v", "libx264", "-qp", "4", "-flags", "+ildct+ilme", "-x264opts", f"{order}=1")
    path = tmp_path / "a.mkv"
    clips.ffmpeg(path, "-f", "lavfi", "-i", source, "-vf", weave, "-pix_fmt", "yuv420p", *coding)
    known = survey(path)
    assert known.interlaced == first
    with av.open(path) as container:
        stored = [planes(frame)[0] > 125 for frame in container.decode(video=0)]
    for woven, picture in list(zip(stored, made_plain(path, known), strict=True))[2:-2]:
        lefts = np.argmax(woven, axis=1)
        assert np.ptp(lefts) == 4
        assert lefts[0 if first == "top" else 1] == lefts.min()
        straight = picture[0] > 125
        assert np.abs(np.argmax(straight, axis=1) - lefts.min()).max() <= 1
        assert np.abs(straight.sum(axis=1) - 24).max() <= 2


def test_odd_sizes_lose_a_line_and_nothing_else(tmp_path: Path) -> None:
    path = clips.odd(tmp_path)
    with av.open(path) as container:
        stored = planes(next(container.decode(video=0)))
    known = survey(path)
    assert (stored.shape, size(known)) == ((3, 181, 321), (320, 180))
    assert plain(known) == ["crop=320:180:0:0"]
    assert (made_plain(path, known)[0] == stored[:, :180, :320]).all()


@pytest.mark.parametrize(
    ("stored", "aspect", "shown"), [((240, 180), "4/3", (320, 180)), ((180, 160), "8/9", (180, 180))]
)
def test_pixels_become_square(
    stored: tuple[int, int], aspect: str, shown: tuple[int, int], tmp_path: Path
) -> None:
    filters = f"scale=out_color_matrix=bt709,setsar={aspect},{clips.BT709}"
    path = clips.still(tmp_path / "a.mp4", clips.corners(*stored), "-vf", filters, *clips.X264)
    known = survey(path)
    assert known.pixel_aspect == Fraction(aspect)
    assert size(known) == shown
    assert made_plain(path, known)[0].shape == (3, shown[1], shown[0])


def test_a_size_that_is_asked_for(tmp_path: Path) -> None:
    path = clips.rotated(tmp_path)
    assert made_plain(path, width=120, height=160)[0].shape == (3, 160, 120)
    assert made_plain(clips.hdr_pq(tmp_path), width=160, height=90)[0].shape == (3, 90, 160)


@pytest.mark.parametrize("make", [clips.plain, clips.portrait, clips.variable_rate, clips.webm])
def test_nothing_is_done_to_what_is_plain(make: Callable[[Path], Path], tmp_path: Path) -> None:
    assert plain(survey(make(tmp_path))) == []
