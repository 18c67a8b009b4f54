"""Joins gifs into one that keeps the palette of each; nothing is encoded again.

FFmpeg's own joining drops every palette but the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from renderkiln.media.gif.blocks import Picture, pictures
from renderkiln.media.gif.rate import LONGEST

_FOR_EVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"


@dataclass(frozen=True)
class Piece:
    """A gif to join, and how long each of its frames is shown, in centiseconds."""

    path: Path
    delays: Sequence[int]


def join(pieces: Sequence[Piece], output: Path, width: int, height: int) -> int:
    """Write one gif that shows all pieces one after the other, for ever; the number of its pictures.

    Frames that change nothing are not stored: the picture before them is shown the longer. Raises Unreadable
    for a damaged piece, ValueError when a piece has another number of frames than delays.
    """
    common = _common_palette(pieces)
    count = 0
    with output.open("wb") as file:
        size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
        file.write(b"GIF89a" + size + bytes((0x80 | _size_code(common), 0, 0)) + common + _FOR_EVER)
        for piece in pieces:
            for picture in _shown(piece):
                file.write(_stored(picture, common))
                count += 1
        file.write(b"\x3b")
    return count


def _common_palette(pieces: Sequence[Piece]) -> bytes:
    """The palette of the piece with the most pictures: theirs need not repeat it, 768 bytes each."""
    return next(pictures(max(pieces, key=lambda piece: sum(1 for _ in _shown(piece))).path)).palette


def _shown(piece: Piece) -> Iterator[Picture]:
    """The pictures of a piece with their delays, without those that change nothing."""
    last: Picture | None = None
    for picture, delay in zip(pictures(piece.path), piece.delays, strict=True):
        if last is not None and picture.changes_nothing and last.delay + delay <= LONGEST:
            last = replace(last, delay=last.delay + delay)
            continue
        if last is not None:
            yield last
        last = replace(picture, delay=delay)
    if last is not None:
        yield last


def _stored(picture: Picture, common: bytes) -> bytes:
    control = bytes((0x21, 0xF9, 4, picture.control)) + picture.delay.to_bytes(2, "little")
    own = b"" if picture.palette == common else picture.palette
    flags = 0x80 | _size_code(own) if own else 0
    head = control + bytes((picture.transparent, 0, 0x2C)) + picture.place + bytes((flags,))
    return head + own + picture.data


def _size_code(palette: bytes) -> int:
    return (len(palette) // 3).bit_length() - 2
