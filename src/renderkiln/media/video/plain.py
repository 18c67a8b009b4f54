"""Which filters make any picture a plain one: upright, progressive, square pixels, 8 bits, BT.709."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from renderkiln.media.video.survey import Survey

TAGS: Final = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"

_PLAIN_TAGS: Final = {"range": "tv", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}
_TURNS: Final[Mapping[tuple[int, bool], tuple[str, ...]]] = {
    (0, False): (),
    (90, False): ("transpose=clock",),
    (180, False): ("hflip", "vflip"),
    (270, False): ("transpose=cclock",),
    (0, True): ("hflip",),
    (90, True): ("transpose=clock_flip",),
    (180, True): ("vflip",),
    (270, True): ("transpose=cclock_flip",),
}

# BT.2408: reference white of HDR is 203 nit. Up to half of it light stays as it is; what is above, up to 1000
# nit, is pressed into the rest so that white is at luma 212 and highlights keep their drawing.
_WHITE: Final = 203
_TONE: Final = f"tonemap=mobius:param=0.5:desat=0:peak={1000 / _WHITE:.3f}"

_WIDE: Final = ("bt2020", "smpte432")  # primaries that differ visibly from BT.709
_ZSCALE_MATRICES: Final = {"smpte170m": "170m", "bt470bg": "470bg", "bt709": "709", "bt2020nc": "2020_ncl"}

# What the filter `colorspace` takes: 0.9 ms a frame of 1080p, where `scale`, by way of RGB, takes 5.4.
_FAST: Final = re.compile(r"yuvj?4(20|22|44)p((10|12)le)?")


def size(survey: Survey) -> tuple[int, int]:
    """Width and height of the plain picture: upright, square pixels, even. Nothing is scaled down for it."""
    width, height = _shown(survey)
    return (height, width) if survey.rotation in (90, 270) else (width, height)


def plain(survey: Survey, *, width: int | None = None, height: int | None = None) -> list[str]:
    """FFmpeg filters, in order, for pictures as decoded under `-noautorotate`; none where none is needed.

    `width` and `height`, both even, are of the upright picture: by default those of `size`.
    """
    upright = size(survey)
    wanted = (width or upright[0], height or upright[1])
    lying = wanted[::-1] if survey.rotation in (90, 270) else wanted
    scaled = lying if lying != _cropped(survey) else None
    return [
        *_progressive(survey),
        *_even(survey),
        *(_by_light(survey, scaled) if _wide(survey) else _by_numbers(survey, scaled)),
        *(("setsar=1",) if scaled or survey.pixel_aspect != 1 else ()),
        *_TURNS[survey.rotation, survey.mirrored],
        *_tagged(survey),
        *_forgotten(survey),
    ]


def _shown(survey: Survey) -> tuple[int, int]:
    """The stored picture without an odd column or row, its pixels made square by widening, never by loss."""
    (width, height), aspect = _cropped(survey), survey.pixel_aspect
    return _even_number(width * max(aspect, Fraction(1))), _even_number(height / min(aspect, Fraction(1)))


def _cropped(survey: Survey) -> tuple[int, int]:
    return max(1, survey.width & ~1), max(1, survey.height & ~1)


def _even_number(length: Fraction) -> int:
    return max(2, 2 * round(length / 2))


def _progressive(survey: Survey) -> list[str]:
    parity = {"top": "tff", "bottom": "bff"}.get(survey.interlaced)
    return [f"bwdif=mode=send_frame:parity={parity}:deint=all"] if parity else []


def _even(survey: Survey) -> list[str]:
    width, height = _cropped(survey)
    return [f"crop={width}:{height}:0:0"] if (width, height) != (survey.width, survey.height) else []


def _by_numbers(survey: Survey, scaled: tuple[int, int] | None) -> list[str]:
    """Another matrix, range or format of nearly the same primaries: arithmetic on the code values."""
    color = survey.color
    sized = [f"{scaled[0]}:{scaled[1]}"] if scaled else []
    if (survey.pixel_format, color.matrix, color.range) == ("yuv420p", "bt709", "tv"):
        return [f"scale={size}" for size in sized]
    if _FAST.fullmatch(survey.pixel_format):
        read = f"ispace={color.matrix}:irange={color.range}:iprimaries=bt709:itrc=bt709"
        convert = f"colorspace={read}:all=bt709:range=tv:format=yuv420p"
        return [convert, *(f"scale={size}" for size in sized)]
    matrix = [] if color.matrix == "gbr" else [f"in_color_matrix={color.matrix}"]
    options = [*sized, *matrix, f"in_range={color.range}", "out_color_matrix=bt709", "out_range=tv"]
    return [f"scale={':'.join(options)}", "format=yuv420p"]


def _by_light(survey: Survey, scaled: tuple[int, int] | None) -> list[str]:
    """Other primaries or HDR: by way of linear light."""
    color = survey.color
    size = f"width={scaled[0]}:height={scaled[1]}:" if scaled else ""
    matrix = _ZSCALE_MATRICES.get(color.matrix, color.matrix)
    reach = {"tv": "limited", "pc": "full"}[color.range]
    transfer = color.transfer if survey.hdr else "bt709"
    read = (
        f"zscale={size}matrixin={matrix}:rangein={reach}:primariesin={color.primaries}:transferin={transfer}"
    )
    write = "primaries=bt709:transfer=bt709:matrix=bt709:range=limited"
    if not survey.hdr:
        return [f"{read}:{write}", "format=yuv420p"]
    linear = f"{read}:transfer=linear:npl={_WHITE}:primaries=bt709"
    return [linear, "format=gbrpf32le", _TONE, f"zscale={write}", "format=yuv420p"]


def _wide(survey: Survey) -> bool:
    return bool(survey.hdr) or survey.color.primaries in _WIDE


def _tagged(survey: Survey) -> list[str]:
    """What was guessed or neglected is said at the end: the primaries of BT.601 are others by a hair."""
    told = survey.info.video.color if survey.info.video else {}
    return [] if _wide(survey) or dict(told) == _PLAIN_TAGS else [TAGS]


def _forgotten(survey: Survey) -> list[str]:
    """Side data that is no longer true. FFmpeg hands it on, and players would turn the picture once more."""
    if survey.hdr:
        return ["sidedata=mode=delete"]  # the light of the mastering display, in many kinds
    turned = bool(survey.rotation or survey.mirrored)
    return ["sidedata=mode=delete:type=DISPLAYMATRIX"] if turned else []
