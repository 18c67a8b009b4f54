"""The layers of a scene: what is seen over its background, the later ones over the earlier."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from renderkiln.pipelines.scenes.document.background import Gradient
from renderkiln.pipelines.scenes.document.motion import Drift, Entrance
from renderkiln.pipelines.scenes.document.style import Shadow, Stroke, TextStyle
from renderkiln.pipelines.scenes.document.units import (
    Color,
    Gain,
    Length,
    Piece,
    Place,
    Seconds,
    Share,
    check_sides,
)

Anchor = Literal[
    "center", "left", "right", "top", "bottom", "top-left", "top-right", "bottom-left", "bottom-right"
]
IfShort = Literal["loop", "freeze", "error"]


class Layer(Piece):
    """What all layers have."""

    start: Seconds = Field(0, description="When it appears, in seconds from the scene's beginning")
    end: Seconds | None = Field(None, description="When it is gone; by default with the scene")
    anchor: Anchor = Field(
        "center", description="Which point of it lies on the same point of the frame's safe area"
    )
    x: Length = Field(0, description="Moved to the right from there")
    y: Length = Field(0, description="Moved down from there")
    full_bleed: bool = Field(
        default=False, description="Measured from the frame's edges instead of its safe margins of 5 %"
    )
    opacity: Share = Field(1, description="0 is invisible")
    rotation: float = Field(0, ge=-360, le=360, description="Degrees clockwise")
    enter: Entrance | None = Field(None, description="How it comes in")
    exit: Entrance | None = Field(None, description="How it goes out")

    @model_validator(mode="after")
    def _is_seen(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"end {self.end:g} is not after start {self.start:g}")
        if getattr(self, "shape", None) != "line":
            check_sides(self)
        if self.exit is not None and self.exit.type == "typewriter":
            raise ValueError("a typewriter only comes in: choose another exit")
        return self


class TextLayer(Layer, TextStyle):
    """A text: wrapped to its width, made smaller to fit, never cut off in silence."""

    type: Literal["text"] = Field(description="A text")
    text: str = Field(min_length=1, max_length=10_000, description="What it says; \\n begins a new line")
    style: str = Field(
        "body", max_length=100, description="title, subtitle, body, caption or one of the brand's"
    )
    width: Length | None = Field(None, description="Room for its lines; by default the safe area's")
    height: Length | None = Field(None, description="Room for all of it; by default the safe area's")


class ImageLayer(Layer):
    """A picture: JPEG, PNG or WebP."""

    type: Literal["image"] = Field(description="A picture")
    file: Place = Field(description="Path or URL of the picture")
    width: Length | None = Field(None, description="Its width; by default in proportion, or as it is")
    height: Length | None = Field(None, description="Its height; by default in proportion, or as it is")
    fit: Literal["contain", "cover"] = Field("contain", description="Whether both given sides hold or fill")
    radius: float = Field(0, ge=0, le=2000, description="Of its corners, in pixels")
    shadow: Shadow | None = Field(None, description="A shadow behind it")
    stroke: Stroke | None = Field(None, description="A line around it")
    ken_burns: Drift | None = Field(
        None, description="A slow drift: in, out, left, right, up, down or an object"
    )


class VideoLayer(Layer):
    """A clip, with its sound."""

    type: Literal["video"] = Field(description="A clip, with its sound")
    file: Place = Field(description="Path or URL of the clip")
    width: Length | None = Field(None, description="Its width; by default in proportion, or the safe area's")
    height: Length | None = Field(None, description="Its height; by default in proportion")
    fit: Literal["contain", "cover"] = Field("contain", description="Whether both given sides hold or fill")
    radius: float = Field(0, ge=0, le=2000, description="Of its corners, in pixels")
    trim: Seconds = Field(0, description="Seconds left out at its beginning")
    if_short: IfShort = Field("freeze", description="What to do where it ends before its layer")
    mute: bool = Field(default=False, description="Leave its sound out")
    gain_db: Gain = Field(0, description="How much louder its sound is made, in dB")


class ShapeLayer(Layer):
    """A rectangle, an ellipse or a line."""

    type: Literal["shape"] = Field(description="A rectangle, an ellipse or a line")
    shape: Literal["rectangle", "ellipse", "line"] = Field("rectangle", description="Which")
    width: Length = Field(description="Its width; of a line how far it goes to the right")
    height: Length = Field(description="Its height; of a line how far it goes down")
    color: Color | None = Field("white", description="What it is filled with; null for nothing")
    gradient: Gradient | None = Field(None, description="What it is filled with instead")
    radius: float = Field(0, ge=0, le=2000, description="Of a rectangle's corners, in pixels")
    stroke: Stroke | None = Field(None, description="A line around it, or the line itself")
    shadow: Shadow | None = Field(None, description="A shadow behind it")


class ProgressLayer(Layer):
    """A bar that fills up while time passes."""

    type: Literal["progress"] = Field(description="A bar that fills up")
    of: Literal["scene", "film"] = Field("film", description="What it tells the time of")
    anchor: Anchor = Field("bottom", description="Which point of it lies on the same point of the frame")
    full_bleed: bool = Field(default=True, description="Measured from the frame's edges")
    width: Length = Field("100%", description="Its width")
    height: Length = Field(12, description="Its height")
    color: Color = Field("white", description="Of what has passed")
    track: Color = Field("#ffffff40", description="Of what is still to come")
    radius: float = Field(0, ge=0, le=2000, description="Of its corners, in pixels")


class WaveformLayer(Layer):
    """Bars that move with a sound."""

    type: Literal["waveform"] = Field(description="Bars that move with a sound")
    of: Literal["mix", "voice", "music"] = Field("mix", description="Which sound moves them")
    width: Length = Field("80%", description="Its width")
    height: Length = Field(200, description="The height that a bar has at most")
    bars: int = Field(48, ge=3, le=400, description="How many there are")
    color: Color = Field("white", description="Their colour")


class CaptionsLayer(Layer, TextStyle):
    """Subtitles, each at its time."""

    type: Literal["captions"] = Field(description="Subtitles")
    file: Place | None = Field(
        None,
        description="An SRT or WebVTT file, its times from the scene's beginning; by default what is spoken",
    )
    anchor: Anchor = Field("bottom", description="Which point lies on the same point of the safe area")
    style: str = Field(
        "caption", max_length=100, description="title, subtitle, body, caption or one of the brand's"
    )
    width: Length | None = Field(None, description="Room for its lines; by default the safe area's")
    max_lines: int = Field(2, ge=1, le=6, description="Lines at once")


AnyLayer = Annotated[
    TextLayer | ImageLayer | VideoLayer | ShapeLayer | ProgressLayer | WaveformLayer | CaptionsLayer,
    Field(discriminator="type"),
]
