"""Tells players that an MP4 holds an equirectangular 360° picture, and how its two eyes lie in it.

Both metadata schemes are written, since players differ in which they read:

- V1: RDF/XML in a `uuid` box at the end of the video `trak`. Source: "Spherical Video V1 RFC" (Google,
  spatial-media/docs/spherical-video-rfc.md).
- V2: `st3d` (stereo layout) and `sv3d` (projection) in the visual sample entry, after the codec's own boxes
  and before optional ones; it wins where the two differ. Source: "Spherical Video V2 RFC" (Google,
  spatial-media/docs/spherical-video-v2-rfc.md).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

import numpy as np
import numpy.typing as npt

from renderkiln.media.errors import MediaError
from renderkiln.media.frames.boxes import (
    Box,
    BoxError,
    Extent,
    full,
    parse,
    read_moov,
    serialise,
    split,
    top_level,
)

Stereo = Literal["mono", "top-bottom", "left-right"]
Offsets = npt.NDArray[np.uint64]

SOFTWARE = "Renderkiln"
MODES: tuple[Stereo, ...] = ("mono", "top-bottom", "left-right")  # in the order of st3d's stereo_mode
V1_UUID = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
ENTRIES = frozenset({b"avc1", b"avc3", b"hvc1", b"hev1", b"av01", b"vp09"})
CODEC_CONFIG = frozenset({b"avcC", b"hvcC", b"av1C", b"vpcC"})
VISUAL_FIELDS = 78  # fixed fields of a VisualSampleEntry before its boxes, ISO/IEC 14496-12 § 12.1.3
HDLR_KIND = slice(8, 12)
COPY_BLOCK = 1 << 20


class SphericalError(MediaError):
    """Spherical metadata cannot be written to or read from this file."""


@dataclass(frozen=True)
class SphericalInfo:
    """What a file says about its 360° picture; `v1` and `v2` tell which of the two schemes say so."""

    stereo: Stereo
    v1: bool
    v2: bool


def inject(source: Path, target: Path, *, stereo: Stereo) -> None:
    """Copy `source` to `target` with V1 and V2 metadata on its main video track; the media is untouched.

    Metadata already there is replaced. Memory is bounded by the `moov` box (at most 256 MiB): the media is
    streamed. `target` must not exist; after any error it does not.

    Raises SphericalError (not an MP4, damaged, fragmented, no H.264, HEVC, AV1 or VP9 track, target exists)
    and OSError of writing, such as a full disk.
    """
    with _opened(source) as file:
        try:
            extents = top_level(file)
            moov, extent = read_moov(file, extents)
            _refuse_fragments(moov, extents)
            _mark(_video_track(moov), stereo)
            edited = _relocated(moov, extent)
        except BoxError as error:
            raise SphericalError(f"{source.name!r}: {error}") from error
        _write(file, extents, edited, target)


def read(path: Path) -> SphericalInfo | None:
    """The spherical metadata of the main video track, None where there is none.

    Raises SphericalError when the file is not an MP4 or is damaged.
    """
    with _opened(path) as file:
        try:
            moov, _ = read_moov(file, top_level(file))
            track = _video_track(moov)
            v1, v2 = _read_v1(track), _read_v2(track)
        except BoxError as error:
            raise SphericalError(f"{path.name!r}: {error}") from error
    stereo = v2 or v1
    return SphericalInfo(stereo, v1=v1 is not None, v2=v2 is not None) if stereo else None


def _opened(path: Path) -> BinaryIO:
    if not path.is_file():  # a pipe would block for ever
        raise SphericalError(f"{path.name!r} is not a file")
    try:
        return path.open("rb")
    except OSError as error:
        raise SphericalError(f"{path.name!r} cannot be read: {error.strerror}") from error


def _refuse_fragments(moov: Box, extents: list[Extent]) -> None:
    """Fragments carry absolute offsets of their own that would go stale."""
    if moov.find(b"mvex") or any(extent.kind == b"moof" for extent in extents):
        raise BoxError("a fragmented MP4 cannot be edited: remux it with -movflags +faststart first")


def _video_track(moov: Box) -> Box:
    """The first video track of a codec we know: cover art has a track of its own in some files."""
    for track in moov.all(b"trak"):
        handler = track.find(b"mdia", b"hdlr")
        if handler is None or handler.payload[HDLR_KIND] != b"vide":
            continue
        if any(kind in ENTRIES for kind, _ in _entries(track)):
            return track
    raise BoxError("no H.264, HEVC, AV1 or VP9 video track")


def _stsd(track: Box) -> Box:
    stsd = track.find(b"mdia", b"minf", b"stbl", b"stsd")
    if stsd is None or len(stsd.payload) < 8:
        raise BoxError("a video track has no sample descriptions (stsd)")
    return stsd


def _entries(track: Box) -> list[tuple[bytes, memoryview]]:
    """Kind and payload of each sample entry."""
    return list(split(memoryview(_stsd(track).payload)[8:], "stsd"))


def _entry_boxes(payload: memoryview) -> tuple[list[Box], bytes]:
    """The boxes of a visual sample entry, and the bytes after them (QuickTime ends them with four zeros)."""
    if len(payload) < VISUAL_FIELDS:
        raise BoxError("a video sample entry is cut off")
    boxes, tail = payload[VISUAL_FIELDS:], b""
    if bytes(boxes[-4:]) == bytes(4) and _whole(boxes[:-4]):
        boxes, tail = boxes[:-4], bytes(4)
    return [Box(kind, bytes(body)) for kind, body in split(boxes, "a sample entry")], tail


def _whole(data: memoryview) -> bool:
    try:
        return all(True for _ in split(data, "a sample entry"))
    except BoxError:
        return False


def _mark(track: Box, stereo: Stereo) -> None:
    """Put V1 and V2 on the track, in the place of any that are there."""
    v1 = Box(b"uuid", V1_UUID + _v1_xml(stereo).encode())
    track.children = [child for child in track.children if not _is_v1(child)] + [v1]
    stsd = _stsd(track)
    entries = [
        serialise(Box(kind, _with_v2(payload, stereo) if kind in ENTRIES else bytes(payload)))
        for kind, payload in _entries(track)
    ]
    stsd.payload = stsd.payload[:8] + b"".join(entries)


def _with_v2(payload: memoryview, stereo: Stereo) -> bytes:
    boxes, tail = _entry_boxes(payload)
    codec = [box for box in boxes if box.kind in CODEC_CONFIG]
    rest = [box for box in boxes if box.kind not in CODEC_CONFIG | {b"st3d", b"sv3d"}]
    parts = [*map(serialise, codec), _v2_boxes(stereo), *map(serialise, rest)]
    return bytes(payload[:VISUAL_FIELDS]) + b"".join(parts) + tail


def _v2_boxes(stereo: Stereo) -> bytes:
    """`st3d` and `sv3d`: level pose, and no bounds, since the picture covers the whole sphere."""
    projection = full(b"prhd", struct.pack(">3i", 0, 0, 0)) + full(b"equi", struct.pack(">4I", 0, 0, 0, 0))
    sphere = full(b"svhd", SOFTWARE.encode() + b"\0") + serialise(Box(b"proj", projection))
    return full(b"st3d", bytes([MODES.index(stereo)])) + serialise(Box(b"sv3d", sphere))


def _v1_xml(stereo: Stereo) -> str:
    layout = "" if stereo == "mono" else f"<GSpherical:StereoMode>{stereo}</GSpherical:StereoMode>"
    return (
        '<?xml version="1.0"?><rdf:SphericalVideo '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:GSpherical="http://ns.google.com/videos/1.0/spherical/">'
        "<GSpherical:Spherical>true</GSpherical:Spherical>"
        "<GSpherical:Stitched>true</GSpherical:Stitched>"
        f"<GSpherical:StitchingSoftware>{SOFTWARE}</GSpherical:StitchingSoftware>"
        "<GSpherical:ProjectionType>equirectangular</GSpherical:ProjectionType>"
        f"{layout}</rdf:SphericalVideo>"
    )


def _is_v1(box: Box) -> bool:
    return box.kind == b"uuid" and box.payload.startswith(V1_UUID)


def _read_v1(track: Box) -> Stereo | None:
    """The stereo layout that V1 names. Searched as text: an XML parser would trust a stranger's document."""
    for box in filter(_is_v1, track.children):
        text = box.payload[len(V1_UUID) :].decode("utf-8", "replace")
        tags = dict(re.findall(r"<GSpherical:(\w{1,40})>\s*([\w-]{1,40})\s*<", text))
        if tags.get("Spherical") == "true" and tags.get("ProjectionType") == "equirectangular":
            layout = tags.get("StereoMode", "mono")
            return cast("Stereo", layout) if layout in MODES else "mono"
    return None


def _read_v2(track: Box) -> Stereo | None:
    kind_payload = next((payload for kind, payload in _entries(track) if kind in ENTRIES), memoryview(b""))
    boxes, _ = _entry_boxes(kind_payload)
    sphere = next((parse(box.payload, b"sv3d") for box in boxes if box.kind == b"sv3d"), None)
    projection = sphere.find(b"proj") if sphere else None
    if projection is None or not parse(projection.payload, b"proj").find(b"equi"):
        return None
    mode = next((box.payload[4:5] for box in boxes if box.kind == b"st3d"), b"\0")
    return MODES[mode[0]] if mode and mode[0] < len(MODES) else "mono"


def _relocated(moov: Box, extent: Extent) -> bytes:
    """The edited `moov` as bytes, its chunk offsets moved by as much as it pushes the media back.

    Only media behind the `moov` moves. Where an offset no longer fits 32 bits, all tables become `co64`.
    """
    tables = [(box, _chunk_offsets(box)) for box in _chunk_tables(moov)]
    for wide in (False, True):
        for box, offsets in tables:
            _store(box, offsets, wide=wide)
        grown = len(serialise(moov)) - (extent.end - extent.start)
        moved = [(box, _moved(offsets, extent.end, grown)) for box, offsets in tables]
        if not any(_overflows(box, offsets) for box, offsets in moved):
            break
    for box, offsets in moved:
        _store(box, offsets, wide=wide)
    return serialise(moov)


def _chunk_tables(moov: Box) -> list[Box]:
    """Every box of absolute chunk offsets: `stco` (32-bit) and `co64` (64-bit)."""
    tables = []
    for track in moov.all(b"trak"):
        samples = track.find(b"mdia", b"minf", b"stbl") or Box(b"stbl")
        if samples.find(b"saio"):
            raise BoxError("an encrypted MP4 cannot be edited")
        tables += samples.all(b"stco") + samples.all(b"co64")
    return tables


def _offset_type(box: Box) -> np.dtype[np.unsignedinteger]:
    return np.dtype(">u4" if box.kind == b"stco" else ">u8")


def _chunk_offsets(box: Box) -> Offsets:
    kind = _offset_type(box)
    count = int.from_bytes(box.payload[4:8], "big")
    if len(box.payload) != 8 + count * kind.itemsize:
        raise BoxError(f"a chunk offset table claims {count} entries and does not hold them")
    return np.frombuffer(box.payload, kind, offset=8).astype(np.uint64)


def _store(box: Box, offsets: Offsets, *, wide: bool) -> None:
    box.kind = b"co64" if wide else box.kind
    box.payload = box.payload[:8] + offsets.astype(_offset_type(box)).tobytes()


def _moved(offsets: Offsets, border: int, by: int) -> Offsets:
    behind = offsets >= np.uint64(border)
    return np.where(behind, offsets + np.uint64(by % (1 << 64)), offsets)  # modulo 2**64 a shrink adds too


def _overflows(box: Box, offsets: Offsets) -> bool:
    return box.kind == b"stco" and bool(np.any(offsets > np.uint64(0xFFFFFFFF)))


def _write(file: BinaryIO, extents: list[Extent], moov: bytes, target: Path) -> None:
    try:
        output = target.open("xb")
    except FileExistsError as error:
        raise SphericalError(f"{target.name!r} exists already; it is not overwritten") from error
    try:
        with output:
            for extent in extents:
                if extent.kind == b"moov":
                    output.write(moov)
                else:
                    _copy(file, extent, output)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _copy(file: BinaryIO, extent: Extent, output: BinaryIO) -> None:
    """Copy one box, in blocks: media is larger than memory."""
    file.seek(extent.start)
    left = extent.end - extent.start
    while left:
        block = file.read(min(left, COPY_BLOCK))
        if not block:
            raise SphericalError(f"{Path(file.name).name!r} became shorter while it was copied")
        output.write(block)
        left -= len(block)
