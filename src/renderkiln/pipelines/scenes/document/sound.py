"""What is heard: a voice for each scene, and music under all of them."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from renderkiln.pipelines.scenes.document.units import Gain, Piece, Place, Seconds

VOICE = r"^[a-z][a-z0-9_-]*:.+$"
LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


class Voice(Piece):
    """The voice of a scene: a recording, or a text that is spoken."""

    speech: str | None = Field(None, min_length=1, max_length=20_000, description="A text to be spoken")
    file: Place | None = Field(None, description="A recording instead: path or URL")
    voice: str | None = Field(
        None, pattern=VOICE, description="Who speaks, as provider:voice; by default the project's voice"
    )
    speed: float = Field(1.0, ge=0.5, le=2, description="How fast the text is spoken")
    language: str | None = Field(None, pattern=LANGUAGE, description="Language of the text")
    gain_db: Gain = Field(0, description="How much louder it is made, in dB")
    start: Seconds = Field(0.3, description="Seconds into the scene when it begins")
    rest: Seconds = Field(0.5, description="Seconds after it, where the scene is as long as its voice")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.speech is None) == (self.file is None):
            raise ValueError("a voice is either speech, a text to be spoken, or file, a recording")
        return self


class Music(Piece):
    """Music under the whole film, looped for as long as it lasts, softer while somebody speaks."""

    file: Place = Field(description="Path or URL of the track")
    gain_db: Gain = Field(-12, description="How loud it is beside a voice, in dB")
    duck_db: float = Field(-8, ge=-40, le=0, description="How much softer while a voice is heard, in dB")
    fade_in: Seconds = Field(0.5, description="Seconds that it takes to come in")
    fade_out: Seconds = Field(2.0, description="Seconds that it takes to go at the end")


class Loudness(Piece):
    """How loud the film is."""

    target_lufs: float = Field(-14, ge=-40, le=-5, description="Integrated loudness of the film")
    ceiling_dbtp: float = Field(-1, ge=-12, le=0, description="Highest true peak")


def _text(given: Any) -> Any:
    return {"speech": given} if isinstance(given, str) else given


def _track(given: Any) -> Any:
    return {"file": given} if isinstance(given, str) else given


SceneVoice = Annotated[Voice, BeforeValidator(_text, json_schema_input_type=Voice | str)]
ProjectMusic = Annotated[Music, BeforeValidator(_track, json_schema_input_type=Music | str)]
