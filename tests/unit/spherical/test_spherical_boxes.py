"""Spherical metadata on byte-built files: what moves, what stays, and what damage is refused."""

from __future__ import annotations

import os
import resource
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.frames import boxes, spherical
from renderkiln.media.frames.boxes import Box
from renderkiln.media.frames.spherical import SphericalError, SphericalInfo


def box(kind: bytes, payload: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def box64(kind: bytes, payload: bytes = b"") -> bytes:
    return struct.pack(">I4sQ", 1, kind, 16 + len(payload)) + payload


def entry(kind: bytes = b"avc1", *boxes: bytes) -> bytes:
    return box(kind, bytes(78) + b"".join(boxes or (box(b"avcC", b"config"), box(b"pasp", bytes(8)))))


def stco(*offsets: int) -> bytes:
    return box(b"stco", struct.pack(f">II{len(offsets)}I", 0, len(offsets), *offsets))


def co64(*offsets: int) -> bytes:
    return box(b"co64", struct.pack(f">II{len(offsets)}Q", 0, len(offsets), *offsets))


def stsd(*entries: bytes) -> bytes:
    return box(b"stsd", struct.pack(">II", 0, len(entries)) + b"".join(entries))


def trak(*tables: bytes, handler: bytes = b"vide", entries: tuple[bytes, ...] | None = None) -> bytes:
    stbl = box(b"stbl", stsd(*(entries if entries is not None else (entry(),))) + b"".join(tables))
    hdlr = box(b"hdlr", bytes(8) + handler + bytes(13))
    return box(b"trak", box(b"tkhd", bytes(84)) + box(b"mdia", hdlr + box(b"minf", stbl)))


def moov(*traks: bytes) -> bytes:
    return box(b"moov", box(b"mvhd", bytes(100)) + b"".join(traks or (trak(stco(1000)),)))


FTYP = box(b"ftyp", b"isom" + bytes(4))
MDAT = box(b"mdat", bytes(range(200)))


TOP_BOTTOM = SphericalInfo("top-bottom", v1=True, v2=True)


def inject(data: bytes, folder: Path, stereo: spherical.Stereo = "top-bottom") -> bytes:
    source, target = folder / "source.mp4", folder / "target.mp4"
    source.write_bytes(data)
    target.unlink(missing_ok=True)
    try:
        spherical.inject(source, target, stereo=stereo)
    except BaseException:
        assert not target.exists()
        raise
    assert spherical.read(target) == SphericalInfo(stereo, v1=True, v2=True)
    return target.read_bytes()


def offsets(data: bytes, kind: bytes = b"stco") -> list[list[int]]:
    """Every chunk table of this kind, read independently of the code under test."""
    found, at = [], data.find(kind)
    while at >= 0:
        count = struct.unpack_from(">I", data, at + 8)[0]
        found.append(list(struct.unpack_from(f">{count}{'I' if kind == b'stco' else 'Q'}", data, at + 12)))
        at = data.find(kind, at + 4)
    return found


def test_media_behind_the_moov_moves_and_media_before_it_stays(tmp_path: Path) -> None:
    early = len(FTYP) + 8
    for wide, table in ((b"stco", stco), (b"co64", co64)):
        head = FTYP + MDAT
        late = len(head) + len(moov(trak(table(0, 0)))) + 8 + 5
        data = head + moov(trak(table(early, late))) + MDAT
        out = inject(data, tmp_path)
        ((first, second),) = offsets(out, wide)
        assert first == early
        assert second == late + len(out) - len(data)
        assert out[second] == data[late] == 5


def test_every_track_moves_sound_too(tmp_path: Path) -> None:
    sound = trak(stco(900), handler=b"soun", entries=(box(b"mp4a", bytes(28)),))
    data = FTYP + moov(sound, trak(stco(950))) + MDAT * 3
    out = inject(data, tmp_path)
    grown = len(out) - len(data)
    assert offsets(out) == [[900 + grown], [950 + grown]]


def test_offsets_beyond_4_gib_become_64_bit(tmp_path: Path) -> None:
    last = (1 << 32) - 5
    data = FTYP + moov(trak(stco(2000, last))) + MDAT * 10
    out = inject(data, tmp_path)
    grown = len(out) - len(data)
    assert offsets(out) == []
    assert offsets(out, b"co64") == [[2000 + grown, last + grown]]
    assert last + grown > 1 << 32


def test_metadata_already_there_is_replaced(tmp_path: Path) -> None:
    once = inject(FTYP + moov() + MDAT, tmp_path)
    assert inject(once, tmp_path) == once
    mono = inject(once, tmp_path, "mono")
    assert inject(mono, tmp_path, "top-bottom") == once


def test_v2_follows_the_codec_configuration_and_precedes_optional_boxes(tmp_path: Path) -> None:
    out = inject(FTYP + moov() + MDAT, tmp_path)
    order = [out.index(kind) for kind in (b"avcC", b"st3d", b"sv3d", b"pasp")]
    assert order == sorted(order)


@pytest.mark.parametrize("kind", [b"avc1", b"avc3", b"hvc1", b"hev1", b"av01", b"vp09"])
def test_sample_entries(kind: bytes, tmp_path: Path) -> None:
    inject(FTYP + moov(trak(stco(9), entries=(entry(kind),))) + MDAT, tmp_path)


def test_several_sample_descriptions_are_all_marked(tmp_path: Path) -> None:
    out = inject(FTYP + moov(trak(entries=(entry(), entry()))), tmp_path)
    assert out.count(b"sv3d") == 2


def test_cover_art_tracks_are_left_alone(tmp_path: Path) -> None:
    cover = trak(stco(7), entries=(entry(b"mp4v", box(b"esds", bytes(4))),))
    out = inject(FTYP + MDAT + moov(cover, trak(stco(9))), tmp_path)
    assert out.count(b"sv3d") == 1
    assert cover in out


def test_a_quicktime_terminator_in_the_sample_entry_is_kept(tmp_path: Path) -> None:
    ended = entry(b"avc1", box(b"avcC", b"x"), bytes(4))
    out = inject(FTYP + moov(trak(entries=(ended,))), tmp_path)
    assert inject(out, tmp_path) == out


def test_64_bit_sizes_and_an_open_last_box(tmp_path: Path) -> None:
    wide_moov = box64(b"moov", moov()[8:])
    open_mdat = struct.pack(">I4s", 0, b"mdat") + b"media"
    out = inject(FTYP + wide_moov + box64(b"free", b"x") + open_mdat, tmp_path)
    assert out.endswith(box64(b"free", b"x") + open_mdat)

    open_moov = struct.pack(">I4s", 0, b"moov") + moov()[8:]
    inject(FTYP + MDAT + open_moov, tmp_path)


GOOD = FTYP + moov() + MDAT
DAMAGED = {
    "empty": b"",
    "text": b"this is not an mp4 file at all, it is a text",
    "no moov": FTYP + MDAT,
    "two moovs": FTYP + moov() * 2,
    "cut in the media": GOOD[:-1],
    "cut in the moov": GOOD[:200],
    "stray bytes": GOOD + b"abc",
    "size below the header": FTYP + struct.pack(">I4s", 7, b"moov"),
    "wide size below the header": FTYP + struct.pack(">I4sQ", 1, b"moov", 15),
    "size of 2**64 - 1": FTYP + struct.pack(">I4sQ", 1, b"moov", (1 << 64) - 1),
    "cut wide header": FTYP + struct.pack(">I4sI", 1, b"moov", 0),
    "child beyond its parent": box(b"moov", struct.pack(">I4s", 99, b"trak")),
    "child of size 0": box(b"moov", struct.pack(">I4s", 0, b"trak")),
    "no video": moov(trak(handler=b"soun")),
    "an unknown codec": moov(trak(entries=(entry(b"ap4h"),))),
    "no sample descriptions": moov(trak(entries=())),
    "short sample entry": moov(trak(entries=(box(b"avc1", bytes(20)),))),
    "table that claims too much": moov(trak(box(b"stco", struct.pack(">III", 0, 1 << 30, 4)))),
    "no stsd": moov(box(b"trak", box(b"mdia", box(b"hdlr", bytes(8) + b"vide")))),
    "encrypted": moov(trak(stco(1), box(b"saio", bytes(12)))),
    "fragmented": FTYP + moov(trak(), box(b"mvex")) + box(b"moof"),
    "a million boxes": box(b"moov", box(b"free") * (boxes.BOX_LIMIT + 1)),
    "a million boxes at the top": box(b"free") * (boxes.BOX_LIMIT + 1),
    "a newline for a name": box(b"moov", struct.pack(">I4s", 99, b"\n\x1b[1")),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_damage_is_one_clear_line_and_leaves_nothing(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(SphericalError) as caught:
        inject(data, tmp_path)
    assert str(caught.value).isprintable()
    assert "source.mp4" in str(caught.value)


def test_deep_nesting_is_not_followed(tmp_path: Path) -> None:
    deep = b""
    for _ in range(20_000):
        deep = box(b"trak", deep)
    with pytest.raises(SphericalError, match=r"no sample|no H\.264"):
        inject(moov(deep), tmp_path)


def test_a_moov_over_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.mp4"
    with path.open("wb") as file:
        file.write(struct.pack(">I4s", boxes.MOOV_LIMIT + 8, b"moov"))
        file.truncate(boxes.MOOV_LIMIT + 8)
    with pytest.raises(SphericalError, match="limit"):
        spherical.read(path)


def test_an_existing_target_is_not_overwritten(tmp_path: Path) -> None:
    source, target = tmp_path / "s.mp4", tmp_path / "t.mp4"
    source.write_bytes(GOOD)
    target.write_bytes(b"precious")
    for taken in (target, source):
        with pytest.raises(SphericalError, match="exists"):
            spherical.inject(source, taken, stereo="mono")
    assert (source.read_bytes(), target.read_bytes()) == (GOOD, b"precious")


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe, tmp_path / "missing\n.mp4"):
        with pytest.raises(SphericalError, match="not a file") as caught:
            spherical.inject(path, tmp_path / "t.mp4", stereo="mono")
        assert str(caught.value).isprintable()


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    source, target = tmp_path / "s.mp4", tmp_path / "t.mp4"
    source.write_bytes(GOOD + box(b"free", bytes(1 << 20)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        with pytest.raises(OSError, match="large"):
            spherical.inject(source, target, stereo="mono")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not target.exists()


def test_v1_that_says_nothing_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.mp4"
    uuid = box(b"uuid", spherical.V1_UUID + b"<!ENTITY a 'a'>\xff\xfe" + b"<GSpherical:" * 1000)
    track = trak(stco(9))
    path.write_bytes(FTYP + moov(box(b"trak", track[8:] + uuid)))
    assert spherical.read(path) is None


leaf = st.builds(Box, st.sampled_from([b"free", b"udta", b"\0\n\xff'"]), st.binary(max_size=40))


def tree(kind: bytes) -> st.SearchStrategy[Box]:
    """A container with children it may have, opened ones included."""
    below = [tree(child) for child in sorted(boxes.OPENED.get(kind, ()))]
    return st.builds(Box, st.just(kind), st.just(b""), st.lists(st.one_of(leaf, *below), max_size=4))


@given(tree(b"moov"))
def test_any_tree_survives_a_round_trip(moov: Box) -> None:
    assert boxes.parse(boxes.serialise(moov)[8:]) == moov


@given(st.integers(0, len(GOOD) - 1), st.integers(0, len(GOOD)), st.binary(max_size=12))
def test_any_damage_raises_nothing_but_spherical_error(at: int, end: int, noise: bytes) -> None:
    data = GOOD[:at] + noise + GOOD[at + len(noise) : max(end, at + len(noise))]
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "s.mp4", Path(folder) / "t.mp4"
        source.write_bytes(data)
        try:
            spherical.inject(source, target, stereo="top-bottom")
        except SphericalError:
            assert not target.exists()
        else:
            assert spherical.read(target) == TOP_BOTTOM
