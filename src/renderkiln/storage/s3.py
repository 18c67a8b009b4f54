"""A storage in a bucket of S3, by obstore."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.store import S3Store

from renderkiln.domain.clock import Clock, SystemClock
from renderkiln.storage.bucket import Bucket
from renderkiln.storage.contract import NOTHING
from renderkiln.storage.errors import Missing, Taken, Unavailable
from renderkiln.storage.feed import Feed
from renderkiln.storage.forked import refuse_after_fork
from renderkiln.storage.key import check_key, check_prefix, is_key
from renderkiln.storage.metadata import SHA256, check_metadata, decoded, encoded
from renderkiln.storage.presigned import presigned
from renderkiln.storage.reading import Reading
from renderkiln.storage.refusal import Raised, meaning
from renderkiln.storage.source import CHUNK, Progress, Source, measure, spooled
from renderkiln.storage.span import WHOLE, Span
from renderkiln.storage.stored import Listed, Page, Stored
from renderkiln.storage.trouble import trouble

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta, PutResult

PART = 8 * 2**20  # bytes; S3 takes no less than 5 MiB
_MOST_PARTS = 9_000  # S3 takes 10,000
_IN_FLIGHT = 32 * 2**20  # bytes; with what is read ahead, an upload holds about half as much again
_HICCUPS = 2  # a request is asked again so often, at once: a part that fails does not cost the whole upload
_HEADERS = {"cache-control", "content-disposition", "content-encoding", "content-language", "storage-class"}
_DAY = 24 * 3600.0
_LOOK = 1.0  # seconds between two looks whether an upload is to end
_FAREWELL = 3.0  # seconds


class S3Storage:
    """The files of a bucket.

    `patience` is how many seconds a server may be silent; sending a part counts as silence, so a line must
    carry about `_IN_FLIGHT` bytes in that time. `spool` is the folder in which streams become files.
    """

    def __init__(
        self,
        bucket: Bucket,
        *,
        location: str = "s3",
        patience: float = 120.0,
        spool: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._bucket = bucket
        self._location = location
        self._spool = spool
        self._clock = clock or SystemClock()
        self._store = _store(bucket, patience)

    @property
    def location(self) -> str:
        return self._location

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return self._bucket.place

    def put(
        self,
        key: str,
        source: Source,
        *,
        content_type: str,
        metadata: Mapping[str, str] = NOTHING,
        if_absent: bool = False,
        move: bool = False,
        sha256: str | None = None,
        progress: Progress | None = None,
    ) -> Stored:
        """As every storage. Two things of S3:

        Its metadata goes ahead of the bytes, so a file is read twice unless its SHA-256 is known, and a
        stream becomes a file first.
        `if_absent` is certain for files of one part (`PART`) on servers that know conditional requests; else
        another upload of the same key that ends at the same moment may be replaced.

        What was stored is known by its ETag; where that is no MD5 (KMS), the file is read back.
        """
        check_key(key)
        attributes = {"Content-Type": content_type, **encoded(check_metadata(metadata))}
        if if_absent and self.head(key) is not None:
            raise Taken(f"something is stored under {key!r} already")
        with spooled(source, self._spool) as path:
            size, sha256 = measure(path, sha256)
            part = part_size(size) if size > PART else None
            feed = Feed(path, size, sha256, part, progress)
            etag = self._send(key, feed, part, {**attributes, SHA256: sha256}, if_absent=if_absent)
        stored = self._confirmed(key, size, sha256, as_sent=etag == feed.etag.value)
        if progress is not None:
            progress(size)
        if move and isinstance(source, Path):
            with trouble(f"the file {source}"):
                source.unlink(missing_ok=True)
        return stored

    def open(self, key: str, span: Span = WHOLE) -> Reading:
        check_key(key)
        if span == WHOLE:
            found = self._get(key, {})
            stored = self._stored(key, found)
            return self._reading(key, stored, (0, stored.size), found, 0)
        stored = self._stored(key, self._get(key, {"head": True}))
        start, stop = span.within(stored.size)
        options: GetOptions = {"range": (start, stop)}
        if stored.etag:
            options["if_match"] = stored.etag
        found = self._get(key, options, (start, stop))
        return self._reading(key, stored, (start, stop), found, start - found.range[0])

    def head(self, key: str) -> Stored | None:
        check_key(key)
        try:
            return self._stored(key, self._get(key, {"head": True}))
        except Missing:
            return None

    def delete(self, key: str) -> None:
        check_key(key)
        with contextlib.suppress(Missing), self._understood(key):
            obstore.delete(self._store, key)

    def list(self, prefix: str = "", *, after: str | None = None, limit: int = 1000) -> Page:
        check_prefix(prefix)
        items: list[Listed] = []
        with self._understood(prefix):
            found = obstore.list(self._store, prefix or None, offset=after, chunk_size=min(limit, 1000))
            for each in (_listed(one) for batch in found for one in batch):
                if is_key(each.key):
                    items.append(each)
                if len(items) == limit:
                    return Page(items, each.key)
        return Page(items, None)

    def url(self, key: str, *, seconds: int | None, filename: str | None = None) -> str:
        check_key(key)
        if seconds is None:
            return self._bucket.public(key)
        return presigned(self._bucket, key, seconds=seconds, now=self._clock.now(), filename=filename)

    def _send(
        self, key: str, feed: Feed, part: int | None, attributes: dict[str, str], *, if_absent: bool
    ) -> str | None:
        """The ETag that the server gives."""
        how: dict[str, Any] = {"use_multipart": False, "mode": "create" if if_absent else "overwrite"}
        if part is not None:
            how = {"use_multipart": True, "chunk_size": part, "max_concurrency": max(1, _IN_FLIGHT // part)}

        async def send() -> PutResult:
            file = b"".join(feed) if part is None else iter(feed)
            return await _watched(
                obstore.put_async(self._store, key, file, attributes=attributes, **how), feed
            )

        try:
            with self._understood(key):
                return asyncio.run(send())["e_tag"]
        except BaseException:
            if feed.error is not None:
                raise feed.error from None
            raise

    def _confirmed(self, key: str, size: int, sha256: str, *, as_sent: bool) -> Stored:
        """What is there now; raises `Unavailable`, and removes it, if it is our file with other bytes."""
        stored = self.head(key)
        if stored is None:
            raise Unavailable(f"{self._bucket.place} has nothing under {key!r}, which was just stored")
        if as_sent or (stored.size == size and self._reads_as(key, sha256)):
            return stored
        if stored.sha256 == sha256:  # else somebody has replaced it already
            self.delete(key)
        raise Unavailable(f"{self._bucket.place} had other bytes under {key!r} than were sent")

    def _reads_as(self, key: str, sha256: str) -> bool:
        # An ETag that is not made of MD5s tells nothing: then only the bytes themselves do.
        digest = hashlib.sha256()
        with self.open(key) as reading:
            for chunk in reading:
                digest.update(chunk)
        return digest.hexdigest() == sha256

    def _get(self, key: str, options: GetOptions, span: tuple[int, int] | None = None) -> GetResult:
        with self._understood(key):
            try:
                return obstore.get(self._store, key, options=options)
            except obstore.exceptions.PreconditionError:
                raise Unavailable(f"{key!r} was replaced while it was read") from None
            except obstore.exceptions.GenericError as error:
                if span is None or "NotPartial" not in str(error):
                    raise
        # A server that knows no ranges sends the whole file: we cut it.
        whole: GetOptions = {}
        whole.update(options)
        del whole["range"]
        return self._get(key, whole)

    def _reading(
        self, key: str, stored: Stored, span: tuple[int, int], found: GetResult, skip: int
    ) -> Reading:
        left = span[1] - span[0]
        chunks = _cut(self._chunks(key, found), skip, left) if left else iter(())
        return Reading(stored, span, chunks, lambda: None)

    def _chunks(self, key: str, found: GetResult) -> Iterator[bytes]:
        with self._understood(key):
            for chunk in found.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    def _stored(self, key: str, found: GetResult) -> Stored:
        metadata = {str(name).lower(): value for name, value in found.attributes.items()}
        content_type = metadata.pop("content-type", "application/octet-stream")
        sha256 = metadata.pop(SHA256, None)
        kept = {name: value for name, value in metadata.items() if name not in _HEADERS}
        listed = _listed(found.meta)
        return Stored(
            key,
            listed.size,
            listed.etag,
            listed.modified,
            content_type=content_type,
            sha256=sha256,
            metadata=decoded(kept),
            location=self._location,
        )

    @contextmanager
    def _understood(self, key: str) -> Iterator[None]:
        refuse_after_fork()
        try:
            yield
        except Raised as error:
            raise meaning(error, self._bucket.place, key) from None


async def _watched(sending: Awaitable[PutResult], feed: Feed) -> PutResult:
    """Waits for the end of an upload, and for no silent server once the upload is to end."""
    task = asyncio.ensure_future(sending)
    while not (await asyncio.wait([task], timeout=_LOOK))[0]:
        if feed.must_end():
            await asyncio.wait([task], timeout=_FAREWELL)  # a server that answers is told to drop the parts
            task.cancel()
    return await task


def part_size(size: int) -> int:
    """Bytes in a part of a file of `size`: from 70 GiB on they grow, and from 280 GiB on memory with them."""
    return max(PART, -(-size // (_MOST_PARTS * CHUNK)) * CHUNK)


def _store(bucket: Bucket, patience: float) -> S3Store:
    credential: Any = {
        "access_key_id": bucket.access_key,
        "secret_access_key": bucket.secret_key,
        "token": bucket.session_token,
        "expires_at": None,
    }
    provide: Callable[[], Any] = lambda: credential  # noqa: E731  not from the environment, whatever is in it
    return S3Store(
        bucket.name,
        prefix=bucket.prefix or None,
        endpoint=bucket.address.removesuffix(f"/{bucket.name}") if bucket.path_style else bucket.address,
        region=bucket.region,
        virtual_hosted_style_request=not bucket.path_style,
        skip_signature=False,
        unsigned_payload=False,
        disable_bulk_delete=True,  # not all servers know it
        credential_provider=provide,
        client_options={
            "allow_http": bucket.address.startswith("http://"),
            "connect_timeout": timedelta(seconds=min(patience, 10)),
            "read_timeout": timedelta(seconds=patience),
            "timeout": timedelta(seconds=_DAY),  # of a whole file, however slowly it is read
        },
        retry_config={
            "max_retries": _HICCUPS,
            "retry_timeout": timedelta(seconds=3 * patience),
            "backoff": {
                "init_backoff": timedelta(seconds=0.1),
                "max_backoff": timedelta(seconds=1),
                "base": 2,
            },
        },
    )


def _listed(meta: ObjectMeta) -> Listed:
    modified: datetime = meta["last_modified"]
    return Listed(meta["path"], meta["size"], meta["e_tag"] or "", modified)


def _cut(chunks: Iterator[bytes], skip: int, left: int) -> Iterator[bytes]:
    """Without the first `skip` bytes, `left` bytes; raises `Unavailable` where there are less."""
    for chunk in chunks:
        kept = chunk[skip : skip + left]
        skip = max(0, skip - len(chunk))
        left -= len(kept)
        if kept:
            yield kept
        if not left:
            return
    raise Unavailable("a stored file was cut short while it was read")
