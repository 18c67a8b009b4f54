"""How parts of a film are encoded and joined, for each format that comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from renderkiln.media.ffmpeg import parts, webm
from renderkiln.media.ffmpeg.command import Command, concat_and_mux
from renderkiln.media.ffmpeg.gif import Look
from renderkiln.media.gif.film import Film, Made, Part, Workbench, make
from renderkiln.media.gif.fit import fit
from renderkiln.pipelines.contract import StageContext
from renderkiln.pipelines.scenes.params import Format, ScenesParams

CODECS: Mapping[Format, parts.Codec] = {"mp4": "h264", "webm": "vp9", "gif": "lossless"}


def encode_part(params: ScenesParams, output: Path) -> Command:
    """Raw frames from stdin into a part."""
    canvas = params.canvas
    return parts.encode_part(
        width=canvas.width,
        height=canvas.height,
        fps=canvas.fps,
        codec=CODECS[params.format],
        quality=params.quality,
        output=output,
    )


def parts_at_once(params: ScenesParams, cores: int) -> int:
    """How many parts are encoded side by side: one for each thread that an encoder keeps busy."""
    return max(1, cores // parts.VP9_THREADS) if params.format == "webm" else cores


def join_film(params: ScenesParams, listed: Path, sound: Path | None, output: Path) -> Command:
    """The parts in a list file, and their sound, into an mp4 or a webm."""
    metadata = {"title": params.project.title} if params.project.title else {}
    join = webm.join if params.format == "webm" else concat_and_mux
    return join(segments=listed, output=output, audio=sound, metadata=metadata)


def make_gif(ctx: StageContext, found: Sequence[tuple[Path, int]], output: Path) -> Made:
    """A gif of parts and their counts of frames, within `max_bytes` if that can be."""
    canvas = ctx.params.canvas
    film = Film([Part(path, frames) for path, frames in found], canvas.fps)
    look, most = Look(canvas.width, canvas.height), ctx.params.max_bytes
    bench = Workbench(ctx.run_ffmpeg, output.parent, ctx.services.cores)
    return make(film, look, output, bench) if most is None else fit(film, look, most, output, bench)
