"""Draws frames with the kernels of NUMBA_CACHE_DIR, prints their SHA-256: `drawing.py FEATURES FORMAT…`."""

from __future__ import annotations

import hashlib
import sys
from fractions import Fraction
from pathlib import Path

from renderkiln.media.audio.features import Features
from renderkiln.media.frames.canvas import Frame
from renderkiln.pipelines.visualizer.film import DrawableFilm
from renderkiln.pipelines.visualizer.params import VisualizerParams


def main() -> None:
    features = Features.load(Path(sys.argv[1]), Fraction(24))
    for format in sys.argv[2:]:
        params = VisualizerParams.model_validate({"format": format, "fps": 24})
        film = DrawableFilm.of(params, features)
        draw, frame = film.new_draw(), Frame(film.canvas)
        for number in range(0, len(film), len(film) // 4):
            draw(number, frame)
            print(hashlib.sha256(frame.buffer.tobytes()).hexdigest())


if __name__ == "__main__":
    main()
