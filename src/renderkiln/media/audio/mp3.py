"""The frame in front of an MP3 that tells players its length, and where its sound begins and ends.

lameenc leaves it out; without it players guess the length and play 1105 samples of delay and the padding.
Layout: the Xing header, and "Mp3 Info Tag rev 1 specifications" (gabriel.mp3-tech.org/mp3infotag.html).
Everything here is for what we write: MPEG-1 layer III, stereo, 48 kHz, constant bit rate.
"""

from __future__ import annotations

import struct

SAMPLES_PER_FRAME = 1152
_DELAY = 576  # LAME's own; a decoder adds 529, which players know
_TAG_AT, _TAG_END = (
    36,
    192,
)  # behind the header and the side information of a stereo frame; its CRC comes last
_FIELDS = 0x0F  # frames, bytes, table of contents, quality
_CBR = 0x01
_STEREO, _JOINT_STEREO = 0x84, 0x8C  # and 48 kHz


def frame_bytes(kbps: int) -> int:
    """Every frame is so long: 48 kHz needs no padding bytes."""
    return 3 * kbps


def info_frame(first: bytes, kbps: int, samples: int, audio_bytes: int, audio_crc: int) -> bytes:
    """A silent frame with the Info tag, to stand before the audio, whose first four bytes are `first`.

    `samples` are those that went into the encoder. What it added behind them is the padding.
    """
    from renderkiln.media.audio.crc import crc16

    size = frame_bytes(kbps)
    frames = audio_bytes // size
    padding = frames * SAMPLES_PER_FRAME - _DELAY - samples
    contents = bytes(position * 256 // 100 for position in range(100))
    xing = (
        b"Info" + struct.pack(">3I", _FIELDS, frames, size + audio_bytes) + contents + struct.pack(">I", 50)
    )
    lame = b"LAME3.100" + bytes([_CBR]) + bytes(10) + bytes([min(kbps, 255)])  # no low-pass, no replay gain
    mode = _JOINT_STEREO if first[3] >> 6 == 1 else _STEREO
    lame += (_DELAY << 12 | padding).to_bytes(3, "big") + bytes([mode]) + bytes(3)
    lame += struct.pack(">IH", size + audio_bytes, audio_crc)
    tag = first + bytes(_TAG_AT - len(first)) + xing + lame
    return (tag + struct.pack(">H", crc16(tag))).ljust(size, b"\0")
