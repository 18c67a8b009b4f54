"""What can be asked of the variations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from renderkiln.domain.errors import UsageError
from renderkiln.pipelines.variations.effect import Effect, Intensity
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.sampler import Sampler, Wish

MOST = 1000  # variations of one clip

Resolution = Literal["keep", "2160p", "1440p", "1080p", "720p", "480p", "360p"]


class VariationsParams(BaseModel):
    """The variations of one clip. Command-line options, JSON schema and forms derive from these fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(10, ge=1, le=MOST, description="Variations of each clip")
    skip: int = Field(0, ge=0, le=MOST, description="Leave out the first ones: more of a clip that has some")
    seed: int = Field(1, ge=0, lt=2**31, description="Another seed gives other variations")
    intensity: Intensity = Field("medium", description="How far effects go: subtle, medium or strong")
    effects: dict[str, Wish] = Field(
        default_factory=dict,
        description="By name: true adds, false leaves out, a number pins, [low, high] narrows an effect",
    )
    only: tuple[str, ...] | None = Field(None, description="Draw from these effects and no others")
    quality: Literal["draft", "balanced", "high"] = Field(
        "balanced", description="Draft encodes fastest, high keeps the most detail"
    )
    resolution: Resolution = Field("keep", description="The shorter side at most; nothing is enlarged")
    fps: Literal[24, 25, 30, 50, 60] | None = Field(
        None, description="Frames per second; the clip's own if not given"
    )
    channels: Literal["keep", "stereo", "mono"] = Field("keep", description="Channels of the sound")
    encoder: Literal["software", "auto"] = Field(
        "software",
        description="auto takes a hardware encoder if one truly works; software repeats to the byte",
    )
    min_difference: float = Field(
        2.0,
        ge=0,
        le=50,
        allow_inf_nan=False,
        description="Code values by which variations differ from each other and the clip; 0 does not ask",
    )

    @model_validator(mode="after")
    def _effects_are_possible(self) -> Self:
        sampler = self.sampler(installed(), has_sound=True)
        if sampler.capacity < self.count + self.skip:
            raise ValueError(
                f"{self.count + self.skip} variations are asked for, but these effects give at most "
                f"{sampler.capacity} different: allow more effects or a stronger intensity"
            )
        return self

    def spare_sampler(self, effects: Sequence[Effect], *, has_sound: bool) -> Iterator[EffectSet]:
        """Draws other sets than `sampler` of this and of every later job that goes on after this one's."""
        own = self.model_copy(update={"seed": 2**31 * (1 + self.skip + self.count) + self.seed})
        return iter(own.sampler(effects, has_sound=has_sound))

    def sampler(self, effects: Sequence[Effect], *, has_sound: bool) -> Sampler:
        """Draws effect sets as asked for. Raises ValueError for wishes that are not possible."""
        return Sampler(
            effects,
            wishes=self.effects,
            only=self.only,
            intensity=self.intensity,
            seed=self.seed,
            has_sound=has_sound,
        )


def installed() -> Sequence[Effect]:
    """All effects, built-in and of plug-ins, each name once. Raises UsageError for a broken plug-in."""
    from renderkiln.pipelines import catalog

    found: dict[str, Effect] = {}
    for name in catalog.names(catalog.EFFECTS):
        given: Effect | Sequence[Effect] = catalog.load(catalog.EFFECTS, name)
        for each in [given] if isinstance(given, Effect) else given:
            if each.name in found:
                raise UsageError(
                    f"two installed packages have an effect {each.name!r}: one of them has to go"
                )
            found[each.name] = each
    return tuple(found.values())
