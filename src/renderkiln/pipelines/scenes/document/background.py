"""What fills the frame behind all layers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from renderkiln.pipelines.scenes.document.motion import Drift
from renderkiln.pipelines.scenes.document.units import Color, Gain, Piece, Place, Seconds, Share


class Stop(Piece):
    """A colour of a gradient and where it is."""

    color: Color = Field(description="The colour there")
    at: Share = Field(description="0 is the gradient's beginning, 1 its end")


def _tupled(given: Any) -> Any:
    # The validator of backgrounds hands on a list of Python's, which is no tuple where JSON's would be one.
    return tuple(given) if isinstance(given, list) else given


class Gradient(Piece):
    """From colour to colour."""

    kind: Literal["linear", "radial"] = Field("linear", description="Along a line, or outwards")
    angle: float = Field(180, ge=-360, le=360, description="Degrees: 180 goes down, 90 to the right")
    colors: Annotated[tuple[Color | Stop, ...], BeforeValidator(_tupled)] = Field(
        min_length=2, max_length=20, description="Colours, evenly spaced where no place is given"
    )


class ColorBackground(Piece):
    """One colour."""

    type: Literal["color"] = Field(description="One colour")
    color: Color = Field(description="The colour")


class GradientBackground(Gradient):
    """A gradient over the whole frame."""

    type: Literal["gradient"] = Field(description="From colour to colour")


class ImageBackground(Piece):
    """A picture over the whole frame."""

    type: Literal["image"] = Field(description="A picture")
    file: Place = Field(description="Path or URL of the picture")
    fit: Literal["cover", "contain"] = Field("cover", description="Whether it fills the frame or all is seen")
    color: Color = Field("black", description="What is beside a picture that is contained")
    dim: Share = Field(0, description="How much darker it is made, so that texts stand out")
    ken_burns: Drift | None = Field(
        None, description="A slow drift: in, out, left, right, up, down or an object"
    )


class VideoBackground(Piece):
    """A clip over the whole frame, with its sound."""

    type: Literal["video"] = Field(description="A clip, with its sound")
    file: Place = Field(description="Path or URL of the clip")
    fit: Literal["cover", "contain"] = Field("cover", description="Whether it fills the frame or all is seen")
    color: Color = Field("black", description="What is beside a clip that is contained")
    dim: Share = Field(0, description="How much darker it is made, so that texts stand out")
    trim: Seconds = Field(0, description="Seconds left out at its beginning")
    if_short: Literal["loop", "freeze", "error"] = Field(
        "loop", description="What to do where it ends before its scene"
    )
    mute: bool = Field(default=False, description="Leave its sound out")
    gain_db: Gain = Field(0, description="How much louder its sound is made, in dB")


def _short(given: Any) -> Any:
    return {"type": "color", "color": given} if isinstance(given, str) else given


AnyBackground = Annotated[
    ColorBackground | GradientBackground | ImageBackground | VideoBackground, Field(discriminator="type")
]
# A colour stands for the object with it.
Background = Annotated[AnyBackground, BeforeValidator(_short, json_schema_input_type=AnyBackground | Color)]
