"""Gets the files that a narration is made of, and sees that they are what they should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from renderkiln.domain.errors import Permanent
from renderkiln.domain.place import is_url
from renderkiln.media import container
from renderkiln.media.addresses import parse, shown
from renderkiln.media.audio.decode import SILENCE, open_audio
from renderkiln.media.audio.loudness import Meter
from renderkiln.media.errors import MediaError, Unsuitable
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.narration.leaving import unless_left_out
from renderkiln.pipelines.narration.params import Bed, NarrationParams
from renderkiln.pipelines.speakers import recording
from renderkiln.pipelines.taking import brought, kept


def download(ctx: StageContext) -> Result:
    """Music and recorded voice: fetched, decoded once, measured. Raises Permanent, Temporary, Stopped."""
    params: NarrationParams = ctx.params
    left_out: dict[str, str] = {}
    files: dict[str, Path] = {}
    values: dict[str, Any] = {}
    music = params.layers.beds().get("background")
    if music is not None:
        track = str(params.layers.background.track)  # type: ignore[union-attr]
        found = unless_left_out(ctx, "background", music, _taker(ctx, track, music), left_out)
        if found is not None:
            files["music"], values["music"] = found
    place = recording(params.voice) if params.layers.voice.enabled else None
    if place is not None:
        try:
            files["voice"], values["voice"] = _taken_in(ctx, place, "voice", required=True)
        except MediaError as error:
            raise Permanent(f"The recorded voice: {error}") from error
    return Result({**values, "leftOut": left_out}, files)


def _taker(ctx: StageContext, track: str, music: Bed) -> Callable[[], tuple[Path, Mapping[str, Any]]]:
    return lambda: _taken_in(ctx, track, "music", required=music.required)


def _taken_in(ctx: StageContext, place: str, name: str, *, required: bool) -> tuple[Path, Mapping[str, Any]]:
    """The file in the work folder, and what is known of it. Raises MediaError, Temporary."""
    source = brought(ctx, place, message="Downloading music", required=required) or Path(place)
    where = shown(parse(place)) if is_url(place) else container.shown(Path(place))
    try:
        facts = _heard(ctx, source)
    except MediaError as error:  # nobody knows the file in the cache by its name
        raise Unsuitable(str(error).replace(container.shown(source), where)) from error
    return kept(ctx, source, name), {**facts, "source": where.strip("'")}


def _heard(ctx: StageContext, path: Path) -> Mapping[str, Any]:
    """Decode all of it. Raises Unreadable, and Unsuitable for what is silent or too long."""
    with open_audio(path, max_seconds=ctx.services.limits.duration) as source:
        meter = Meter(source.rate)
        for block in source.blocks():
            meter.add(block)
            ctx.progress(0.9, "Looking at the music")
        facts = source.facts
    loudness = meter.result()
    if facts.peak < SILENCE:
        raise Unsuitable(f"{path.name} is silent")
    return {"seconds": facts.seconds, "lufs": loudness.to_json()["integrated"], "codec": facts.codec}
