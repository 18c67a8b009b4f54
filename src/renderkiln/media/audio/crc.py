"""The checksum of MP3 frames. Python's own are of other polynomials."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

kernel = njit(cache=True, nogil=True)


def crc16(data: bytes, crc: int = 0) -> int:
    """CRC-16 with the polynomial x¹⁶ + x¹⁵ + x² + 1, reflected, from 0 (CRC-16/ARC); goes on from `crc`."""
    return int(_crc16(np.frombuffer(data, np.uint8), _TABLE, crc))


def _table() -> npt.NDArray[np.uint16]:
    value = np.arange(256)
    for _ in range(8):
        value = np.where(value & 1, value >> 1 ^ 0xA001, value >> 1)
    return value.astype(np.uint16)


_TABLE = _table()


@kernel
def _crc16(data: npt.NDArray[np.uint8], table: npt.NDArray[np.uint16], crc: int) -> int:
    for byte in data:
        crc = crc >> 8 ^ int(table[(crc ^ byte) & 0xFF])
    return crc
