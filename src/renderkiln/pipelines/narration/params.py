"""What can be asked of the narration."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from renderkiln.pipelines.narration.bands import BANDS, band_of
from renderkiln.pipelines.narration.spelling import Spelled, respelled

Gain = Annotated[float, Field(ge=-60, le=12)]  # dB
Seconds = Annotated[float, Field(ge=0, le=60)]
BandName = Literal["delta", "theta", "alpha", "beta", "gamma"]
AudioFormat = Literal["mp3", "wav", "flac", "m4a", "opus"]
AudioQuality = Literal["draft", "standard", "high"]

MAX_SCRIPT = 200_000  # characters
_VOICE = r"^[a-z][a-z0-9_-]*:.+$"


class Step(Spelled):
    """A frequency that is reached at a time; between two steps it glides."""

    at_min: float = Field(ge=0, le=1440, description="Minutes from the beginning")
    hz: float = Field(ge=1, le=20_000, description="Frequency reached then, in Hz")


class BeatStep(Spelled):
    """A beat, a carrier or both that are reached at a time; between two steps they glide."""

    at_min: float = Field(ge=0, le=1440, description="Minutes from the beginning")
    beat_hz: float | None = Field(None, ge=0.5, le=100, description="Beat then, in Hz")
    carrier_hz: float | None = Field(None, ge=20, le=1500, description="Carrier then, in Hz")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.beat_hz is None and self.carrier_hz is None:
            raise ValueError("a step names beat_hz, carrier_hz or both")
        return self


class Layer(Spelled):
    """What all layers have. A layer that is named is enabled."""

    enabled: bool = Field(default=True, description="Whether it is heard")


class Bed(Layer):
    """What plays under the voice. One that fails and is not `required` is left out; the result says so."""

    gain_db: Gain = Field(-24.0, description="How loud it is beside the voice, in dB")
    required: bool = Field(default=False, description="Fail the job instead of leaving it out")
    fade_in_s: Seconds = Field(4.0, description="Seconds that it takes to come in")
    fade_out_s: Seconds = Field(6.0, description="Seconds that it takes to go at the end")


class VoiceLayer(Layer):
    """The voice. `provider` and `voice_code` say the same as the voice reference `provider:voice`."""

    provider: str | None = Field(None, description="Who speaks: espeak, openai, elevenlabs, file …")
    voice_code: str | None = Field(None, description="Which of the provider's voices")
    gain_db: Gain = Field(0.0, description="How loud the voice is, in dB")
    lead_in_s: Seconds | None = Field(
        None, description="Seconds before the voice begins; by default 2 where something plays under it"
    )


class Background(Bed):
    """Music, looped for as long as it is needed, softer while the voice speaks."""

    track: str | None = Field(None, description="Music: a path or an http(s) URL")
    gain_db: Gain = Field(-14.0, description="How loud it is beside the voice, in dB")
    duck_db: float = Field(-6.0, ge=-40, le=0, description="How much softer while the voice speaks, in dB")
    crossfade_s: Seconds = Field(4.0, description="Seconds that two rounds of the loop overlap")

    @model_validator(mode="after")
    def _has_a_track(self) -> Self:
        if self.enabled and not self.track:
            raise ValueError("name the music as track, or set enabled to false")
        return self


class Solfeggio(Bed):
    """A pure tone: one of the nine named ones, or any frequency."""

    hz: float = Field(528.0, ge=1, le=20_000, description="174 285 396 417 528 639 741 852 963, or any Hz")
    schedule: tuple[Step, ...] = Field((), max_length=200, description="Frequencies over time")

    _ordered = field_validator("schedule")(lambda steps: _in_order(steps))


class Beats(Bed):
    """A beat at a carrier. A band gives both sensible values; a beat without a band may be any."""

    band: BandName | None = Field(None, description="Brain-wave band: delta, theta, alpha, beta, gamma")
    beat_hz: float | None = Field(None, ge=0.5, le=100, description="Beat, in Hz")
    carrier_hz: float | None = Field(None, ge=20, le=1500, description="Carrier, in Hz")
    schedule: tuple[BeatStep, ...] = Field((), max_length=200, description="Beats and carriers over time")

    _ordered = field_validator("schedule")(lambda steps: _in_order(steps))

    @model_validator(mode="after")
    def _beat_lies_in_its_band(self) -> Self:
        if self.band is not None and self.beat_hz is not None and not BANDS[self.band].holds(self.beat_hz):
            band = BANDS[self.band]
            raise ValueError(
                f"beat_hz {self.beat_hz:g} is not {self.band}: that is {band.low:g} to {band.high:g} Hz"
            )
        return self

    @property
    def name(self) -> BandName:
        """The band it is, or lies in."""
        return self.band or (band_of(self.beat_hz) if self.beat_hz is not None else "theta")  # type: ignore[return-value]

    @property
    def beat(self) -> float:
        return self.beat_hz if self.beat_hz is not None else BANDS[self.name].beat

    @property
    def carrier(self) -> float:
        return self.carrier_hz if self.carrier_hz is not None else BANDS[self.name].carrier


class Binaural(Beats):
    """The left ear hears the carrier, the right one carrier + beat: only headphones keep them apart."""


class Isochronic(Beats):
    """One tone that pulses at the beat; it needs no headphones."""


class Noise(Bed):
    """Steady noise, like rain or a waterfall."""

    color: Literal["white", "pink", "brown"] = Field("pink", description="White hisses, brown rumbles")
    gain_db: Gain = Field(-26.0, description="How loud it is beside the voice, in dB")


class Layers(Spelled):
    """What is heard together."""

    voice: VoiceLayer = VoiceLayer()
    background: Background | None = None
    solfeggio: Solfeggio | None = None
    binaural: Binaural | None = None
    isochronic: Isochronic | None = None
    noise: Noise | None = None

    def beds(self) -> dict[str, Bed]:
        """The enabled layers under the voice, by name."""
        named = {name: getattr(self, name) for name in type(self).model_fields if name != "voice"}
        return {name: layer for name, layer in named.items() if layer is not None and layer.enabled}


class Output(Spelled):
    """The file that is made."""

    format: AudioFormat = Field("mp3", description="File format")
    quality: AudioQuality = Field("standard", description="Draft is smallest, high keeps the most")
    storage_location: Literal["private", "public"] = Field("private", description="Who may read the file")


class NarrationParams(Spelled):
    """One narration: a script, its voice, what plays under it, and the file to make of them."""

    script: str = Field(
        "", max_length=MAX_SCRIPT, description="What is spoken, with [pause 3s] where it rests"
    )
    voice: str = Field("espeak:en", pattern=_VOICE, description="Who speaks, as provider:voice")
    language: str | None = Field(None, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="Language")
    speed: float = Field(1.0, ge=0.5, le=2.0, description="How fast the voice speaks")
    duration_min: float | None = Field(
        None, gt=0, le=1440, description="Minutes; by default as long as the voice needs"
    )
    title: str | None = Field(None, max_length=500, description="Title in the file, and its name")
    artist: str | None = Field(None, max_length=500, description="Artist in the file")
    album: str | None = Field(None, max_length=500, description="Album in the file")
    layers: Layers = Layers()
    output: Output = Output()
    target_lufs: float | None = Field(
        None, ge=-40, le=-5, description="Integrated loudness of the file; by default the setting target_lufs"
    )
    ceiling_dbtp: float = Field(-1.0, ge=-12, le=0, description="Highest true peak of the file, in dBTP")
    seed: int = Field(1, ge=0, lt=2**31, description="Another seed gives other noise")

    @model_validator(mode="before")
    @classmethod
    def _voice_of_its_layer(cls, given: Any) -> Any:
        """`layers.voice` may name provider and voice instead."""
        ours = respelled(given) if isinstance(given, dict) else given
        match ours:
            case {"layers": {"voice": {"provider": str(provider), "voice_code": str(code)}}}:
                named = f"{provider}:{code}"
                if ours.setdefault("voice", named) != named:
                    raise ValueError(f"voice is {ours['voice']!r}, but layers.voice names {named!r}")
        return ours

    @model_validator(mode="after")
    def _something_is_heard(self) -> Self:
        speaks, beds = self.layers.voice.enabled, self.layers.beds()
        if not speaks and not beds:
            raise ValueError("nothing is to be heard: enable the voice or another layer")
        if speaks and not self.script.strip() and self.provider != "file":
            raise ValueError("the script is empty: write what is to be spoken, or disable layers.voice")
        if self.duration_min is None and not speaks:
            raise ValueError("without a voice, say how long it is to be: duration_min")
        return self

    @property
    def provider(self) -> str:
        """Who speaks."""
        return self.voice.partition(":")[0]


def _in_order(steps: tuple[Step, ...] | tuple[BeatStep, ...]) -> tuple[Step, ...] | tuple[BeatStep, ...]:
    times = [step.at_min for step in steps]
    if any(after <= before for before, after in pairwise(times)):
        raise ValueError("the steps of a schedule come in the order of their times, each later than the last")
    return steps
