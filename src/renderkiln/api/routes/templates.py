"""Templates: what the visualizer's films can look like."""

from __future__ import annotations

import hashlib
import json
import threading
from functools import cache
from pathlib import Path as File
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError

from renderkiln.api.auth import Holder, needs
from renderkiln.api.drawing import drawn
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.room import Kiln
from renderkiln.domain.errors import UsageError
from renderkiln.pipelines import catalog
from renderkiln.pipelines.visualizer.formats import FORMATS
from renderkiln.pipelines.visualizer.params import VisualizerParams
from renderkiln.pipelines.visualizer.sample import BEST, LAST, Sample
from renderkiln.pipelines.visualizer.template import TemplateParams

M = TypeVar("M", bound=BaseModel)

router = APIRouter(prefix="/templates", tags=["templates"])

Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,63}$", description="Name of a template: flame")]
_FRESH = {"Cache-Control": "private, no-cache"}  # what is drawn may change with the template: ask, by ETag


class Template(BaseModel):
    """A look, and all that can be asked of it."""

    name: str
    summary: str
    palettes: list[str] = Field(description="The first one is the usual")
    formats: list[str] = Field(description="Formats of the films")
    params: dict[str, Any] = Field(description="JSON Schema of a job's `look`, for forms")


@router.get(
    "",
    operation_id="listTemplates",
    dependencies=[needs("read")],
    responses={200: {"model": Success[list[Template]]}, **refusals(401, 403)},
)
async def list_templates(request: Request, kiln: Kiln) -> JSONResponse:
    """All that are installed here and can be loaded."""

    def ask() -> list[dict[str, Any]]:
        broken = catalog.broken(catalog.TEMPLATES)
        return [_described(name) for name in catalog.names(catalog.TEMPLATES) if name not in broken]

    return succeeded(request, await kiln.work(ask))


@router.get(
    "/{name}/preview",
    operation_id="previewTemplate",
    dependencies=[needs("read")],
    response_class=Response,
    responses={
        200: {
            "description": "The picture, at most 640 pixels wide and high",
            "content": {"image/webp": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {"ETag": {"schema": {"type": "string"}}},
        },
        304: {"description": "It is as it was"},
        **refusals(401, 403, 404, 408, 422, 503),
    },
)
async def preview_template(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    name: Name,
    format: Annotated[str, Query(description="Of the film", max_length=64)] = "1080p",
    seed: Annotated[int, Query(ge=0, lt=2**31)] = 1,
    at: Annotated[
        float, Query(ge=0, le=LAST, allow_inf_nan=False, description="Second of the built-in song")
    ] = BEST,
    look: Annotated[str, Query(max_length=4000, description="Its own params, as a JSON object")] = "{}",
) -> Response:
    """A frame of a film of a built-in song with this template. Drawn once, in seconds, and then kept."""
    params = await kiln.work(lambda: _params(name, format, seed, look))
    looks = kiln.kiln.looks
    sample = Sample.small(params, at)
    picture = await kiln.work(lambda: looks.find(sample))
    if picture is None:

        def draw(stop: threading.Event) -> bytes:
            return looks.draw(params, at, stop)

        picture = await drawn(request, kiln, holder.account, draw)
    tag = f'"{hashlib.sha256(picture).hexdigest()[:32]}"'
    headers = {**_FRESH, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(picture, media_type="image/webp", headers=headers)


@cache  # what is installed stays as it is
def _described(name: str) -> dict[str, Any]:
    """Raises UsageError for one that cannot be loaded."""
    template = catalog.load(catalog.TEMPLATES, name)()
    return {
        "name": name,
        "summary": template.summary,
        "palettes": list(template.palettes),
        "formats": list(FORMATS),
        "params": template.Params.model_json_schema(),
    }


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _params(name: str, format: str, seed: int, look: str) -> VisualizerParams:
    """Raises Refused, with the place of each thing that is wrong."""
    try:
        template = catalog.load(catalog.TEMPLATES, name)()
    except UsageError as error:
        raise Refused(404, "TEMPLATE_NOT_FOUND", _missing(name)) from error
    try:
        given = json.loads(look, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _wrong({"look": "this is no JSON"}) from error
    own: TemplateParams = _valid(template.Params, given, "look")
    for field, value in own:
        if isinstance(value, File):
            raise _wrong({f"look.{field}": "a picture of a template takes no files: leave it out"})
    return _valid(VisualizerParams, {"template": name, "format": format, "seed": seed, "look": given})


def _valid(model: type[M], given: Any, *inside: str) -> M:
    """Raises Refused."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _wrong(
            {
                ".".join(map(str, (*inside, *each["loc"]))): each["msg"].removeprefix("Value error, ")
                for each in error.errors()
            }
        ) from error


def _missing(name: str) -> str:
    known = catalog.names(catalog.TEMPLATES)
    if name in known:
        return f"the template {name} cannot be loaded: `renderkiln doctor` says why"
    return f"there is no template {name}; there are: {', '.join(known)}"


def _wrong(places: dict[str, str]) -> Refused:
    details = [{"field": f"query.{field}", "message": message} for field, message in places.items()]
    told = "; ".join(f"{field}: {message}" for field, message in places.items())
    return Refused(422, "INVALID_REQUEST", told[:1000], details=details)
