"""How much work variations are: the pixels of all their frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from renderkiln.domain.work import Work
from renderkiln.pipelines.contract import InputFacts, Result
from renderkiln.pipelines.variations.clip import Clip, fitted
from renderkiln.pipelines.variations.params import VariationsParams

_BASE, _MEGAPIXEL = 2.0, 0.03  # CPU-seconds for any clip, and for a megapixel, measured on small clips
_FPS = 30.0  # of a clip that does not tell


def expects(params: VariationsParams, inputs: Sequence[InputFacts]) -> Work | None:
    """None where a clip does not tell how long or how large it is."""
    clip = inputs[0] if inputs else None
    if clip is None or clip.seconds is None or clip.width is None or clip.height is None:
        return None
    size = fitted(clip.width, clip.height, params.resolution)
    frames = clip.seconds * (params.fps or clip.fps or _FPS)
    return _work(params, params.count * frames, *size)


def did(params: VariationsParams, results: Mapping[str, Result]) -> Work:
    clip = Clip.from_json(results["look"].values["survey"], params)
    frames = sum(row["frames"] for row in results["compare"].values["variations"])
    return _work(params, frames, clip.width, clip.height)


def _work(params: VariationsParams, frames: float, width: int, height: int) -> Work:
    kind = f"variations {params.intensity} {params.quality} {params.encoder}"
    pixels = frames * width * height / 1e6
    return Work(kind, pixels, "megapixel", guess=_BASE + _MEGAPIXEL * pixels)
