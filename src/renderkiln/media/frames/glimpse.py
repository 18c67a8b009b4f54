"""What a film looks like just now: a small picture of one of its frames."""

from __future__ import annotations

import numpy as np

from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.image import Pixels

WIDTH = 480  # pixels, about


def glimpse(frame: Frame, width: int = WIDTH) -> Pixels:
    """RGB of shape (h, w, 3), uint8, about `width` pixels wide: means of whole blocks, so nothing flickers.

    BT.709, limited range (ITU-R BT.709-6, items 3.2 to 3.5).
    """
    step = max(1, round(frame.y.shape[1] / width))
    half = max(1, step // 2)
    step = 2 * half  # of whole chroma samples
    luma = (_means(frame.y, step) - 16) * (255 / 219)
    blue, red = (
        (_means(plane, half)[: luma.shape[0], : luma.shape[1]] - 128) * (255 / 224)
        for plane in (frame.u, frame.v)
    )
    rgb = np.stack((luma + 1.5748 * red, luma - 0.1873 * blue - 0.4681 * red, luma + 1.8556 * blue), axis=-1)
    return np.rint(np.clip(rgb, 0, 255)).astype(np.uint8)


def _means(
    plane: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], step: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    height, width = (length // step * step for length in plane.shape)
    blocks = plane[:height, :width].reshape(height // step, step, width // step, step)
    return blocks.mean(axis=(1, 3), dtype=np.float32)
