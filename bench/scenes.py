"""What a film of scenes costs beside MoviePy 2 and beside a hand-written FFmpeg filter graph.

The same film for all three: ten scenes in 30 s of 1080p30 with crossfades; photos, every other one slowly
zoomed, under a box, a title that fades in and a line of text. Without sound, which is the same work for all.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fontpkg

from measure import Cost, measured
from renderkiln.app import Renderkiln
from renderkiln.domain.event import Event
from renderkiln.media.ffmpeg import binary
from renderkiln.settings import Settings
from row import Row

SCENES, FPS, FADE = 10, 30, 0.5
# What `media.ffmpeg.parts` encodes with: it saves memory and CPU for larger files.
_SAME_SETTINGS = (
    *("-c:v", "libx264", "-preset", "veryfast", "-crf", "22", "-pix_fmt", "yuv420p", "-threads", "1"),
    *("-x264-params", "rc-lookahead=0:mbtree=0:bframes=1:b-adapt=0"),
)
_SAME_PRESET = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p")


class ScenesBench:
    """Measures in `folder`; `scale` shortens the scenes."""

    def __init__(self, folder: Path, scale: float) -> None:
        self._folder = folder / "scenes"
        self._folder.mkdir(exist_ok=True)
        # Scenes overlap while they cross-fade: 10 × 3.45 s are 30 s.
        self._seconds = round((3.45 - FADE) * scale, 2) + FADE
        self._frames = round((SCENES * self._seconds - (SCENES - 1) * FADE) * FPS)

    def rows(self) -> Iterator[Row]:
        for row in self._all():
            yield replace(row, name=f"ten scenes, {self._frames / FPS:.0f} s of 1080p: {row.name}")

    def _all(self) -> Iterator[Row]:
        photos = self._photos()
        self._job(photos, quality="draft", format="mp4", resolution="480p")  # compiled and warm
        cost, stages, _ = self._job(photos)
        graph, lean = self._graph(photos, _SAME_PRESET), self._graph(photos, _SAME_SETTINGS)
        peer = self._moviepy(photos)
        ours = cost.cpu / self._frames
        yield Row("ours, whole job", ours * 1000, "CPU ms/frame")
        for name, facts in stages.items():
            yield Row(f"stage {name}", float(facts["cpu_seconds"]) / self._frames * 1000, "CPU ms/frame")
        yield Row("ours, whole job", self._frames / cost.wall, "fps")
        yield Row("FFmpeg filter graph", graph.cpu / self._frames * 1000, "CPU ms/frame")
        yield Row("MoviePy", peer.cpu / self._frames * 1000, "CPU ms/frame")
        yield Row("ours / FFmpeg filter graph, CPU", ours / (graph.cpu / self._frames), "×", "≤ 1.1")
        yield Row(
            "ours / FFmpeg filter graph with our settings of x264, CPU", ours / (lean.cpu / self._frames), "×"
        )
        yield Row("MoviePy / ours, CPU", peer.cpu / self._frames / ours, "×", "≥ 4")
        yield Row("MoviePy / ours, wall", peer.wall / cost.wall, "×", "≥ 6")
        peak = max(float(facts["peak_bytes"] or 0) for facts in stages.values())
        yield Row("largest stage with its encoders", peak / 1e6, "MB", "≤ 450")
        yield from self._edited(photos, cost)
        yield from self._gif(photos)
        yield from self._preview(photos)

    def _edited(self, photos: list[Path], whole: Cost) -> Iterator[Row]:
        """One caption of ten is changed, and the film is made again from what is kept of it."""
        self._job(photos, reuse=True)
        cost, _, result = self._job(photos, reuse=True, title="Another title")
        yield Row("one caption changed, wall", cost.wall / whole.wall * 100, "% of the whole", "about 10")
        yield Row("one caption changed, frames drawn", result["framesDrawn"], "frames")

    def _gif(self, photos: list[Path]) -> Iterator[Row]:
        ids = [f"scene-{number}" for number in range(1, 4)]
        cost, _, result = self._job(photos, format="gif", resolution="480p", scenes=ids)
        yield Row("gif 480p, wall for 10 s of it", cost.wall / result["duration"] * 10, "s", "≤ 6")

    def _preview(self, photos: list[Path]) -> Iterator[Row]:
        path = self._folder / "project.json"
        path.write_text(json.dumps(self._project(photos)))
        command = [sys.executable, "-m", "renderkiln", "scenes", "preview", str(path), "--at", "5"]
        subprocess.run([*command, "-o", str(self._folder / "warm.png")], check=True, capture_output=True)
        began = time.monotonic()
        subprocess.run([*command, "-o", str(self._folder / "frame.png")], check=True, capture_output=True)
        yield Row("preview of one frame, with the start", time.monotonic() - began, "s", "< 1 after start")

    def _project(self, photos: list[Path], title: str = "A title of scene 3") -> dict[str, Any]:
        scenes = []
        for number in range(1, SCENES + 1):
            photo: dict[str, Any] = {"type": "image", "file": photos[number % len(photos)].name}
            if number % 2 == 0:
                photo["ken_burns"] = "in"
            words = title if number == 3 else f"A title of scene {number}"
            scenes.append({"duration": self._seconds, "background": photo, "layers": [
                {"type": "shape", "width": 1500, "height": 260, "color": "#00000090", "anchor": "left"},
                {"type": "text", "text": words, "anchor": "left", "x": 40, "y": -40, "size": 96,
                 "weight": 700, "enter": "fade"},
                {"type": "text", "text": "A line of text below it", "anchor": "left", "x": 40, "y": 70},
            ]})  # fmt: skip
        return {"transition": {"type": "crossfade", "duration": FADE, "easing": "linear"}, "scenes": scenes}

    def _job(
        self, photos: list[Path], *, reuse: bool = False, title: str = "A title of scene 3", **params: Any
    ) -> tuple[Cost, dict[str, dict[str, Any]], dict[str, Any]]:
        stages: dict[str, dict[str, Any]] = {}

        def listen(event: Event) -> None:
            if event.name == "stage.completed" and event.stage:
                stages[event.stage] = dict(event.facts)

        asked = {"project": self._project(photos, title), "folder": str(self._folder), **params}
        with measured() as cost, Renderkiln.open(Settings.load(output_dir=self._folder / "out")) as kiln:
            done = kiln.run(kiln.job("scenes", None, asked), listen=listen, reuse=reuse)
        if not done.succeeded or done.result is None:
            raise SystemExit(f"the job failed: {done.error}")
        return cost, stages, dict(done.result)

    def _photos(self) -> list[Path]:
        """Pictures full of detail."""
        photos = [self._folder / f"photo{number}.jpg" for number in range(4)]
        for number, path in enumerate(photos):
            picture = f"mandelbrot=size=1920x1080:start_scale={0.5 / (number + 1):.3f}:maxiter=800"
            self._ffmpeg("-f", "lavfi", "-i", picture, "-frames:v", "1", "-q:v", "2", str(path))
        return photos

    def _graph(self, photos: list[Path], coding: tuple[str, ...]) -> Cost:
        inputs: list[str] = []
        filters: list[str] = []
        font, length = self._folder / "inter.ttf", round(self._seconds * FPS)
        shutil.copyfile(fontpkg.path("Inter"), font)  # its own name has brackets, which end a filter
        for number in range(1, SCENES + 1):
            still = ("-loop", "1", "-framerate", str(FPS), "-t", str(self._seconds))
            inputs += [*still, "-i", str(photos[number % len(photos)])]
            place = "x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2'"
            zoom = f"zoompan=z='1+0.15*on/{length}':{place}:d=1:s=1920x1080:fps={FPS},"
            filters.append(
                f"[{number - 1}:v]{zoom if number % 2 == 0 else ''}format=yuv420p,"
                "drawbox=x=96:y=410:w=1500:h=260:color=black@0.56:t=fill,"
                f"drawtext=fontfile={font}:text='A title of scene {number}':x=136:y=450:fontsize=96:"
                "fontcolor=white:alpha='min(1,t/0.6)',"
                f"drawtext=fontfile={font}:text='A line of text below it':x=136:y=590:fontsize=48:"
                f"fontcolor=white,settb=AVTB[s{number}]"
            )
        last = "s1"
        for number in range(2, SCENES + 1):
            offset = (number - 1) * (self._seconds - FADE)
            filters.append(
                f"[{last}][s{number}]xfade=transition=fade:duration={FADE}:offset={offset:.3f}[x{number}]"
            )
            last = f"x{number}"
        with measured() as cost:
            graph = ("-filter_complex", ";".join(filters), "-map", f"[{last}]")
            self._ffmpeg(*inputs, *graph, *coding, str(self._folder / "graph.mp4"))
        return cost

    def _moviepy(self, photos: list[Path]) -> Cost:
        script = Path(__file__).with_name("peer_scenes_moviepy.py")
        facts = [str(each) for each in (SCENES, self._seconds, FADE, FPS, fontpkg.path("Inter"))]
        arguments = [*facts, str(self._folder / "moviepy.mp4"), *map(str, photos)]
        environment = {"FFMPEG_BINARY": str(binary.find()), "PATH": ""}
        with measured() as cost:
            subprocess.run([sys.executable, str(script), *arguments], check=True, env=environment)
        return cost

    def _ffmpeg(self, *arguments: str) -> None:
        subprocess.run([str(binary.find()), "-v", "error", "-y", *arguments], check=True)
