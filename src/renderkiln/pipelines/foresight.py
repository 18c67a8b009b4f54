"""How much work a job will be, before it is done, and how much it was: what estimates are made of."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from renderkiln.domain.asset import Asset
from renderkiln.domain.work import Work
from renderkiln.pipelines.contract import InputFacts, Pipeline, Result, Services

_log = logging.getLogger(__name__)
_MEGABYTE = 1_000_000


def expected(pipeline: Pipeline, params: Any, inputs: Sequence[InputFacts], services: Services) -> Work:
    """What a job with these params would have to do; `inputs` are not opened.

    A pipeline that says nothing of it is measured by the bytes of its inputs, else by the job.
    """
    foresee = getattr(pipeline, "expects", None)
    found: Work | None = None if foresee is None else foresee(params, inputs, services)
    return found or _by_bytes(pipeline, [each.size for each in inputs])


def facts_of(path: Path) -> InputFacts:
    """What a file says of itself, read in a child process with limits. Raises MediaError, OSError."""
    from renderkiln.media.probe import probe_safely  # FFmpeg's libraries take a while to load

    found = probe_safely(path)
    films = [each for each in found.streams if each.kind == "video" and not each.attached_picture]
    film = films[0] if films else None
    return InputFacts(
        size=found.size,
        seconds=found.duration,
        width=film.width if film else None,
        height=film.height if film else None,
        fps=float(Fraction(film.fps)) if film and film.fps else None,
    )


def done(
    pipeline: Pipeline, params: Any, assets: Sequence[Asset], results: Mapping[str, Result]
) -> Work | None:
    """What a job that began anew has done; None where much of it was taken from other jobs."""
    tell = getattr(pipeline, "did", None)
    if tell is None:
        return _by_bytes(pipeline, [asset.size for asset in assets])
    try:
        found: Work | None = tell(params, results)
    except Exception:  # noqa: BLE001  a stranger's code: the job is done, whatever it says
        _log.exception("how much work a job of the pipeline %s was is not known", pipeline.name)
        return None
    return found


def _by_bytes(pipeline: Pipeline, sizes: Sequence[int]) -> Work:
    if not sizes:
        return Work(pipeline.name, 1.0, "job")
    return Work(pipeline.name, sum(sizes) / _MEGABYTE, "megabyte of input")
