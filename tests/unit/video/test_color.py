from __future__ import annotations

import pytest

from renderkiln.media.video.color import Color, resolve


@pytest.mark.parametrize(
    ("width", "height", "family"),
    [
        (1920, 1080, "bt709"),
        (1280, 536, "bt709"),
        (720, 1280, "bt709"),
        (720, 576, "bt470bg"),
        (720, 480, "smpte170m"),
    ],
)
def test_what_is_untagged_is_guessed_by_size(width: int, height: int, family: str) -> None:
    color = resolve({}, width=width, height=height, pixel_format="yuv420p")
    assert (color.matrix, color.range, color.primaries) == (family, "tv", family)


def test_tags_are_believed() -> None:
    tags = {"range": "pc", "space": "smpte170m", "primaries": "bt709", "transfer": "iec61966-2-1"}
    color = resolve(tags, width=1920, height=1080, pixel_format="yuv420p")
    assert color == Color("smpte170m", "pc", "bt709", "iec61966-2-1")


@pytest.mark.parametrize(("transfer", "kind"), [("smpte2084", "pq"), ("arib-std-b67", "hlg")])
def test_hdr_is_wide(transfer: str, kind: str) -> None:
    color = resolve({"transfer": transfer}, width=640, height=360, pixel_format="yuv420p10le")
    assert (color.hdr, color.matrix, color.primaries) == (kind, "bt2020nc", "bt2020")


@pytest.mark.parametrize("pixel_format", ["gbrp", "rgb24", "bgr0", "pal8"])
def test_rgb(pixel_format: str) -> None:
    color = resolve({"space": "bt709", "range": "tv"}, width=640, height=360, pixel_format=pixel_format)
    assert (color.matrix, color.range) == ("gbr", "pc")


def test_yuv_that_says_it_is_rgb() -> None:
    assert resolve({"space": "gbr"}, width=640, height=360, pixel_format="yuv444p").matrix == "smpte170m"


def test_the_full_range_formats() -> None:
    assert resolve({}, width=640, height=360, pixel_format="yuvj420p").range == "pc"
