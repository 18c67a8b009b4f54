"""Takes one picture out of a film."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace

from renderkiln.media.errors import Unreadable

RGB = npt.NDArray[np.uint8]


def still(path: Path, seconds: float) -> RGB:
    """The frame shown at `seconds`, shape (height, width, 3), sRGB. Raises Unreadable if there is none."""
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        if stream.time_base is None:
            raise Unreadable(f"{path.name}: the video stream has no clock")
        target = int(seconds / stream.time_base)
        film.seek(target, stream=stream)
        frame = None
        for frame in film.decode(stream):
            if frame.pts is not None and frame.pts + (frame.duration or 0) > target:
                break
        if frame is None:
            raise Unreadable(f"{path.name}: no frame at {seconds:.2f} s")
        return picture_of(frame)


def picture_of(frame: av.VideoFrame) -> RGB:
    """A decoded frame of BT.709, limited range, as sRGB of shape (height, width, 3)."""
    matrix, code_values = Colorspace.ITU709, ColorRange.MPEG
    rgb = frame.reformat(format="rgb24", src_colorspace=matrix, src_color_range=code_values)
    return rgb.to_ndarray().astype(np.uint8, copy=False)


def scaled(picture: RGB, width: int) -> RGB:
    """`picture` at `width` pixels, in proportion."""
    height, full = picture.shape[:2]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    small = frame.reformat(width=width, height=max(2, round(height * width / full)), interpolation="AREA")
    return small.to_ndarray().astype(np.uint8, copy=False)


def view_ahead(equirect: RGB, width: int, height: int, *, field_of_view: float = 95.0) -> RGB:
    """What a camera sees that looks ahead into an equirectangular picture of 360° × 180°.

    `field_of_view` is horizontal, in degrees. Nearest samples: `equirect` is much larger than the view.
    """
    rows, columns = equirect.shape[:2]
    reach = np.tan(np.radians(field_of_view / 2))
    x = np.linspace(-reach, reach, width)[None, :]
    y = np.linspace(reach, -reach, height)[:, None] * height / width
    longitude = np.arctan(x)
    latitude = np.arctan(y * np.cos(longitude))
    column = ((longitude / (2 * np.pi) + 0.5) * columns).astype(int).clip(0, columns - 1)
    row = ((0.5 - latitude / np.pi) * rows).astype(int).clip(0, rows - 1)
    return equirect[row, np.broadcast_to(column, row.shape)]
