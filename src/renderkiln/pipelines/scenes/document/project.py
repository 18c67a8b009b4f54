"""A project: a size, a brand, music, and scenes in their order."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from renderkiln.pipelines.scenes.document.background import Background, ColorBackground
from renderkiln.pipelines.scenes.document.layers import Anchor, AnyLayer, VideoLayer
from renderkiln.pipelines.scenes.document.motion import Change, Transition
from renderkiln.pipelines.scenes.document.sound import VOICE, Loudness, ProjectMusic, SceneVoice
from renderkiln.pipelines.scenes.document.style import TextStyle
from renderkiln.pipelines.scenes.document.units import (
    Color,
    ColorName,
    Length,
    Piece,
    Place,
    Share,
    check_sides,
)

Resolution = Literal["1080p", "720p", "480p"]
Aspect = Literal["16:9", "9:16", "1:1", "4:5"]
ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"  # of a scene
MOST_SCENES, MOST_LAYERS = 1000, 100
MOST_CLIPS = 16  # of a scene: each is decoded by an FFmpeg of its own
TITLE = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"


class Logo(Piece):
    """A picture in the same place over every scene."""

    file: Place = Field(description="Path or URL of the picture")
    anchor: Anchor = Field("top-right", description="Where in the frame's safe area")
    width: Length | None = Field(None, description="Its width; by default in proportion to its height")
    height: Length | None = Field(64, description="Its height")
    opacity: Share = Field(0.9, description="0 is invisible")

    @model_validator(mode="after")
    def _is_seen(self) -> Self:
        check_sides(self)
        return self


class Brand(Piece):
    """What all scenes have in common."""

    fonts: dict[str, Place] = Field(
        {}, max_length=20, description="Font files by the names that styles call them"
    )
    font: str | None = Field(None, description="The font of every text that names none")
    colors: dict[ColorName, Color] = Field(
        {},
        max_length=100,
        description="Colours by name",
        json_schema_extra={"additionalProperties": False},
    )
    styles: dict[str, TextStyle] = Field({}, max_length=100, description="Text styles by name")
    logo: Logo | None = Field(None, description="A picture over every scene")


class Scene(Piece):
    """One scene."""

    id: str | None = Field(
        None,
        pattern=ID,
        description="Its name; by default scene-1, scene-2 …",
    )
    duration: float | None = Field(
        None, gt=0, le=12 * 3600, description="Seconds; by default as long as its voice, else its video"
    )
    background: Background = Field(
        ColorBackground(type="color", color="black"), description="What fills the frame behind its layers"
    )
    layers: tuple[AnyLayer, ...] = Field((), max_length=MOST_LAYERS, description="From back to front")
    voice: SceneVoice | None = Field(None, description="A recording, or a text that is spoken")
    transition: Change | None = Field(None, description="How it becomes the next; by default the project's")
    logo: bool = Field(default=True, description="Whether the brand's logo is seen")

    @model_validator(mode="after")
    def _has_few_clips(self) -> Self:
        clips = sum(isinstance(layer, VideoLayer) for layer in self.layers)
        if clips > MOST_CLIPS:
            raise ValueError(f"a scene has at most {MOST_CLIPS} clips at once, not {clips}")
        return self


class Project(Piece):
    """A film of scenes. Lengths are in pixels of a frame whose shorter side has 1080."""

    version: Literal[1] = Field(1, description="Of this form of documents")
    title: str | None = Field(
        None, max_length=500, pattern=TITLE, description="In the file's tags, and its name"
    )
    resolution: Resolution = Field("1080p", description="The shorter side in pixels")
    aspect: Aspect = Field("16:9", description="Width to height")
    fps: Literal[24, 25, 30, 50, 60] = Field(30, description="Frames per second")
    brand: Brand = Field(Brand(), description="Fonts, colours, text styles and logo")
    voice: str = Field("espeak:en", pattern=VOICE, description="Who speaks, as provider:voice")
    music: ProjectMusic | None = Field(None, description="Music under the whole film")
    loudness: Loudness = Field(Loudness(), description="How loud the film is")
    transition: Change = Field(Transition(type="cut"), description="How a scene becomes the next one")
    scenes: tuple[Scene, ...] = Field(min_length=1, max_length=MOST_SCENES, description="In their order")

    @property
    def ids(self) -> tuple[str, ...]:
        """Of all scenes, in their order; those without one are called scene-1, scene-2 … by their place."""
        return tuple(scene.id or f"scene-{number}" for number, scene in enumerate(self.scenes, 1))
