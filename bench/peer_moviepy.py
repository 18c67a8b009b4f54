"""The peer: MoviePy 2 drawing an equal-sized audio-reactive frame, encoded with the same preset.

Its frame is far simpler than ours (48 bars and a glow by numpy), which favours it.
"""

from __future__ import annotations

import sys

import numpy as np
from moviepy import VideoClip

width, height, fps, frames = (int(text) for text in sys.argv[1:5])
rng = np.random.default_rng(1)
bands = np.abs(np.cumsum(rng.standard_normal((frames + 1, 48)), axis=0) % 2 - 1)
columns = np.minimum(np.arange(width) * 48 // width, 47)
rows = np.arange(height)[:, None] / height
glow = np.exp(-((np.arange(width)[None] / width - 0.5) ** 2) * 9)


def frame(seconds: float) -> np.ndarray:
    level = bands[min(int(seconds * fps), frames)][columns][None]
    lit = np.clip((level - (1 - rows)) * 40, 0, 1)
    picture = np.empty((height, width, 3), np.uint8)
    picture[..., 0] = 255 * np.clip(lit + 0.2 * glow * rows, 0, 1)
    picture[..., 1] = 140 * lit
    picture[..., 2] = 255 * np.clip(0.5 * lit + 0.3 * glow * rows, 0, 1)
    return picture


clip = VideoClip(frame, duration=frames / fps)
clip.write_videofile(sys.argv[5], fps=fps, codec="libx264", preset="veryfast", threads=4, logger=None)
