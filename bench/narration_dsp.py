"""What the sound of a 10-minute narration costs: prints JSON of {name: CPU seconds, or MB}.

Four layers: voice clips, an MP3 of 44.1 kHz in a loop and ducked, a Solfeggio tone, a binaural beat. Each
figure is the least of several runs. Encoding is measured elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as stages have it

from renderkiln.media import kernels

kernels.use_cache(Path(tempfile.gettempdir()) / "renderkiln-bench")

import lameenc
import numpy as np
import soxr

from measure import measured
from renderkiln.media.audio.compose import compose
from renderkiln.media.audio.course import Course
from renderkiln.media.audio.duck import Duck
from renderkiln.media.audio.loop import Loop
from renderkiln.media.audio.mastering import Master, solve
from renderkiln.media.audio.mix import Layer, Mix
from renderkiln.media.audio.source import RATE, Block
from renderkiln.media.audio.spool import Spool
from renderkiln.media.audio.timeline import Clip, Timeline
from renderkiln.media.audio.tones import Binaural, Tone

MUSIC_SECONDS = 180
RUNS = 5

T = TypeVar("T")


def music(path: Path) -> Path:
    """The demo's track, over and over, as MP3 of 44.1 kHz."""
    track = soxr.resample(compose(), RATE, 44_100)
    whole = np.tile(track, (MUSIC_SECONDS // 20, 1))
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(192)
    encoder.set_in_sample_rate(44_100)
    encoder.set_channels(2)
    encoder.set_quality(7)
    encoder.silence()
    samples = (np.clip(whole, -1, 1) * 32767).astype(np.int16)
    path.write_bytes(bytes(encoder.encode(samples.tobytes())) + bytes(encoder.flush()))
    return path


def clips(folder: Path, seconds: int) -> list[Clip]:
    """Eight seconds of syllables every twelve: a buzz of 100 Hz in bursts, peaky as speech is."""
    t = np.arange(8 * RATE) / RATE
    cycle = [np.cos(2 * np.pi * 100 * k * t[:480] + k * k / 13) / k for k in range(1, 30)]
    buzz = np.tile(np.sum(cycle, axis=0) / 4, 800)
    strength = np.repeat(np.random.default_rng(1).uniform(0.1, 1, 32), RATE // 4)
    voice = (buzz * strength * np.clip(np.sin(2 * np.pi * 4 * t), 0, 1)).astype(np.float32)
    path = folder / "voice.f32"
    voice.tofile(path)
    return [Clip(start * RATE, path, len(voice)) for start in range(2, seconds - 8, 12)]


def mix(folder: Path, spoken: list[Clip], seconds: int) -> Iterator[Block]:
    bed = Loop(folder / "music.mp3", scratch=folder, enough=seconds)
    layers = [
        Layer(Timeline(spoken)),
        Layer(bed, -14.0, fade_in=2, fade_out=4, ducked=True),
        Layer(Tone(Course.steady(528)), -24.0, fade_in=2, fade_out=4),
        Layer(Binaural(Course.steady(200), Course.steady(7)), -24.0, fade_in=2, fade_out=4),
    ]
    return Mix(layers, seconds * RATE, Duck(spoken)).blocks()


def cost(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds of the cheapest run, and what the last one gave."""
    seconds = []
    for _ in range(RUNS):
        with measured() as spent:
            result = work()
        seconds.append(spent.cpu)
    return round(min(seconds), 3), result


def drained(blocks: Iterator[Block]) -> None:
    for _ in blocks:
        pass


def anonymous_peak() -> float:
    """MB: what this process holds for itself, without the files it maps."""
    fields = Path("/proc/self/status").read_text().split()
    return int(fields[fields.index("RssAnon:") + 1]) / 1024


def narrated(folder: Path, seconds: int) -> dict[str, float]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:  # its memory is not ours
        elsewhere.submit(music, folder / "music.mp3").result()
    path, spoken = folder / "mix.f32", clips(folder, seconds)
    drained(mix(folder, spoken, 20))  # kernels
    solve(Spool.record(path, mix(folder, spoken, 20)), target_lufs=-16, ceiling_dbtp=-1.5)
    before = anonymous_peak()
    mixing, _ = cost(lambda: drained(mix(folder, spoken, seconds)))
    spooling, spool = cost(lambda: Spool.record(path, mix(folder, spoken, seconds)))

    def solved() -> Master:
        return solve(spool, target_lufs=-16, ceiling_dbtp=-1.5)

    solving, master = cost(solved)
    applying, _ = cost(lambda: drained(master.blocks(spool)))
    return {
        "mix_cpu_s": mixing,
        "spool_cpu_s": round(spooling - mixing, 3),
        "solve_cpu_s": solving,
        "apply_cpu_s": applying,
        "total_cpu_s": round(spooling + solving + applying, 3),
        "solve_iterations": master.iterations,
        "predicted_lufs": round(master.predicted_lufs, 3),
        "reduction_db": round(master.reduction_db, 2),
        "anonymous_mb": round(anonymous_peak(), 1),
        "anonymous_growth_mb": round(anonymous_peak() - before, 1),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(narrated(Path(scratch), int(sys.argv[1]) if sys.argv[1:] else 600)))
