"""What can be asked of the visualizer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from renderkiln.domain.errors import UsageError
from renderkiln.domain.nearest import nearest
from renderkiln.media.frames.canvas import Canvas
from renderkiln.pipelines.catalog import TEMPLATES, load, names
from renderkiln.pipelines.visualizer.formats import FORMATS
from renderkiln.pipelines.visualizer.template import Template, TemplateParams

Fps = Literal[24, 25, 30, 50, 60]
Quality = Literal["draft", "balanced", "high"]
Codec = Literal["h264", "hevc", "av1"]


def _installed(schema: dict[str, Any]) -> None:
    """So that a form offers them; others are `module:Class`. Only a schema asks, as all packages are read."""
    schema["examples"] = list(names(TEMPLATES))


class VisualizerParams(BaseModel):
    """One film of one song. Command-line options, JSON schema and forms derive from these fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str = Field(
        "1080p", description="Size and projection of the film", json_schema_extra={"enum": list(FORMATS)}
    )
    template: str = Field(
        "flame", description="Look of the film (renderkiln templates list)", json_schema_extra=_installed
    )
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

    @field_validator("template")
    @classmethod
    def _known_template(cls, name: str) -> str:
        try:
            load(TEMPLATES, name)
        except UsageError as error:
            raise ValueError(str(error)) from error
        return name

    @field_validator("look")
    @classmethod
    def _fits_the_template(cls, look: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if (name := info.data.get("template")) is not None:  # or else that is what is wrong
            _params_of(name, look)
        return look

    def load_template(self) -> Template:
        """The template asked for."""
        template: Template = load(TEMPLATES, self.template)()
        return template

    def template_params(self) -> TemplateParams:
        """`look`, validated by the template's own Params."""
        return _params_of(self.template, self.look)

    def canvas(self) -> Canvas:
        return FORMATS[self.format].canvas(self.fps)


def _params_of(name: str, look: dict[str, Any]) -> TemplateParams:
    template: Template = load(TEMPLATES, name)()
    for given in look.keys() - template.Params.model_fields.keys():
        raise ValueError(
            f"{name} has no field {given!r}; {nearest(given, template.Params.model_fields)}".rstrip("; ")
        )
    params = template.Params.model_validate(look)
    if params.palette not in ("default", *template.palettes):
        raise ValueError(
            f"unknown palette {params.palette!r} of template {name}; there are {', '.join(template.palettes)}"
        )
    return params
