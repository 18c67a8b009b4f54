"""What drawing costs: CPU-milliseconds per frame on one thread, for each template and size.

    python bench/generation.py [TEMPLATE ...] [--frames N]

CPU time, because wall time says little on a busy machine; after a first frame that compiles the kernels.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from renderkiln.media.audio.compose import compose
from renderkiln.media.audio.features import Features
from renderkiln.media.audio.spectrum import SpectrumAnalyser
from renderkiln.media.audio.studio.synth import RATE
from renderkiln.media.frames.canvas import Canvas, Frame, Projection
from renderkiln.pipelines.catalog import TEMPLATES, load, names
from renderkiln.pipelines.visualizer.template import Film

FPS = Fraction(30)
SIZES: tuple[tuple[str, int, int, Projection], ...] = (
    ("320x180", 320, 180, "flat"),
    ("1080p", 1920, 1080, "flat"),
    ("4k", 3840, 2160, "flat"),
    ("360stereo", 3840, 3840, "stereo360"),
)


def analyse(folder: Path) -> tuple[Features, float]:
    """Features of the demo track, and the CPU time they took as a share of the track's."""
    mono = compose().mean(axis=1)
    seconds = mono.size / RATE
    start = time.process_time()
    analyser = SpectrumAnalyser(RATE, FPS, scratch=folder)
    for first in range(0, mono.size, 8192):
        analyser.add(mono[first : first + 8192])
    features = analyser.finish(folder / "features.npy", math.ceil(seconds * FPS))
    return features, (time.process_time() - start) / seconds


def cost(name: str, canvas: Canvas, features: Features, frames: int) -> tuple[float, float]:
    """CPU-milliseconds per frame, and CPU-seconds until the first frame was there."""
    template = load(TEMPLATES, name)
    frame = Frame(canvas)
    start = time.process_time()
    painter = template().painter(Film(canvas, features, template.Params(), 0))
    painter.draw(0, frame)
    first = time.process_time() - start
    step = max(1, len(features) // frames)
    start = time.process_time()
    for number in range(frames):
        painter.draw(number * step % len(features), frame)
    return (time.process_time() - start) / frames * 1000, first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("templates", nargs="*", default=list(names(TEMPLATES)), help="default: all")
    parser.add_argument("--frames", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        analyse(Path(folder))  # compiles
        features, share = analyse(Path(folder))
        print(f"analysis: {share:.2%} of track time")
        print(f"{'template':12}{'size':12}{'ms/frame':>10}{'first frame':>14}")
        for name in options.templates:
            for size, width, height, projection in SIZES:
                canvas = Canvas(width, height, FPS, projection)
                each, first = cost(name, canvas, features, options.frames)
                print(f"{name:12}{size:12}{each:10.1f}{first:12.1f} s", flush=True)


if __name__ == "__main__":
    main()
