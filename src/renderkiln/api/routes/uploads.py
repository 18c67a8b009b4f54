"""Uploads that go on where they broke off, by tus 1.0.0 (tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from renderkiln.api.auth import Holder, needs, visible_to
from renderkiln.api.envelope import Refused, Success, refusals, succeeded
from renderkiln.api.room import Kiln, Reached
from renderkiln.api.streams import unsuitable, write
from renderkiln.database.keys import StoredKey
from renderkiln.domain.fingerprint import file_sha256
from renderkiln.engine.uploads import Busy, TooMany, Upload

VERSION = "1.0.0"
_TUS = {"Tus-Resumable": VERSION}


class _Route(APIRoute):
    """To tus, another version of the protocol is no wrong header but a wrong server."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def spoken(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                if any(each["loc"][-1] == "Tus-Resumable" for each in error.errors()):
                    told = {"Tus-Version": VERSION, **_TUS}
                    words = f"send the header Tus-Resumable: {VERSION}"
                    raise Refused(412, "TUS_VERSION", words, headers=told) from None
                raise

        return spoken


router = APIRouter(prefix="/uploads", tags=["uploads"], route_class=_Route)

_BYTES = "application/offset+octet-stream"

UploadId = Annotated[str, Path(pattern=r"^upl_[0-9a-f]{32}$", description="Id of an upload")]
Spoken = Annotated[
    Literal["1.0.0"],
    Header(alias="Tus-Resumable", description="The protocol: another one is answered by 412"),
]


async def _speaks(_tus: Spoken) -> None:
    """What comes without the header is no tus."""


_SPOKEN = Depends(_speaks)
_HEADERS: dict[str, Any] = {
    name: {"schema": {"type": "string"}} for name in ("Tus-Resumable", "Upload-Offset", "Upload-Length")
}


class Progress(BaseModel):
    """How far an upload is."""

    id: str
    name: str
    length: int = Field(description="Bytes of the whole file; 0 where it is fetched from a URL")
    offset: int = Field(description="Bytes that have come")
    asset: str | None = Field(description="The asset it has become")
    error: str | None = Field(description="Why none will become of it")


@router.options(
    "",
    operation_id="describeUploads",
    status_code=204,
    dependencies=[needs("read")],
    responses={204: {"description": "By headers"}, **refusals(401, 403)},
)
async def describe_uploads(kiln: Kiln) -> Response:
    """What of tus is spoken here."""
    said = {
        "Tus-Version": VERSION,
        "Tus-Extension": "creation,termination,expiration",
        "Tus-Max-Size": str(kiln.kiln.settings.max_file_size),
    }
    return Response(status_code=204, headers={**_TUS, **said})


@router.post(
    "",
    operation_id="beginUpload",
    response_class=Response,
    status_code=201,
    dependencies=[needs("submit"), _SPOKEN],
    responses={
        201: {"description": "Send the bytes to Location by PATCH", "headers": _HEADERS},
        **refusals(401, 403, 412, 413, 422),
    },
)
async def begin_upload(
    kiln: Kiln,
    holder: Holder,
    length: Annotated[int, Header(alias="Upload-Length", ge=1, le=2**53)],
    metadata: Annotated[str, Header(alias="Upload-Metadata", max_length=4096)] = "",
) -> Response:
    """Begin to upload a file of so many bytes; `filename` in the metadata, in base64, names it."""
    largest = kiln.kiln.settings.max_file_size
    if length > largest:
        raise Refused(413, "TOO_LARGE", f"at most {largest:,} bytes are taken (setting max_file_size)")
    name = _said(metadata).get("filename") or "file"
    try:
        upload = await kiln.work(lambda: kiln.kiln.uploads.begin(holder.account, name, length))
    except TooMany as error:
        raise Refused(429, "TOO_MANY_UPLOADS", str(error), headers={"Retry-After": "60"}) from error
    told = {**_TUS, "Location": f"/api/v1/uploads/{upload.id}", "Upload-Offset": "0"}
    return Response(status_code=201, headers=told)


@router.head(
    "/{upload_id}",
    operation_id="getUploadOffset",
    response_class=Response,
    dependencies=[needs("submit"), _SPOKEN],
    responses={
        200: {"description": "By headers", "headers": _HEADERS},
        **refusals(401, 403, 404, 409, 412, 422),
    },
)
async def get_upload_offset(kiln: Kiln, holder: Holder, upload_id: UploadId) -> Response:
    """Where to go on."""
    upload = await _found(kiln, upload_id, holder)
    return Response(status_code=200, headers=await _told(kiln, upload))


@router.get(
    "/{upload_id}",
    operation_id="getUpload",
    dependencies=[needs("submit")],
    responses={200: {"model": Success[Progress]}, **refusals(401, 403, 404, 409, 422)},
)
async def get_upload(request: Request, kiln: Kiln, holder: Holder, upload_id: UploadId) -> JSONResponse:
    """How far it is, and the asset it has become."""
    upload = await _found(kiln, upload_id, holder)
    offset = await _offset(kiln, upload)
    return succeeded(request, progress_of(upload, offset))


@router.patch(
    "/{upload_id}",
    operation_id="continueUpload",
    status_code=204,
    dependencies=[needs("submit"), _SPOKEN],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    responses={
        204: {"description": "They are kept; when the file is whole, Asset-Id names it", "headers": _HEADERS},
        **refusals(401, 403, 404, 408, 409, 412, 413, 415, 422),
    },
)
async def continue_upload(
    request: Request,
    kiln: Kiln,
    holder: Holder,
    upload_id: UploadId,
    offset: Annotated[int, Header(alias="Upload-Offset", ge=0, le=2**53)],
) -> Response:
    """Send bytes from an offset on, which HEAD tells. What comes is kept where it breaks off."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _BYTES:
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", f"send the bytes as {_BYTES}", headers=_TUS)
    upload = await _found(kiln, upload_id, holder)
    if upload.url is not None:
        raise Refused(409, "UPLOAD_BUSY", "this file is fetched from its URL", headers=_TUS)
    try:
        if upload.asset is None:
            upload = await _continued(request, kiln, upload, offset)
        else:
            _check_offset(offset, upload.length)
    except FileNotFoundError:
        raise Refused(409, "UPLOAD_BUSY", "it is being finished: ask again", headers=_TUS) from None
    except Busy as error:
        raise Refused(409, "UPLOAD_BUSY", str(error), headers=_TUS) from error
    return Response(status_code=204, headers=await _told(kiln, upload))


@router.delete(
    "/{upload_id}",
    operation_id="deleteUpload",
    status_code=204,
    dependencies=[needs("submit"), _SPOKEN],
    responses={204: {"description": "It is gone"}, **refusals(401, 403, 404, 412, 422)},
)
async def delete_upload(kiln: Kiln, holder: Holder, upload_id: UploadId) -> Response:
    """Forget an upload that is not finished; what has become an asset stays."""
    upload = await _found(kiln, upload_id, holder)
    await kiln.work(lambda: kiln.kiln.uploads.remove(upload))
    return Response(status_code=204, headers=_TUS)


async def _continued(request: Request, kiln: Reached, upload: Upload, offset: int) -> Upload:
    """The upload with what has come of the request. Raises Busy, FileNotFoundError, Refused."""
    with kiln.kiln.uploads.alone(upload) as handle:
        come = os.fstat(handle).st_size
        _check_offset(offset, come)
        with os.fdopen(os.dup(handle), "ab") as file:
            come += await write(request, file, most=upload.length - come)
        if come < upload.length:
            return upload
        return await kiln.look(upload.account, lambda: _finished(kiln, upload))


def _check_offset(offset: int, come: int) -> None:
    if offset != come:
        told = {**_TUS, "Upload-Offset": str(come)}
        raise Refused(409, "WRONG_OFFSET", f"{come:,} bytes have come: go on there", headers=told)


def _finished(kiln: Reached, upload: Upload) -> Upload:
    """The whole file becomes an asset. Raises Refused where no job can use it; then it is gone."""
    uploads, path = kiln.kiln.uploads, kiln.kiln.uploads.file(upload)
    try:
        with unsuitable():
            asset = kiln.kiln.assets.add(path, upload.name, upload.account, file_sha256(path))
    except Refused:
        uploads.remove(upload)
        raise
    uploads.finish(upload, asset.id)
    found = uploads.find(upload.id)
    assert found is not None
    return found


async def _found(kiln: Reached, id: str, holder: StoredKey) -> Upload:
    upload = await kiln.work(lambda: kiln.kiln.uploads.find(id))
    if upload is None or visible_to(holder) not in {None, upload.account}:
        raise _unknown(id)
    return upload


async def _offset(kiln: Reached, upload: Upload) -> int:
    try:
        return await kiln.work(lambda: kiln.kiln.uploads.offset(upload))
    except FileNotFoundError:  # it is becoming an asset just now
        if upload.url is not None:  # nobody has to know where to go on
            return 0
        raise Refused(409, "UPLOAD_BUSY", "it is being finished: ask again", headers=_TUS) from None


async def _told(kiln: Reached, upload: Upload) -> dict[str, str]:
    offset = await _offset(kiln, upload)
    made = {} if upload.asset is None else {"Asset-Id": upload.asset}
    return {**_TUS, "Upload-Offset": str(offset), "Upload-Length": str(upload.length), **made}


def progress_of(upload: Upload, offset: int) -> dict[str, Any]:
    """An upload as the API tells it."""
    return {
        "id": upload.id,
        "name": upload.name,
        "length": upload.length,
        "offset": offset,
        "asset": upload.asset,
        "error": upload.error,
    }


def _said(metadata: str) -> dict[str, str]:
    """`filename d29ybGQ=,is_public` → names and decoded values. Raises Refused."""
    said = {}
    for pair in filter(None, (each.strip() for each in metadata.split(","))):
        key, _, value = pair.partition(" ")
        try:
            said[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise _wrong("Upload-Metadata", f"the value of {key!r} is not text in base64") from None
    return said


def _wrong(header: str, message: str) -> Refused:
    detail = {"field": f"header.{header}", "message": message}
    return Refused(422, "INVALID_REQUEST", f"header.{header}: {message}", details=[detail], headers=_TUS)


def _unknown(id: str) -> Refused:
    return Refused(404, "UPLOAD_NOT_FOUND", f"there is no upload {id}: begin a new one", headers=_TUS)
