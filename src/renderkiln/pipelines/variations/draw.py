"""Draws the effect sets, and keeps those that truly look different."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice

from renderkiln.domain.errors import Permanent
from renderkiln.media.video.difference import Likeness, from_raw, nearest
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.variations.clip import Clip
from renderkiln.pipelines.variations.effect import Effect, Picture
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.look import likeness_of_clip, looked_at
from renderkiln.pipelines.variations.params import VariationsParams, installed
from renderkiln.pipelines.variations.small import small_size, tiny_size, try_effects

SPARES = 3  # more sets than are asked for, should a finished pair still look too much alike
_MARGIN = 1.1  # so that few finished ones are found too much alike after all
_PATIENCE = 60  # sets in a row that look like earlier ones: then there are no more to be found


def draw(ctx: StageContext) -> Result:
    """Choose the sets of all variations. Raises Permanent where so many different ones are not to be had."""
    params: VariationsParams = ctx.params
    clip, effects = looked_at(ctx), installed()
    sampler = params.sampler(effects, has_sound=clip.has_sound)
    wanted = params.skip + params.count
    if wanted == 1 and not next(iter(sampler)):  # no effect is on: the clip in the common form
        return Result({"sets": [{}], "spares": []})
    ctx.progress(0, "Choosing effects")
    if params.min_difference == 0:
        kept, spares = list(islice(filter(None, sampler), wanted)), []
    else:
        search = _Search(ctx, clip, effects)
        kept = search.first(wanted, iter(sampler))
        spares = search.first(SPARES, params.spare_sampler(effects, has_sound=clip.has_sound))
    if len(kept) < wanted:
        raise Permanent(_too_few(params, len(kept)))
    return Result(
        {
            "sets": [each.to_json() for each in kept[params.skip :]],
            "spares": [each.to_json() for each in spares],
        }
    )


class _Search:
    """Finds sets that differ enough from the clip and from all that were found before."""

    def __init__(self, ctx: StageContext, clip: Clip, effects: Sequence[Effect]) -> None:
        self._ctx, self._trial = ctx, _Trial(ctx, clip, effects)
        self._least = ctx.params.min_difference * _MARGIN
        self._seen = [likeness_of_clip(ctx, clip)]

    def first(self, wanted: int, candidates: Iterator[EffectSet]) -> list[EffectSet]:
        """The first `wanted` ones, in the order they are drawn; fewer where there are no more."""
        kept: list[EffectSet] = []
        misses = 0
        for each, look in self._tried(candidates):
            if nearest(look, self._seen)[1] < self._least:
                misses += 1
            else:
                misses = 0
                kept.append(each)
                self._seen.append(look)
                self._ctx.progress(len(kept) / (wanted + 1), "Choosing effects")
            if len(kept) == wanted or misses == _PATIENCE:
                break
        return kept

    def _tried(self, candidates: Iterator[EffectSet]) -> Iterator[tuple[EffectSet, Likeness]]:
        """Each with what it looks like; as many are tried at once as there are cores."""
        cores = self._ctx.services.cores
        with ThreadPoolExecutor(cores, thread_name_prefix="try") as pool:
            while some := list(islice(candidates, cores)):
                yield from zip(some, pool.map(self._trial.of, some), strict=True)


class _Trial:
    """Tries effect sets on the small pictures of the clip."""

    def __init__(self, ctx: StageContext, clip: Clip, effects: Sequence[Effect]) -> None:
        self._ctx, self._clip, self._effects = ctx, clip, effects
        self._small = ctx.results["look"].files["small"]
        self._numbers = count()

    def of(self, candidate: EffectSet) -> Likeness:
        """What the clip looks like with this set."""
        width, height = small_size(self._clip.width, self._clip.height)
        picture = Picture(width, height, self._clip.fps, self._clip.survey.duration)
        filters = candidate.picture_filters(self._effects, picture)
        target = self._ctx.workdir / f"try-{next(self._numbers)}.yuv"
        self._ctx.run_ffmpeg(try_effects(self._clip, self._small, filters, target))
        try:
            return from_raw(target, *tiny_size(self._clip.width, self._clip.height))
        finally:
            target.unlink()


def _too_few(params: VariationsParams, found: int) -> str:
    wanted = params.skip + params.count
    asked = f"{wanted} variations that look different" if wanted > 1 else "a variation that looks different"
    there = f"only {found}" if found else "none"
    return (
        f"Of {asked}, {there} could be found (at least {params.min_difference:g} code values apart): ask for "
        "fewer, a stronger intensity, more effects on the picture, or less difference"
    )
