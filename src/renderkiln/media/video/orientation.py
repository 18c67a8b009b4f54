"""How a stored picture must be turned to stand upright."""

from __future__ import annotations

import math
import struct
from typing import Any

import av
from av.sidedata.sidedata import Type as SideDataType


def orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """Degrees clockwise (0, 90, 180, 270), and whether to flip left to right before that.

    From the display matrix (ISO/IEC 14496-12, 6.2.2); other angles become the nearest quarter turn.
    """
    side_data: Any = frame.side_data
    data = next((data for data in side_data if data.type == SideDataType.DISPLAYMATRIX), None)
    if data is None:
        return 0, False
    a, b, _, c, d = struct.unpack_from("=5i", bytes(data))  # (x, y) → (ax + cy, bx + dy)
    mirrored = a * d < b * c
    angle = math.atan2(-b, -a) if mirrored else math.atan2(b, a)  # where the row's direction goes; y is down
    return round(math.degrees(angle) / 90) % 4 * 90, mirrored
