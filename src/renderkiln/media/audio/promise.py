"""How long a file says it is, read from headers that FFmpeg distrusts.

When an mp3 or a wav is shorter than its header says, FFmpeg believes the file's size instead: exactly when
we want to know what was promised.
"""

from __future__ import annotations

from pathlib import Path

_SEARCH_BYTES = 1 << 16


def mp3_seconds(path: Path) -> float | None:
    """From the Xing, Info or VBRI header, without the encoder's delay and padding; None without one."""
    with path.open("rb") as file:
        file.seek(_id3_bytes(file.read(10)))
        head = file.read(_SEARCH_BYTES)
    for name in (b"Xing", b"Info", b"VBRI"):
        at = head.find(name)
        sync = head.rfind(b"\xff", 0, max(at, 0) - 2)  # the frame begins at most 36 bytes before
        if at < 0 or sync < 0 or at - sync > 40:
            continue
        rate, samples = _frame_format(head[sync + 1 : sync + 3])
        frames, surplus = _vbri(head[at:]) if name == b"VBRI" else _xing(head[at:])
        return (frames * samples - surplus) / rate if rate and frames else None
    return None


def wav_seconds(path: Path) -> float | None:
    """From the sizes in a RIFF header; None where it gives none, as programs that write to a pipe do."""
    byte_rate = 0
    with path.open("rb") as file:
        if file.read(12)[:4] != b"RIFF":
            return None
        while len(chunk := file.read(8)) == 8:
            name, size = chunk[:4], int.from_bytes(chunk[4:], "little")
            if name == b"data":
                return size / byte_rate if byte_rate and 0 < size < 0xFFFFFF00 else None
            if name == b"fmt " and size >= 16:
                byte_rate = int.from_bytes(file.read(12)[8:], "little")
                size -= 12
            file.seek(size + (size & 1), 1)
    return None


def _xing(header: bytes) -> tuple[int, int]:
    """Number of frames (0: not given), and samples that are delay or padding."""
    flags = header[7]
    if not flags & 1:
        return 0, 0
    frames = int.from_bytes(header[8:12], "big")
    fields = 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    lame = header[8 + fields :]
    if not lame.startswith((b"LAME", b"Lavc", b"Lavf", b"L3.9")):
        return frames, 0
    delays = int.from_bytes(lame[21:24], "big")  # two 12-bit numbers
    return frames, (delays >> 12) + (delays & 0xFFF)


def _vbri(header: bytes) -> tuple[int, int]:
    return int.from_bytes(header[14:18], "big"), 0


def _id3_bytes(header: bytes) -> int:
    """Size of an ID3v2 tag in front, 0 if there is none. Its numbers use seven bits of each byte."""
    if header[:3] != b"ID3" or len(header) < 10:
        return 0
    size = 0
    for byte in header[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _frame_format(header: bytes) -> tuple[int, int]:
    """Sample rate and samples per frame of an MPEG audio layer III frame; rate 0 if it is none."""
    version = header[0] >> 3 & 3  # 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
    index = header[1] >> 2 & 3
    if index == 3 or version == 1:
        return 0, 0
    rate = (44100, 48000, 32000)[index] >> {3: 0, 2: 1, 0: 2}[version]
    return rate, 1152 if version == 3 else 576
