"""What can be asked of the visualizer."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from renderkiln.media.frames.canvas import Canvas
from renderkiln.pipelines.catalog import load
from renderkiln.pipelines.visualizer.formats import FORMATS
from renderkiln.pipelines.visualizer.template import Template, TemplateParams

Fps = Literal[24, 25, 30, 50, 60]
Quality = Literal["draft", "balanced", "high"]
Codec = Literal["h264", "hevc", "av1"]


class VisualizerParams(BaseModel):
    """One film of one song. Command-line options, JSON schema and forms derive from these fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str = Field(
        "1080p", description="Size and projection of the film", json_schema_extra={"enum": list(FORMATS)}
    )
    template: str = Field("flame", description="Look of the film (renderkiln templates list)")
    fps: Fps = Field(30, description="Frames per second")
    quality: Quality = Field("balanced", description="Draft encodes fastest, high keeps the most detail")
    codec: Codec = Field("h264", description="Video codec")
    seed: int = Field(1, ge=0, lt=2**31, description="Another seed gives another film")
    report: bool = Field(default=False, description="Write the verification report beside the film")
    look: dict[str, Any] = Field(default_factory=dict, description="The template's own parameters")

    @field_validator("format")
    @classmethod
    def _known_format(cls, name: str) -> str:
        if name not in FORMATS:
            raise ValueError(f"unknown format {name!r}; there are {', '.join(FORMATS)}")
        return name

    @model_validator(mode="after")
    def _look_fits_the_template(self) -> Self:
        self.template_params()
        return self

    def load_template(self) -> Template:
        """The template asked for. Raises UsageError for an unknown name."""
        template: Template = load("renderkiln.templates", self.template)()
        return template

    def template_params(self) -> TemplateParams:
        """`look`, validated by the template's own Params."""
        template = self.load_template()
        params = template.Params.model_validate(self.look)
        if params.palette not in ("default", *template.palettes):
            raise ValueError(
                f"unknown palette {params.palette!r} of template {self.template}; "
                f"there are {', '.join(template.palettes)}"
            )
        return params

    def canvas(self) -> Canvas:
        return FORMATS[self.format].canvas(self.fps)
