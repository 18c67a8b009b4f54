"""Between I420 frames and RGB pictures: BT.709, limited range (ITU-R BT.709-6, section 3)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from renderkiln.media.frames.canvas import Canvas, Frame

KR, KB = 0.2126, 0.0722
KG = 1 - KR - KB

# Rows: Y, Cb, Cr of a gamma-encoded RGB in 0 … 1; Y in 0 … 1, Cb and Cr in -0.5 … 0.5.
RGB_TO_YCBCR = np.array(
    [
        [KR, KG, KB],
        [-KR / (2 * (1 - KB)), -KG / (2 * (1 - KB)), 0.5],
        [0.5, -KG / (2 * (1 - KR)), -KB / (2 * (1 - KR))],
    ]
)
YCBCR_TO_RGB = np.linalg.inv(RGB_TO_YCBCR)
SCALE = np.array([219.0, 224.0, 224.0])
OFFSET = np.array([16.0, 128.0, 128.0])


def to_rgb(frame: Frame) -> npt.NDArray[np.uint8]:
    """The frame as uint8 RGB of shape (height, width, 3); chroma is interpolated linearly (left-sited)."""
    height, width = frame.y.shape
    planes = np.empty((height, width, 3), np.float32)
    planes[..., 0] = frame.y
    planes[..., 1] = _upsample(frame.u)
    planes[..., 2] = _upsample(frame.v)
    planes -= OFFSET.astype(np.float32)
    rgb = planes @ (YCBCR_TO_RGB / SCALE * 255).T.astype(np.float32)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def from_rgb(rgb: npt.NDArray[np.uint8], canvas: Canvas) -> Frame:
    """A frame of an RGB picture of the canvas's size; chroma is averaged over 2 × 2 pixels, left-sited."""
    if rgb.shape != (canvas.height, canvas.width, 3):
        raise ValueError(f"a picture of shape {rgb.shape} for a canvas of {canvas.width}x{canvas.height}")
    planes = ycbcr(rgb.astype(np.float32) / np.float32(255))
    frame = Frame(canvas)
    frame.y[:] = np.rint(planes[..., 0])
    frame.u[:] = np.rint(halve(planes[..., 1]))
    frame.v[:] = np.rint(halve(planes[..., 2]))
    return frame


def ycbcr(rgb: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Limited-range code values (Y 16–235, Cb and Cr 16–240) of gamma-encoded RGB in 0 … 1."""
    planes = rgb @ (RGB_TO_YCBCR.T * SCALE).astype(np.float32) + OFFSET.astype(np.float32)
    return planes.astype(np.float32, copy=False)


def halve(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Half resolution as I420 places it: weights 1 2 1 across, centred on the left pixel, 1 1 down."""
    padded = np.pad(plane, ((0, 0), (1, 0)), "edge")
    across = (padded[:, 0:-1:2] + 2 * padded[:, 1::2] + padded[:, 2::2]) / 4
    return ((across[0::2] + across[1::2]) / 2).astype(np.float32, copy=False)


def _upsample(plane: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Double resolution, the inverse siting of `halve`: on the left pixel across, between rows down."""
    small = plane.astype(np.float32)
    height, width = small.shape
    below, above = np.vstack([small[1:], small[-1:]]), np.vstack([small[:1], small[:-1]])
    tall = np.empty((2 * height, width), np.float32)
    tall[0::2] = 0.75 * small + 0.25 * above
    tall[1::2] = 0.75 * small + 0.25 * below
    full = np.empty((2 * height, 2 * width), np.float32)
    full[:, 0::2] = tall
    full[:, 1::2] = (tall + np.hstack([tall[:, 1:], tall[:, -1:]])) / 2
    return full
