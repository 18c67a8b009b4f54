"""What a ten-minute narration costs, stage by stage, and the same by a hand-written FFmpeg graph."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from measure import measured
from renderkiln.app import Renderkiln
from renderkiln.domain.event import Event
from renderkiln.media.ffmpeg import binary
from renderkiln.settings import Settings
from row import Row
from song import song

_SENTENCES = (
    "Close your eyes and let your shoulders soften. Breathe in slowly through your nose, and feel the air "
    "fill your chest. [pause 2s] With every breath, the body becomes heavier and the mind becomes quiet.\n\n"
)
_SPOKEN = 15.0  # seconds, about, that these take
_TARGETS = {
    "mix_cpu_s": "≤ 0.6, stretch 0.35 (the user's: 5)",
    "solve_cpu_s": "≤ 0.2",
    "anonymous_mb": "< 150",
}


class NarrationBench:
    """Measures in `folder`; `scale` shortens the ten minutes."""

    def __init__(self, folder: Path, scale: float) -> None:
        self._folder, self._seconds = folder, round(600 * scale)

    def rows(self) -> Iterator[Row]:
        minutes = self._seconds / 60
        for row in (*self._sound(), *self._job()):
            yield replace(row, name=f"narration of {minutes:g} minutes: {row.name}")

    def _sound(self) -> Iterator[Row]:
        script = Path(__file__).with_name("narration_dsp.py")
        command = [sys.executable, str(script), str(self._seconds)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        for name, unit in (("mix_cpu_s", "CPU s"), ("solve_cpu_s", "CPU s"), ("anonymous_mb", "MB")):
            yield Row(name.rpartition("_cpu")[0] or "memory of its own", found[name], unit, _TARGETS[name])

    def _job(self) -> Iterator[Row]:
        music = song(self._folder, 120)
        self._narrated(music, 20)  # compiled and warm
        stages, report = self._narrated(music, self._seconds)
        for name, facts in stages.items():
            yield Row(f"stage {name}", facts["cpu_seconds"], "CPU s")
        peak = max(float(facts["peak_bytes"] or 0) for facts in stages.values()) / 1e6
        yield Row("all stages", sum(facts["cpu_seconds"] for facts in stages.values()), "CPU s")
        yield Row("largest process, the mapped mix included", peak, "MB")
        yield Row("loudness of the MP3", report["measured"]["loudness"]["integrated"], "LUFS", "-16.0 ± 0.1")
        peer = self._peer(music, self._folder / "peer.mp3")
        yield Row("FFmpeg: amix, loudnorm, libmp3lame, no voice", peer, "CPU s")
        ours = sum(stages[name]["cpu_seconds"] for name in ("mix", "master"))
        yield Row("ours (mix, master, measured) / FFmpeg", ours / peer, "×")

    def _narrated(self, music: Path, seconds: int) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        stages: dict[str, dict[str, Any]] = {}

        def listen(event: Event) -> None:
            if event.name == "stage.completed" and event.stage:
                stages[event.stage] = dict(event.facts)

        params = {
            "script": _SENTENCES * max(1, int(seconds / _SPOKEN * 0.8)),
            "duration_min": seconds / 60,
            "layers": {
                "background": {"track": str(music)},
                "solfeggio": {"hz": 528},
                "binaural": {"band": "theta"},
            },
        }
        settings = Settings.load(output_dir=self._folder / "out")
        with Renderkiln.open(settings) as kiln:
            done = kiln.run(kiln.job("narration", None, params), listen=listen, reuse=False)
        if not done.succeeded or done.result is None:
            raise SystemExit(f"the job failed: {done.error}")
        return stages, dict(done.result["report"])

    def _peer(self, music: Path, target: Path) -> float:
        """CPU seconds of the same layers, without the voice, by FFmpeg alone."""
        length = str(self._seconds)
        tones = [f"sine=f={hz}:r=48000:d={length}" for hz in (528, 200, 206)]
        inputs = [each for tone in tones for each in ("-f", "lavfi", "-i", tone)]
        graph = (
            "[0:a]aresample=48000[m];[2:a][3:a]join=inputs=2:channel_layout=stereo[b];"
            "[m][1:a][b]amix=inputs=3:weights='0.2 0.06 0.06',loudnorm=I=-16:TP=-1[o]"
        )
        command = [str(binary.find()), "-v", "error", "-y", "-stream_loop", "-1", "-t", length]
        command += ["-i", str(music), *inputs, "-filter_complex", graph, "-map", "[o]", "-ar", "48000"]
        with measured() as cost:
            subprocess.run(
                [*command, "-t", length, "-b:a", "192k", str(target.with_suffix(".mp3"))], check=True
            )
        return cost.cpu
