"""Which encoder makes the variations, and with how many threads."""

from __future__ import annotations

from renderkiln.media.ffmpeg.encoders import working
from renderkiln.media.ffmpeg.transcode import HARDWARE, Encoding
from renderkiln.pipelines.contract import Services
from renderkiln.pipelines.variations.params import VariationsParams

_MOST_THREADS = 6  # more gain little at these sizes, and each holds frames in memory


def encoding_of(params: VariationsParams, services: Services) -> Encoding:
    """Hardware only if it was wished for and has made a picture on this machine."""
    return Encoding(params.quality, _encoder(params, services), threads_of(params.count, services.cores))


def at_once(count: int, cores: int) -> int:
    """Variations that are made at the same time."""
    return max(1, min(count, cores))


def threads_of(count: int, cores: int) -> int:
    """One process on one core each is the cheapest way; fewer variations than cores share what is left."""
    return max(1, min(cores // at_once(count, cores), _MOST_THREADS))


def _encoder(params: VariationsParams, services: Services) -> str:
    if params.encoder == "software":
        return "libx264"
    found = working(services.ffmpeg, services.cache)
    return next((name for name in HARDWARE if name in found and found[name].works), "libx264")
