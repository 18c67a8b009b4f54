"""Pipelines: what kinds of jobs there are, and what can be asked of each."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from renderkiln.api.auth import needs
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.room import Kiln
from renderkiln.domain.errors import UsageError
from renderkiln.pipelines import catalog, contract

router = APIRouter(prefix="/pipelines", tags=["pipelines"])

Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,63}$", description="Name of a pipeline: scenes")]


class Stage(BaseModel):
    """A step of its jobs."""

    name: str
    weight: float = Field(description="Its part of the percent, relative to the others")
    message: str = Field(description="What people read while it runs")
    optional: bool = Field(description="Whether a job goes on without it when it fails")


class Pipeline(BaseModel):
    """A kind of job."""

    name: str
    summary: str
    queue: str
    takesFile: bool | None = Field(  # noqa: N815
        description="Whether its jobs need a file, or can have none; null: they may have one"
    )
    formats: list[str] = Field(description="What a job or batch may name as its format; empty: none")
    stages: list[Stage] = Field(description="Of a job with the usual params; empty where that is not known")


class Described(Pipeline):
    """A kind of job, and all that can be asked of it."""

    params: dict[str, Any] = Field(description="JSON Schema of `params`, for forms")


@router.get(
    "",
    operation_id="listPipelines",
    dependencies=[needs("read")],
    responses={200: {"model": Success[list[Pipeline]]}, **refusals(401, 403)},
)
async def list_pipelines(request: Request, kiln: Kiln) -> JSONResponse:
    """All that are installed here and can be loaded."""

    def ask() -> list[dict[str, Any]]:
        broken = catalog.broken(catalog.PIPELINES)
        names = [name for name in catalog.names(catalog.PIPELINES) if name not in broken]
        return [{key: _described(name)[key] for key in Pipeline.model_fields} for name in names]

    return succeeded(request, await kiln.work(ask))


@router.get(
    "/{name}",
    operation_id="getPipeline",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Described]}, **refusals(401, 403, 404, 422)},
)
async def get_pipeline(request: Request, kiln: Kiln, name: Name) -> JSONResponse:
    """One pipeline, with the schema of its params."""
    if name not in (known := catalog.names(catalog.PIPELINES)):
        told = f"there is no pipeline {name}; there are: {', '.join(known)}"
        raise Refused(404, "PIPELINE_NOT_FOUND", told)
    try:
        return succeeded(request, await kiln.work(lambda: _described(name)))
    except UsageError as error:
        told = f"the pipeline {name} cannot be loaded: `renderkiln doctor` says why"
        raise Refused(404, "PIPELINE_NOT_FOUND", told) from error


@cache  # a schema takes up to a second to build, and what is installed stays as it is
def _described(name: str) -> dict[str, Any]:
    """Raises UsageError for one that cannot be loaded."""
    pipeline: contract.Pipeline = catalog.load(catalog.PIPELINES, name)()
    schema = pipeline.Params.model_json_schema()
    return {
        "name": name,
        "summary": " ".join((inspect.getdoc(pipeline) or "").split("\n\n")[0].split()),
        "queue": pipeline.queue,
        "takesFile": getattr(pipeline, "takes_file", None),
        "formats": schema.get("properties", {}).get("format", {}).get("enum", []),
        "stages": [
            {"name": each.name, "weight": each.weight, "message": each.message, "optional": each.optional}
            for each in _stages(pipeline)
        ],
        "params": schema,
    }


def _stages(pipeline: contract.Pipeline) -> Sequence[contract.Stage]:
    """Those of a job with the usual params; a stranger's pipeline may need to know more to tell them."""
    try:
        return pipeline.stages(pipeline.Params.model_construct())
    except (AttributeError, LookupError, TypeError, ValueError):
        return ()
