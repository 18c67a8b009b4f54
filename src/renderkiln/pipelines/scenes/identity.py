"""What decides how a film of scenes looks and sounds, besides its params; and what decides one part of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from renderkiln import __version__
from renderkiln.domain.errors import UsageError
from renderkiln.domain.fingerprint import file_sha256, fingerprint
from renderkiln.domain.place import is_url
from renderkiln.media.ffmpeg.binary import build
from renderkiln.media.frames.fonts import font_fingerprint
from renderkiln.pipelines.contract import Services, StageContext
from renderkiln.pipelines.scenes.document.layers import CaptionsLayer, ProgressLayer, WaveformLayer
from renderkiln.pipelines.scenes.document.places import places, resolve_place
from renderkiln.pipelines.scenes.drawing.studio import Studio
from renderkiln.pipelines.scenes.params import ScenesParams
from renderkiln.pipelines.scenes.timeline import Part, Span

DRAWING = 1  # raise it when the same scene would be drawn otherwise
_HEARD = {"mute", "gain_db"}  # of clips: nothing of them is seen


def identity(params: ScenesParams, services: Services) -> Mapping[str, Any]:
    """Plain values; no key of a provider is in them."""
    folder, speech = Path(params.folder), services.speech
    named, largest = {each.place for each in places(params.film)}, services.limits.file_size
    return {
        "ffmpeg": build(services.ffmpeg),
        "fonts": font_fingerprint(services.fonts),
        "drawing": DRAWING,
        "files": {place: _content(folder, place, largest) for place in sorted(named)},
        "speech": [
            services.fallback,
            speech.openai_base_url,
            speech.openai_model,
            speech.openai_instructions,
            speech.elevenlabs_base_url,
            speech.elevenlabs_model,
            speech.chunk_size,
        ],
    }


def _content(folder: Path, place: str, most: int) -> str:
    """Of a file, its hash; of what is not there, is too large, or lies behind a URL, its place."""
    if is_url(place):
        return place
    try:
        path = resolve_place(place, folder)
        return file_sha256(path) if path.stat().st_size <= most else place
    except (UsageError, OSError):  # it is told when it is fetched
        return place


def part_fingerprint(ctx: StageContext, part: Part, studio: Studio) -> str:
    """Of all that decides the frames of a part and the bytes of its file."""
    params, canvas = ctx.params, studio.canvas
    transition = part.span.transition if part.next is not None else None
    return fingerprint(
        {
            "drawing": [DRAWING, __version__],
            "encoder": [params.format, params.quality, build(ctx.services.ffmpeg)],
            "canvas": [canvas.width, canvas.height, str(canvas.fps)],
            "fonts": font_fingerprint(ctx.services.fonts),
            "brand": studio.brand.model_dump(mode="json"),
            "files": {
                place: found.sha256 for place, found in studio.found.items() if _uses(part, place, studio)
            },
            "frames": [part.first, part.frames],
            "scene": _scene(part.span, studio, ctx),
            "next": part.next and _scene(part.next, studio, ctx),
            "transition": transition and transition.model_dump(mode="json"),
        }
    )


def _scene(span: Span, studio: Studio, ctx: StageContext) -> Mapping[str, Any]:
    """A scene as it is drawn: not its name, nor what is only heard."""
    layers = span.scene.layers
    seen: dict[str, Any] = {
        "frames": span.frames,
        "background": span.scene.background.model_dump(mode="json", exclude=_HEARD),
        "layers": [layer.model_dump(mode="json", exclude=_HEARD) for layer in layers],
        "logo": span.scene.logo,
    }
    if any(isinstance(layer, CaptionsLayer) and layer.file is None for layer in layers):
        seen["spoken"] = [[cue.start, cue.end, cue.text] for cue in studio.spoken.get(span.id, ())]
    if any(isinstance(layer, ProgressLayer) and layer.of == "film" for layer in layers):
        seen["film"] = [span.start, studio.film_frames]
    waves = {layer.of for layer in layers if isinstance(layer, WaveformLayer)}
    if waves:
        files = ctx.results["sound"].files
        seen["bars"] = [span.start, {name: _hash(files.get(f"bars-{name}")) for name in sorted(waves)}]
    return seen


def _uses(part: Part, place: str, studio: Studio) -> bool:
    """Whether a file is seen in the part."""
    spans = [part.span, *([part.next] if part.next is not None else [])]
    return any(place in _files(span, studio) for span in spans)


def _files(span: Span, studio: Studio) -> set[str]:
    named = {getattr(layer, "file", None) for layer in span.scene.layers}
    named.add(getattr(span.scene.background, "file", None))
    named |= set(studio.brand.fonts.values())
    if studio.brand.logo is not None and span.scene.logo:
        named.add(studio.brand.logo.file)
    return {each for each in named if each is not None}


def _hash(path: Path | None) -> str | None:
    return None if path is None else file_sha256(path)
