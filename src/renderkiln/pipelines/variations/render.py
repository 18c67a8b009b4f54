"""Makes the variations, several at once, each a checkpoint of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from renderkiln.domain.errors import Permanent
from renderkiln.media.errors import FFmpegFailed
from renderkiln.media.ffmpeg.run import Finished
from renderkiln.media.frames.image import write_image
from renderkiln.media.frames.still import picture_of, scaled
from renderkiln.media.video.difference import Likeness, distances
from renderkiln.media.video.samples import samples
from renderkiln.media.video.survey import Survey, survey
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.experience import remember, speed_before
from renderkiln.pipelines.variations.check import faults, is_blank, said_of_damage
from renderkiln.pipelines.variations.clip import Clip
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.encoder import at_once, encoding_of
from renderkiln.pipelines.variations.film import Film
from renderkiln.pipelines.variations.look import likeness_of_clip, looked_at
from renderkiln.pipelines.variations.pace import Pace, kind_of
from renderkiln.pipelines.variations.params import VariationsParams, installed
from renderkiln.pipelines.variations.small import small_size, tiny_frame

FOLDER = "variations"  # in the work folder


def render(ctx: StageContext) -> Result:
    """Make every variation that is not made yet. Raises FFmpegFailed, Permanent, OSError, Stopped."""
    drawn = ctx.results["draw"].values
    clip = looked_at(ctx)
    (ctx.workdir / FOLDER).mkdir(exist_ok=True)
    sets = [EffectSet.from_json(each) for each in drawn["sets"]]
    spares = [EffectSet.from_json(each) for each in drawn["spares"]]
    made = _made(ctx, clip, sets)
    while (twin := _twin(ctx, clip, [made[each.id] for each in sets])) is not None:
        if not spares:
            number = ctx.params.skip + twin + 1
            raise Permanent(f"Variation {number} looks too much like another one, now that it is made")
        ctx.log.info("variation %d (%s) looks like another one: drawn anew", twin + 1, sets[twin].key)
        sets[twin] = spares.pop(0)
        made |= _made(ctx, clip, [sets[twin]])
    files = {f"{kind}-{each.id}": path for each in sets for kind, path in made[each.id].files.items()}
    frames = [made[each.id].values["frames"] for each in sets]
    return Result({"sets": [each.to_json() for each in sets], "frames": frames}, files)


def _made(ctx: StageContext, clip: Clip, sets: Sequence[EffectSet]) -> dict[str, Result]:
    """Make the variations with these sets; their results by the sets' ids."""
    maker = _Maker(ctx, clip, sets)
    parts = {f"variation-{each.id}": each for each in sets}
    results = ctx.parts(parts, maker.make, workers=at_once(len(sets), ctx.services.cores))
    maker.remember_pace()
    return {each.id: results[key] for key, each in parts.items()}


def _twin(ctx: StageContext, clip: Clip, made: Sequence[Result]) -> int | None:
    """The first finished variation that looks too much like the clip or one before it."""
    params: VariationsParams = ctx.params
    if params.min_difference == 0 or ctx.results["draw"].values["sets"] == [{}]:
        return None
    looks = (np.load(each.files["likeness"]) for each in made)
    rows = distances([likeness_of_clip(ctx, clip), *looks])
    close = (n for n in range(1, len(rows)) if rows[n, :n].min() < params.min_difference)
    return next((n - 1 for n in close), None)


class _Maker:
    """Makes variations of one clip, and tells how far all of them are."""

    def __init__(self, ctx: StageContext, clip: Clip, sets: Sequence[EffectSet]) -> None:
        self._ctx, self._clip = ctx, clip
        self._effects = installed()
        self._encoding = encoding_of(ctx.params, ctx.services)
        self._kind = kind_of(clip, ctx.params, ctx.services.cores)
        frames = {each.id: self._film(each).frames for each in sets}
        finished = {id: count for id, count in frames.items() if f"variation-{id}" in ctx.finished_parts}
        before = speed_before(ctx.services.cache, self._kind)
        self._pace = Pace(ctx, clip, frames, finished, before=before)

    def make(self, effects: EffectSet) -> Result:
        """One variation, checked. Raises Permanent with what is wrong with it."""
        film, folder = self._film(effects), self._ctx.workdir / FOLDER
        path = folder / f"{effects.id}.mp4"
        ended = self._run(film, path)
        if damage := said_of_damage(ended.tail):
            self._ctx.warn(
                "damaged", f"Parts of the clip are damaged, and so they are here: look at it ({damage})"
            )
        made = survey(path)
        look = self._look(film, made, path)
        wrong = faults(made, film)
        if is_blank(look, likeness_of_clip(self._ctx, self._clip)):
            wrong.append("nothing is to be seen in it")
        if wrong:
            raise Permanent(
                f"A variation ({effects.words(self._effects)}) is not as it should be: {'; '.join(wrong)}"
            )
        np.save(folder / f"{effects.id}.npy", look)
        self._pace.finished(effects.id)
        files = {
            "video": path,
            "likeness": folder / f"{effects.id}.npy",
            "picture": folder / f"{effects.id}.jpg",
        }
        return Result({"frames": film.frames}, files)

    def remember_pace(self) -> None:
        """So that the time of the next job of this kind is known before it begins."""
        if (fps := self._pace.speed.average) is not None:
            remember(self._ctx.services.cache, self._kind, fps)

    def _film(self, effects: EffectSet) -> Film:
        return Film(self._clip, self._effects, effects)

    def _run(self, film: Film, path: Path) -> Finished:
        try:
            return self._encode(film, path, self._encoding.encoder)
        except FFmpegFailed as error:
            if self._encoding.encoder == "libx264":
                raise
            self._ctx.warn("hardware", f"{self._encoding.encoder} failed, so software encoded: {error}")
            return self._encode(film, path, "libx264")

    def _encode(self, film: Film, path: Path, encoder: str) -> Finished:
        path.unlink(missing_ok=True)  # FFmpeg would write into the one that is there: it may be published
        source = self._ctx.inputs[0]
        command = film.command(
            source.path, path, replace(self._encoding, encoder=encoder), title=Path(source.name).stem
        )
        return self._ctx.run_ffmpeg(
            command, lambda report: self._pace.reached(film.set.id, report.frame or 0)
        )

    def _look(self, film: Film, made: Survey, path: Path) -> Likeness:
        """What it looks like, and its picture for the contact sheet."""
        half = float(1 / self._clip.fps / 2)  # the middle of a frame is no matter of rounding
        moments = [each + half for each in film.moments]
        width, height = self._clip.width, self._clip.height
        tiny = []
        for number, frame in enumerate(samples(path, made, moments)):
            tiny.append(tiny_frame(frame, width, height))
            if number == len(moments) // 2:
                write_image(path.with_suffix(".jpg"), scaled(picture_of(frame), small_size(width, height)[0]))
        return np.stack(tiny)
