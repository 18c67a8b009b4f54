"""Reads the gif files that FFmpeg writes, block by block (CompuServe, GIF89a specification, 1990)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

from renderkiln.media.errors import Unreadable

_HEADER = 13  # signature and logical screen descriptor
_EXTENSION, _IMAGE, _TRAILER, _CONTROL = 0x21, 0x2C, 0x3B, 0xF9


@dataclass(frozen=True)
class Picture:
    """One frame as it is stored: where it goes, its colours, and its pixels still compressed.

    `palette` is RGB, three bytes a colour; `control` the flags of the graphic control extension (disposal,
    transparency), `delay` in centiseconds, `transparent` the colour index that leaves a pixel as it is.
    """

    place: bytes  # left, top, width, height: four little-endian 16-bit numbers
    palette: bytes
    control: int
    delay: int
    transparent: int
    data: bytes

    @property
    def changes_nothing(self) -> bool:
        """Whether it is FFmpeg's way to repeat a frame: a single pixel, and that one transparent."""
        single = self.place[4:] == b"\x01\x00\x01\x00"
        return single and bool(self.control & 1) and self.data == _one_pixel(self.data[0], self.transparent)


def pictures(path: Path) -> Iterator[Picture]:
    """The frames of a gif. Raises Unreadable when it ends too early or is none."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        if data[:6] not in (b"GIF87a", b"GIF89a"):
            raise Unreadable(f"{str(path)!r} is not a gif")
        try:
            yield from _pictures(data)
        except IndexError:
            raise Unreadable(f"{str(path)!r} is damaged: the gif has no end") from None


def _pictures(data: mmap) -> Iterator[Picture]:
    at, common = _palette(data, _HEADER, data[10])
    control, delay, transparent = 0, 0, 0
    while data[at] != _TRAILER:
        if data[at] == _EXTENSION:
            if data[at + 1] == _CONTROL:
                control, transparent = data[at + 3], data[at + 6]
                delay = int.from_bytes(data[at + 4 : at + 6], "little")
            at = _after_blocks(data, at + 2)
        elif data[at] == _IMAGE:
            place = data[at + 1 : at + 9]
            start, own = _palette(data, at + 10, data[at + 9])
            at = _after_blocks(data, start + 1)
            yield Picture(place, own or common, control, delay, transparent, data[start:at])
        else:
            raise IndexError


def _palette(data: mmap, at: int, flags: int) -> tuple[int, bytes]:
    """Where the palette that may begin at `at` ends, and its colours."""
    end = at + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    return end, data[at:end]


def _after_blocks(data: mmap, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


def _one_pixel(bits: int, color: int) -> bytes:
    """A picture of one pixel in LZW: the codes clear, `color` and end, low bits first."""
    clear = 1 << bits
    codes = clear | color << (bits + 1) | (clear + 1) << 2 * (bits + 1)
    packed = codes.to_bytes((3 * (bits + 1) + 7) // 8, "little")
    return bytes((bits, len(packed))) + packed + b"\0"
