"""A file of a storage as an answer: whole or a range of it, or that it has not changed."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from starlette.concurrency import iterate_in_threadpool
from starlette.types import Receive, Scope, Send

from renderkiln.api.envelope import Failure, Refused, refusals
from renderkiln.api.room import Reached
from renderkiln.domain.artifact import Artifact
from renderkiln.storage.contract import Storage
from renderkiln.storage.disposition import attachment
from renderkiln.storage.errors import BadKey, Expired, Forged, Missing, OutOfRange, StorageError
from renderkiln.storage.local import LocalStorage
from renderkiln.storage.reading import Reading
from renderkiln.storage.span import WHOLE, Span
from renderkiln.storage.stored import Stored

_AN_HOUR = 3600  # seconds that the address of a file in a bucket is good for
_log = logging.getLogger(__name__)
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_TYPE = re.compile(r"[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(; *[A-Za-z0-9-]+=[A-Za-z0-9.-]+)?")
# What users made or uploaded may be a page or a picture with scripts: none of it runs, whoever opens it here.
POLICY = "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; sandbox"

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"application/octet-stream": {}}},
    206: {"description": "The part of it that was asked for"},
    304: {"description": "It is still the one that was named in If-None-Match"},
    **refusals(403, 404, 422, 503),
    416: {"model": Failure, "description": "It has no such part"},
}


def answer(request: Request, storage: Storage, key: str, *, filename: str | None, cache: str) -> Response:
    """The file under `key`, to be saved as `filename` if that is given. Raises Refused."""
    stored: Stored | None = None
    try:
        stored = storage.head(key)
        if stored is None:
            raise Missing(f"nothing is stored under {key!r}")
        if _is_known(request, stored):
            return Response(status_code=304, headers={"etag": stored.etag, "cache-control": cache})
        span = _span(request, stored)
        if request.method == "HEAD":
            start, stop = span.within(stored.size)
            return Response(
                status_code=_status(span), headers=_headers(stored, span, start, stop, filename, cache)
            )
        reading = storage.open(key, span)
    except StorageError as error:
        raise refusal(error, stored) from error
    headers = _headers(reading.stored, span, reading.start, reading.stop, filename, cache)
    return _FileAnswer(reading, _status(span), headers)


def kept_file(request: Request, kiln: Reached, file: Artifact) -> Response:
    """A finished file that a storage has: from here, or by an address in its bucket."""
    assert file.kept is not None
    kept, name = file.kept, file.path.name
    try:
        storage = kiln.kiln.stores.at(kept.visibility, kept.location, patient=False)
        if not isinstance(storage, LocalStorage) and kiln.kiln.settings.s3_redirect:
            return RedirectResponse(storage.url(kept.key, seconds=_AN_HOUR, filename=name), 307)
    except StorageError as error:
        raise refusal(error) from error
    return answer(request, storage, kept.key, filename=name, cache="private, no-cache")


def refusal(error: StorageError, stored: Stored | None = None) -> Refused:
    """What is told of an error; where anything lies is not."""
    match error:
        case OutOfRange() if stored is not None:
            told = f"the file has {stored.size} bytes"
            return Refused(
                416, "RANGE_NOT_SATISFIABLE", told, headers={"Content-Range": f"bytes */{stored.size}"}
            )
        case Missing() | BadKey():
            return Refused(404, "FILE_NOT_FOUND", "there is no such file")
        case Expired():
            return Refused(403, "LINK_EXPIRED", str(error))
        case Forged():
            return Refused(403, "LINK_INVALID", str(error))
    _log.error("a file cannot be given: %s", error)
    told = "the storage does not give it now: try again later"
    return Refused(503, "STORAGE_UNAVAILABLE", told, headers={"Retry-After": "10"})


class _FileAnswer(StreamingResponse):
    """Lets the file go however the answer ends."""

    def __init__(self, reading: Reading, status: int, headers: dict[str, str]) -> None:
        super().__init__(self._chunks(), status_code=status, headers=headers)
        self._reading = reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._reading:
            await super().__call__(scope, receive, send)

    async def _chunks(self) -> AsyncIterator[bytes]:
        async for chunk in iterate_in_threadpool(iter(self._reading)):
            yield chunk


def _headers(
    stored: Stored, span: Span, start: int, stop: int, filename: str | None, cache: str
) -> dict[str, str]:
    proper = stored.content_type if _TYPE.fullmatch(stored.content_type) else "application/octet-stream"
    headers = {
        "content-type": proper,
        "content-length": str(stop - start),
        "accept-ranges": "bytes",
        "etag": stored.etag,
        "last-modified": format_datetime(stored.modified, usegmt=True),
        "cache-control": cache,
        "content-disposition": "inline" if filename is None else attachment(filename),
        "content-security-policy": POLICY,
        "cross-origin-resource-policy": "cross-origin",
    }
    if span != WHOLE:
        headers["content-range"] = f"bytes {start}-{stop - 1}/{stored.size}"
    return headers


def _status(span: Span) -> int:
    return 200 if span == WHOLE else 206


def _is_known(request: Request, stored: Stored) -> bool:
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    tags = [each.strip().removeprefix("W/") for each in given.split(",")]
    return bool(stored.etag) and (stored.etag in tags or tags == ["*"])


def _span(request: Request, stored: Stored) -> Span:
    """What `Range` asks for. What it cannot ask for is the whole file: several ranges, other units."""
    found = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if found is None or not _is_same(request.headers.get("if-range"), stored):
        return WHOLE
    first, last = found[1], found[2]
    if not first:
        if not last:
            return WHOLE
        if int(last) == 0:
            raise OutOfRange("no byte was asked for")
        return Span(-int(last))
    if last and int(last) < int(first):
        return WHOLE
    # `bytes=0-` is the whole file too, but who asks so wants to hear that ranges are answered.
    return Span(int(first), int(last) + 1 if last else stored.size if first == "0" else None)


def _is_same(given: str | None, stored: Stored) -> bool:
    if given is None or given == stored.etag:
        return True
    try:
        return parsedate_to_datetime(given) == stored.modified.replace(microsecond=0)
    except (ValueError, OverflowError):
        return False
