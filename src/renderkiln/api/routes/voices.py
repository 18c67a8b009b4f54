"""Voices: who can speak, and how long it will take them."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from renderkiln.api.auth import needs
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.room import Kiln
from renderkiln.media.speech.estimate import beginning, estimate_seconds
from renderkiln.media.speech.script import BadScript
from renderkiln.pipelines import speakers
from renderkiln.pipelines.narration.params import MAX_SCRIPT
from renderkiln.services import speech_settings

router = APIRouter(prefix="/voices", tags=["voices"])


class Voice(BaseModel):
    """Somebody who can speak."""

    voice: str = Field(description="As narrations and scenes name it: espeak:en")
    language: str = Field(description="Its code; empty: all languages")
    name: str
    problem: str | None = Field(description="Why it cannot speak here; null: it can")


class Script(BaseModel):
    """What is to be spoken."""

    model_config = ConfigDict(extra="forbid")

    script: str = Field(min_length=1, max_length=MAX_SCRIPT)
    speed: float = Field(1.0, ge=0.5, le=2.0, allow_inf_nan=False)
    beginning: float = Field(
        20.0,
        gt=0,
        le=600,
        allow_inf_nan=False,
        description="Seconds that its beginning may take",
    )


class Length(BaseModel):
    """How long a script takes, by its letters: mostly within a quarter of the truth."""

    seconds: float
    beginning: str = Field(description="What is spoken first, in whole sentences: for a first impression")


@router.get(
    "",
    operation_id="listVoices",
    dependencies=[needs("read")],
    responses={200: {"model": Success[list[Voice]]}, **refusals(401, 403)},
)
async def list_voices(request: Request, kiln: Kiln) -> JSONResponse:
    """Those known without asking anyone; services may have more."""

    def ask() -> Sequence[speakers.Known]:
        return speakers.voices(speech_settings(kiln.kiln.settings))

    return succeeded(request, [_as_json(each) for each in await kiln.work(ask)])


@router.post(
    "/length",
    operation_id="measureScript",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Length]}, **refusals(401, 403, 422)},
)
async def measure_script(request: Request, kiln: Kiln, script: Script) -> JSONResponse:
    """How long a script takes to be spoken. What is wrong with it is told with its line."""

    def measure() -> dict[str, float | str]:
        try:
            return {
                "seconds": round(estimate_seconds(script.script, script.speed), 2),
                "beginning": beginning(script.script, script.beginning, script.speed),
            }
        except BadScript as error:
            details = [{"field": "body.script", "message": str(error)}]
            raise Refused(422, "INVALID_REQUEST", str(error), details=details) from error

    return succeeded(request, await kiln.work(measure))


def _as_json(known: speakers.Known) -> dict[str, str | None]:
    reference, language, name, problem = known
    return {"voice": reference, "language": language, "name": name, "problem": problem or None}
