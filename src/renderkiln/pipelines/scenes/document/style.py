"""How texts look."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from renderkiln.pipelines.scenes.document.units import Color, Piece


class Shadow(Piece):
    """A soft copy behind it. Lengths in pixels."""

    color: Color = Field("#000000a0", description="Its colour")
    x: float = Field(0, ge=-500, le=500, description="How far to the right")
    y: float = Field(4, ge=-500, le=500, description="How far down")
    blur: float = Field(12, ge=0, le=500, description="How soft: the standard deviation is half of it")


class Stroke(Piece):
    """An outline."""

    color: Color = Field("black", description="Its colour")
    width: float = Field(4, gt=0, le=200, description="How thick, in pixels")


class Box(Piece):
    """A rectangle behind a text."""

    color: Color = Field("#000000b0", description="Its colour")
    padding: float = Field(24, ge=0, le=500, description="Pixels between text and edge")
    radius: float = Field(12, ge=0, le=500, description="Of its corners, in pixels")
    per_line: bool = Field(default=False, description="A box for each line, as wide as the line")


class TextStyle(Piece):
    """How a text looks. What is left out comes from the style that it names."""

    font: str | None = Field(None, max_length=2000, description="A font of the brand, by its name there")
    size: float | None = Field(None, gt=0, le=2000, description="Of the letters, in pixels")
    min_size: float | None = Field(
        None, gt=0, le=2000, description="How small they may become to fit; by default 60 % of size"
    )
    weight: int | None = Field(None, ge=100, le=900, description="400 is regular, 700 bold")
    color: Color | None = Field(None, description="Of the letters")
    align: Literal["start", "center", "end"] | None = Field(
        None, description="Of lines, in the direction of reading; by default as the layer is anchored"
    )
    letter_spacing: float | None = Field(None, ge=-0.2, le=2, description="In ems")
    line_height: float | None = Field(None, ge=0.7, le=4, description="In ems")
    uppercase: bool | None = Field(None, description="Show it in capitals")
    shadow: Shadow | None = Field(None, description="A shadow behind the letters")
    stroke: Stroke | None = Field(None, description="An outline around the letters")
    box: Box | None = Field(None, description="A rectangle behind the text")


# What the named styles are where the brand does not say otherwise.
STYLES: dict[str, TextStyle] = {
    "title": TextStyle(size=110, weight=700, letter_spacing=-0.015, line_height=1.1),
    "subtitle": TextStyle(size=64, weight=500, line_height=1.2),
    "body": TextStyle(size=48, weight=400, line_height=1.3),
    "caption": TextStyle(size=52, weight=600, line_height=1.25, align="center", box=Box(padding=18)),
}
PLAIN = TextStyle(size=48, weight=400, color="white", letter_spacing=0, line_height=1.24, uppercase=False)
