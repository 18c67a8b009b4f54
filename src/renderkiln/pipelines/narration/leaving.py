"""Layers that are left out: a narration is better without its music than not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from renderkiln.domain.errors import Permanent
from renderkiln.media.errors import MediaError
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.narration.params import Bed

T = TypeVar("T")


def unless_left_out(
    ctx: StageContext, name: str, layer: Bed, make: Callable[[], T], left_out: dict[str, str]
) -> T | None:
    """What `make` makes for a layer; None, with the reason noted in `left_out`, where it fails.

    Raises Permanent if the layer is required.
    """
    try:
        return make()
    except (MediaError, ValueError) as error:
        if layer.required:
            raise Permanent(f"the layer {name} is required, and failed: {error}") from error
        left_out[name] = str(error)
        ctx.warn(f"layer-{name}", f"The layer {name} was left out: {error}")
        ctx.log.warning("the layer %s was left out", name, exc_info=True)
        return None


def left_out_so_far(results: Mapping[str, Result]) -> dict[str, str]:
    """By name, why layers were left out in the stages that have ended."""
    found: dict[str, str] = {}
    for result in results.values():
        found |= result.values.get("leftOut", {})
    return found


def beds_left(params_beds: Mapping[str, Bed], results: Mapping[str, Result]) -> dict[str, Bed]:
    """The layers under the voice that are still in."""
    out = left_out_so_far(results)
    return {name: bed for name, bed in params_beds.items() if name not in out}
