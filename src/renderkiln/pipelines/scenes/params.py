"""What can be asked of the scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from renderkiln.media.frames.canvas import Canvas
from renderkiln.media.gif.rate import RATES
from renderkiln.pipelines.scenes.document.project import Aspect, Project, Resolution, Scene
from renderkiln.pipelines.scenes.document.reading import project_of
from renderkiln.pipelines.scenes.document.references import check_scenes
from renderkiln.pipelines.scenes.size import canvas_of

Format = Literal["mp4", "webm", "gif"]
USUAL_GIF_FPS = 20


class ScenesParams(BaseModel):
    """One film of a project. Command-line options, JSON schema and forms derive from these fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: Project = Field(description="The project document")
    folder: str = Field("", description="Where the paths in the project count from, and may not lead out of")
    scenes: tuple[str, ...] = Field(
        (), max_length=1000, description="Ids of scenes; by default all, in order"
    )
    format: Format = Field("mp4", description="File format")
    resolution: Resolution | None = Field(
        None, description="Shorter side of the frame; by default the project's"
    )
    aspect: Aspect | None = Field(None, description="Width to height; by default the project's")
    fps: Literal[24, 25, 30, 50, 60] | None = Field(
        None, description="Frames per second; by default the project's, of a gif at most 20"
    )
    quality: Literal["draft", "balanced", "high"] = Field(
        "balanced", description="Draft encodes fastest, high keeps the most detail"
    )
    max_bytes: int | None = Field(
        None, ge=1000, description="Most bytes of a gif: colours, frames and size are given up for it"
    )
    report: bool = Field(default=False, description="Write the verification report beside the film")

    @field_validator("project", mode="before")
    @classmethod
    def _read(cls, given: Any) -> Any:
        """With all that is wrong in it, in words for its author."""
        return project_of(given, "project") if isinstance(given, Mapping) else given

    @field_validator("scenes")
    @classmethod
    def _are_there(cls, given: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        project = info.data.get("project")  # none where it is wrong itself, which is told
        if project is not None and (unknown := check_scenes(project, given)):
            raise ValueError(unknown[0].message)
        return given

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.max_bytes is not None and self.format != "gif":
            raise ValueError("max_bytes is for gif: choose a lower quality or resolution instead")
        return self

    @property
    def chosen(self) -> Sequence[tuple[str, Scene]]:
        """The scenes to render with their ids, in the order asked for."""
        every = dict(zip(self.project.ids, self.project.scenes, strict=True))
        return [(id, every[id]) for id in (self.scenes or self.project.ids)]

    @property
    def film(self) -> Project:
        """The project with the chosen scenes only, each with its id."""
        named = tuple(scene.model_copy(update={"id": id}) for id, scene in self.chosen)
        return self.project.model_copy(update={"scenes": named})

    @property
    def canvas(self) -> Canvas:
        """The surface that is drawn on. A gif's frames last whole hundredths of a second."""
        fps = Fraction(self.fps or self.project.fps)
        if self.format == "gif":
            fps = max(rate for rate in RATES if rate <= (self.fps or USUAL_GIF_FPS))
        return canvas_of(self.resolution or self.project.resolution, self.aspect or self.project.aspect, fps)
