"""The outline of a track for waveform displays, in audiowaveform's JSON format, version 2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.float32]

_FIRST_SCALE = 256  # samples per pixel; doubles whenever the pixels run out
_MAX_PIXELS = 4096


class Peaks:
    """Feed it blocks of shape (2, n), then `write` it: 2048 to 4096 pixels unless the track is under 24 s.

    One channel is the mean of both; two are left and right.
    """

    def __init__(self, rate: int, *, channels: Literal[1, 2] = 1, bits: Literal[8, 16] = 8) -> None:
        self._rate = rate
        self._channels = channels
        self._bits = bits
        self._scale = _FIRST_SCALE
        self._pixels: Block = np.empty((channels, _MAX_PIXELS, 2), np.float32)  # lowest, highest
        self._length = 0
        self._rest: Block = np.empty((channels, 0), np.float32)

    def add(self, block: Block) -> None:
        """Outline the next samples, float32 of shape (2, n)."""
        sound = block if self._channels == 2 else block.mean(axis=0, keepdims=True)
        sound = np.concatenate([self._rest, sound], axis=1)
        while sound.shape[1] >= self._scale:
            if self._length == _MAX_PIXELS:
                self._halve()
                continue
            count = min(sound.shape[1] // self._scale, _MAX_PIXELS - self._length)
            self._append(sound[:, : count * self._scale].reshape(self._channels, count, self._scale))
            sound = sound[:, count * self._scale :]
        self._rest = sound.copy()

    def to_json(self) -> dict[str, Any]:
        """The outline so far, its last pixel perhaps of fewer samples."""
        pixels = self._pixels[:, : self._length]
        if self._rest.shape[1]:
            last = np.stack([self._rest.min(axis=1), self._rest.max(axis=1)], axis=-1)
            pixels = np.concatenate([pixels, last[:, None]], axis=1)
        full_scale = 2 ** (self._bits - 1)
        data = np.clip(np.round(pixels * full_scale), -full_scale, full_scale - 1).astype(int)
        return {
            "version": 2,
            "channels": self._channels,
            "sample_rate": self._rate,
            "samples_per_pixel": self._scale,
            "bits": self._bits,
            "length": pixels.shape[1],
            "data": data.transpose(1, 0, 2).ravel().tolist(),
        }

    def write(self, path: Path) -> None:
        """Write the JSON file."""
        path.write_text(json.dumps(self.to_json(), separators=(",", ":")))

    def _append(self, pieces: Block) -> None:
        count = pieces.shape[1]
        target = self._pixels[:, self._length : self._length + count]
        pieces.min(axis=2, out=target[..., 0])
        pieces.max(axis=2, out=target[..., 1])
        self._length += count

    def _halve(self) -> None:
        pairs = self._pixels.reshape(self._channels, _MAX_PIXELS // 2, 2, 2)
        half = _MAX_PIXELS // 2
        self._pixels[:, :half] = np.stack([pairs[..., 0].min(axis=2), pairs[..., 1].max(axis=2)], axis=-1)
        self._length = half
        self._scale *= 2
