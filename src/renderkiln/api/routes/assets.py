"""Assets: files that were uploaded, for jobs to use."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path as File
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from renderkiln.api.auth import Holder, needs, visible_to
from renderkiln.api.cursor import cut, place_of
from renderkiln.api.envelope import Page, Refused, Success, refusals, succeeded
from renderkiln.api.orders import Printable
from renderkiln.api.room import Kiln, Reached
from renderkiln.api.routes.uploads import Progress, progress_of
from renderkiln.api.streams import Arrival, checked_name, unsuitable
from renderkiln.database import assets
from renderkiln.database.assets import StoredAsset
from renderkiln.database.cursor import Cursor
from renderkiln.database.keys import StoredKey
from renderkiln.domain.report import iso
from renderkiln.engine.assets import InUse
from renderkiln.engine.uploads import TooMany
from renderkiln.media.addresses import parse, refuse_private
from renderkiln.media.audio.studio.score import TITLE
from renderkiln.media.errors import MediaError

router = APIRouter(prefix="/assets", tags=["assets"])

AssetId = Annotated[str, Path(pattern=r"^ast_[0-9a-f]{32}$", description="Id of an asset")]
Name = Annotated[str, Query(min_length=1, max_length=500, description="What it is called: `song.mp3`")]


class Asset(BaseModel):
    """A file that was uploaded."""

    id: str = Field(description="Jobs name it by this")
    name: str
    size: int = Field(description="Bytes")
    sha256: str
    kind: str = Field(description="video, audio, image, font or captions, by its content")
    contentType: str  # noqa: N815
    facts: dict[str, Any] = Field(description="Duration in seconds, width and height in pixels, codecs")
    createdAt: str  # noqa: N815


class Fetch(BaseModel):
    """A file to be fetched."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        min_length=1,
        max_length=8192,
        description="http(s), on the public internet",
        json_schema_extra={"format": "uri"},
    )
    name: Printable | None = Field(None, min_length=1, max_length=500, description="What it is called")


@router.post(
    "",
    operation_id="uploadAsset",
    status_code=201,
    dependencies=[needs("submit")],
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The file itself. Large ones that may break off: /uploads",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    responses={201: {"model": Success[Asset]}, **refusals(401, 403, 408, 413, 422)},
)
async def upload_asset(request: Request, kiln: Kiln, holder: Holder, name: Name) -> JSONResponse:
    """Take a file in one request: `curl -T song.mp3 …/assets?name=song.mp3 -X POST`."""
    proper = checked_name(name)
    async with Arrival(kiln.kiln.uploads.folder, kiln.kiln.settings.max_file_size) as arrival:
        await arrival.take(request)
        with unsuitable():
            stored = await kiln.look(
                holder.account,
                lambda: kiln.kiln.assets.add(arrival.path, proper, holder.account, arrival.sha256),
            )
    told = as_json(stored)
    return succeeded(request, told, status=201, headers={"Location": f"/api/v1/assets/{stored.id}"})


@router.post(
    "/demo",
    operation_id="composeDemo",
    status_code=201,
    dependencies=[needs("submit")],
    responses={201: {"model": Success[Asset]}, **refusals(401, 403, 413)},
)
async def compose_demo(request: Request, kiln: Kiln, holder: Holder) -> JSONResponse:
    """A song of twenty seconds, to try what can be made of one. Composing it takes a while the first time."""
    track = await kiln.composer.track()
    name = f"{TITLE}.wav"

    def add() -> StoredAsset:
        # The store takes what it is given: a copy, so that the next one has it, too.
        kiln.kiln.uploads.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kiln.kiln.uploads.folder) as folder:
            copy = File(shutil.copy(track, folder))
            return kiln.kiln.assets.add(copy, name, holder.account)

    stored = await kiln.look(holder.account, add)
    told = {"Location": f"/api/v1/assets/{stored.id}"}
    return succeeded(request, as_json(stored), status=201, headers=told)


@router.post(
    "/fetch",
    operation_id="fetchAsset",
    status_code=202,
    dependencies=[needs("submit")],
    responses={202: {"model": Success[Progress]}, **refusals(401, 403, 422)},
)
async def fetch_asset(request: Request, kiln: Kiln, holder: Holder, wanted: Fetch) -> JSONResponse:
    """Fetch a file from its URL; the upload at Location tells how far it is and what asset it has become."""
    try:
        url = parse(wanted.url)
        if not kiln.kiln.settings.private_urls:
            refuse_private(url)
        last = url.path.rpartition("/")[2]
    except MediaError as error:
        detail = {"field": "body.url", "message": str(error)}
        raise Refused(422, "INVALID_REQUEST", f"body.url: {error}", details=[detail]) from error
    name = (wanted.name or last or "file")[:500]
    try:
        upload = await kiln.work(lambda: kiln.kiln.uploads.begin(holder.account, name, 0, wanted.url))
    except TooMany as error:
        raise Refused(429, "TOO_MANY_UPLOADS", str(error), headers={"Retry-After": "60"}) from error
    kiln.fetcher.fetch(upload)
    told = {"Location": f"/api/v1/uploads/{upload.id}"}
    return succeeded(request, progress_of(upload, 0), status=202, headers=told)


@router.get(
    "",
    operation_id="listAssets",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Page[Asset]]}, **refusals(401, 403, 404, 422)},
)
async def list_assets(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JSONResponse:
    """The newest first."""
    before = None if cursor is None else Cursor(*place_of(cursor))

    def ask() -> list[StoredAsset]:
        with kiln.kiln.database.read() as connection:
            return assets.page(connection, account=visible_to(holder), before=before, limit=limit + 1)

    found = await kiln.work(ask)
    items, following = cut(found, limit, lambda each: (each.created_at, each.id))
    return succeeded(request, {"items": [as_json(each) for each in items], "nextCursor": following})


@router.get(
    "/{asset_id}",
    operation_id="getAsset",
    dependencies=[needs("read")],
    responses={200: {"model": Success[Asset]}, **refusals(401, 403, 404, 422)},
)
async def get_asset(request: Request, kiln: Kiln, holder: Holder, asset_id: AssetId) -> JSONResponse:
    """What is known of it."""
    return succeeded(request, as_json(await _found(kiln, asset_id, holder)))


@router.delete(
    "/{asset_id}",
    operation_id="deleteAsset",
    status_code=204,
    dependencies=[needs("submit")],
    responses={204: {"description": "It is gone"}, **refusals(401, 403, 404, 409, 422)},
)
async def delete_asset(kiln: Kiln, holder: Holder, asset_id: AssetId) -> Response:
    """Remove it. One that a waiting or running job needs stays."""
    asset = await _found(kiln, asset_id, holder)
    try:
        await kiln.work(lambda: kiln.kiln.assets.remove(asset))
    except InUse as error:
        raise Refused(409, "ASSET_IN_USE", str(error)) from error
    return Response(status_code=204)


def as_json(asset: StoredAsset) -> dict[str, Any]:
    """An asset as the API tells it."""
    return {
        "id": asset.id,
        "name": asset.name,
        "size": asset.size,
        "sha256": asset.sha256,
        "kind": asset.kind,
        "contentType": asset.content_type,
        "facts": dict(asset.facts),
        "createdAt": iso(asset.created_at),
    }


async def _found(kiln: Reached, id: str, holder: StoredKey) -> StoredAsset:
    def ask() -> StoredAsset | None:
        with kiln.kiln.database.read() as connection:
            return assets.find(connection, id)

    found = await kiln.read(ask)
    if found is None or visible_to(holder) not in {None, found.account}:
        raise Refused(404, "ASSET_NOT_FOUND", f"there is no asset {id}")
    return found
