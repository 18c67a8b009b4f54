"""Files of the local storage: public ones for everybody, private ones for who has a signed address."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from renderkiln.api.files import ANSWERS, answer, refusal
from renderkiln.api.room import Kiln, Reached
from renderkiln.storage.errors import StorageError
from renderkiln.storage.rooms import Visibility
from renderkiln.storage.signed import verify
from renderkiln.stores import FILES

router = APIRouter(prefix=FILES, tags=["files"])

Key = Annotated[str, Path(max_length=2000, description="Where it is in the storage: videos/2026/01/27/….mp4")]


@router.get("/{visibility}/{key:path}", operation_id="getFile", responses=ANSWERS, response_class=Response)
async def get_file(request: Request, kiln: Kiln, visibility: Visibility, key: Key) -> Response:
    """A file, or a range of it. The address of a private one is signed, and good for a while."""
    return await kiln.work(lambda: _file(request, kiln, visibility, key))


@router.head("/{visibility}/{key:path}", operation_id="headFile", responses=ANSWERS, response_class=Response)
async def head_file(request: Request, kiln: Kiln, visibility: Visibility, key: Key) -> Response:
    """What there is to know of a file without its bytes."""
    return await kiln.work(lambda: _file(request, kiln, visibility, key))


def _file(request: Request, kiln: Reached, visibility: Visibility, key: str) -> Response:
    stores, query = kiln.kiln.stores, request.url.query
    storage, filename = stores.local[visibility], None
    try:
        if visibility == "private" or query:
            # The path as it was signed: a proxy may have taken off what `public_url` has before it.
            path = unquote(urlsplit(storage.url(key, seconds=None)).path)
            now = kiln.kiln.room.clock.now()
            filename = verify(path, query, now=now, secrets=stores.secrets, method=request.method)
    except StorageError as error:
        raise refusal(error) from error
    cache = "public, max-age=300" if visibility == "public" else "private, no-cache"
    return answer(request, storage, key, filename=filename, cache=cache)
