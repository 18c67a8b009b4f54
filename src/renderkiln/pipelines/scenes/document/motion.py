"""How layers come and go, how pictures drift, and how one scene becomes the next."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticKnownError

from renderkiln.media.frames.easing import Easing
from renderkiln.pipelines.scenes.document.units import Color, Length, Piece, Share

Direction = Literal["left", "right", "top", "bottom"]
MotionName = Literal["fade", "slide", "rise", "zoom", "wipe", "typewriter"]
TransitionName = Literal["cut", "crossfade", "wipe", "slide", "zoom", "dip"]
DriftName = Literal["in", "out", "left", "right", "up", "down"]


class Motion(Piece):
    """How a layer comes in or goes out."""

    type: MotionName = Field(
        description="fade; slide from beyond the frame; rise a little way while fading; zoom while fading; "
        "wipe; typewriter (texts only, to come in)"
    )
    duration: float = Field(0.6, ge=0, le=60, description="Seconds that it takes")
    direction: Direction | None = Field(
        None,
        description="Where it comes from or goes to; by default left for slide and wipe, bottom for rise",
    )
    distance: Length = Field(60, description="How far it rises")
    scale: float = Field(0.8, ge=0, le=4, description="The size that a zoom begins with, 1 being its own")
    easing: Easing = Field("out-cubic", description="How the speed changes on the way")


class View(Piece):
    """A part of a picture: how much it is enlarged, and where its middle lies."""

    zoom: float = Field(1.0, ge=1, le=4, description="1 shows all of it")
    x: Share = Field(0.5, description="Middle of the part, 0 left to 1 right")
    y: Share = Field(0.5, description="Middle of the part, 0 top to 1 bottom")


class KenBurns(Piece):
    """A slow drift over a picture for as long as it is seen."""

    start: View = Field(View(), description="The part that is seen first")
    end: View = Field(View(zoom=1.15), description="The part that is seen last")
    easing: Easing = Field("in-out-sine", description="How the speed changes on the way")


_DRIFTS: dict[str, KenBurns] = {
    "in": KenBurns(),
    "out": KenBurns(start=View(zoom=1.15), end=View()),
    "left": KenBurns(start=View(zoom=1.15, x=1), end=View(zoom=1.15, x=0)),
    "right": KenBurns(start=View(zoom=1.15, x=0), end=View(zoom=1.15, x=1)),
    "up": KenBurns(start=View(zoom=1.15, y=1), end=View(zoom=1.15, y=0)),
    "down": KenBurns(start=View(zoom=1.15, y=0), end=View(zoom=1.15, y=1)),
}


class Transition(Piece):
    """How a scene becomes the next one. Both are seen meanwhile: the film is shorter by its duration."""

    type: TransitionName = Field(
        description="cut; crossfade; wipe; slide (the next one pushes); zoom; dip to a colour and back"
    )
    duration: float = Field(0.5, gt=0, le=30, description="Seconds that it takes; a cut takes none")
    direction: Direction = Field("left", description="Where a wipe or slide moves to")
    color: Color = Field("black", description="What a dip dips to")
    easing: Easing = Field("in-out-cubic", description="How the speed changes on the way")


def _named_drift(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    if given not in _DRIFTS:
        raise PydanticKnownError("literal_error", {"expected": " or ".join(map(repr, _DRIFTS))})
    return _DRIFTS[given]


def _named(given: Any) -> Any:
    return {"type": given} if isinstance(given, str) else given


# A word stands for the object with its defaults: "fade", "crossfade", "in".
Entrance = Annotated[Motion, BeforeValidator(_named, json_schema_input_type=Motion | MotionName)]
Change = Annotated[Transition, BeforeValidator(_named, json_schema_input_type=Transition | TransitionName)]
Drift = Annotated[
    KenBurns,
    BeforeValidator(_named_drift, json_schema_input_type=KenBurns | DriftName),
]
