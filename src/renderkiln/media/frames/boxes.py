"""The boxes of an MP4 file (ISO/IEC 14496-12): enough of them to edit a `moov` without touching the media.

Every size is hostile until proven: a box that ends outside its parent, a file of a million empty boxes or a
`moov` of gigabytes raises `BoxError` before anything is allocated for it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from renderkiln.media.errors import MediaError

MOOV_LIMIT = 256 << 20
BOX_LIMIT = 100_000

# Which children are opened, by parent: nothing else is parsed, so nesting cannot run away.
OPENED: dict[bytes, frozenset[bytes]] = {
    b"moov": frozenset({b"trak"}),
    b"trak": frozenset({b"mdia"}),
    b"mdia": frozenset({b"minf"}),
    b"minf": frozenset({b"stbl"}),
}
CONTAINERS = frozenset({b"moov"}).union(*OPENED.values())


class BoxError(MediaError):
    """The box structure of this MP4 file is damaged."""


@dataclass
class Box:
    """One box: a container with `children`, or a leaf whose `payload` is everything after its header."""

    kind: bytes
    payload: bytes = b""
    children: list[Box] = field(default_factory=list)

    def find(self, *path: bytes) -> Box | None:
        """The first descendant along `path`, None where there is none."""
        if not path:
            return self
        below = (child.find(*path[1:]) for child in self.children if child.kind == path[0])
        return next((box for box in below if box is not None), None)

    def all(self, kind: bytes) -> list[Box]:
        """The children of this kind, in order."""
        return [child for child in self.children if child.kind == kind]


@dataclass(frozen=True)
class Extent:
    """Where a top-level box lies in the file: `start` and `end` in bytes, header included."""

    kind: bytes
    start: int
    header: int
    end: int


def serialise(box: Box) -> bytes:
    """The box as bytes, with a 64-bit size only where 32 bits do not hold it."""
    body = b"".join(map(serialise, box.children)) if box.kind in CONTAINERS else box.payload
    if len(body) + 8 > 0xFFFFFFFF:
        return struct.pack(">I4sQ", 1, box.kind, len(body) + 16) + body
    return struct.pack(">I4s", len(body) + 8, box.kind) + body


def full(kind: bytes, payload: bytes) -> bytes:
    """The bytes of a FullBox, version 0 and flags 0."""
    return serialise(Box(kind, bytes(4) + payload))


def split(data: memoryview, where: str) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and payload of each box in `data`, which they must fill exactly.

    Raises BoxError naming `where`. Size 0 ("to the end of the file") is legal at the top level only, so here
    it is damage.
    """
    at = 0
    while at < len(data):
        size, header, kind = _header(bytes(data[at : at + 16]), where)
        if size < header or at + size > len(data):
            raise BoxError(f"box {_name(kind)} in {where} claims {size} bytes, {len(data) - at} are there")
        yield kind, data[at + header : at + size]
        at += size


def parse(data: bytes, kind: bytes = b"moov") -> Box:
    """The tree of one container's payload. Raises BoxError."""
    budget = [BOX_LIMIT]
    return _open(kind, memoryview(data), budget)


def _open(kind: bytes, data: memoryview, budget: list[int]) -> Box:
    box = Box(kind)
    for child, payload in split(data, _name(kind)):
        budget[0] -= 1
        if budget[0] < 0:
            raise BoxError(f"more than {BOX_LIMIT} boxes in moov")
        opened = child in OPENED.get(kind, ())
        box.children.append(_open(child, payload, budget) if opened else Box(child, bytes(payload)))
    return box


def _header(head: bytes, where: str) -> tuple[int, int, bytes]:
    """Size (0: to the end), header length and kind."""
    if len(head) < 8:
        raise BoxError(f"{len(head)} stray bytes at the end of {where}")
    size, kind = struct.unpack_from(">I4s", head)
    if size != 1:
        return size, 8, kind
    if len(head) < 16:
        raise BoxError(f"box {_name(kind)} in {where} is cut off in its header")
    return struct.unpack_from(">Q", head, 8)[0], 16, kind


def _name(kind: bytes) -> str:
    """A box kind fit for an error message, whatever bytes it is made of."""
    return ascii(kind.decode("latin-1"))[1:-1]


def top_level(file: BinaryIO) -> list[Extent]:
    """Every top-level box of the file, in order. Raises BoxError where they do not fill it exactly."""
    length = os.fstat(file.fileno()).st_size
    found: list[Extent] = []
    at = 0
    while at < length:
        file.seek(at)
        size, header, kind = _header(file.read(16), "the file")
        end = at + size if size else length
        if end < at + header or end > length:
            raise BoxError(
                f"box {_name(kind)} at byte {at} ends at {end}, the file at {length}: it is cut off"
            )
        if len(found) == BOX_LIMIT:
            raise BoxError(f"more than {BOX_LIMIT} boxes in the file")
        found.append(Extent(kind, at, header, end))
        at = end
    return found


def read_moov(file: BinaryIO, extents: list[Extent]) -> tuple[Box, Extent]:
    """The one `moov` as a tree, and where it lies. Raises BoxError when there is none, or it is too large."""
    moovs = [extent for extent in extents if extent.kind == b"moov"]
    if len(moovs) != 1:
        raise BoxError(f"expected one moov box, found {len(moovs)}: this is not a complete MP4 file")
    size = moovs[0].end - moovs[0].start
    if size > MOOV_LIMIT:
        raise BoxError(f"its moov box has {size >> 20} MiB, the limit is {MOOV_LIMIT >> 20}")
    file.seek(moovs[0].start + moovs[0].header)
    return parse(file.read(size - moovs[0].header)), moovs[0]
