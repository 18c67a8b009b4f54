"""Files on their way to the server. What breaks off goes on where it stopped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from renderkiln.client.asking import PREFIX, Patience, ask, data_of, refusal
from renderkiln.client.effects import Answer, Flow, Pause, Request
from renderkiln.client.errors import Conflict, NotFound, ServerUnreachable, WrongBytes
from renderkiln.client.records import Asset
from renderkiln.domain.errors import UserError
from renderkiln.domain.printable import printable

OnBytes = Callable[[int, int], object]  # bytes that are there, bytes of the whole

SMALL = 8_000_000  # bytes that are sent in one request
_BLOCK = 1 << 18  # bytes
_PATIENCE = 300.0  # seconds: the server looks at a whole file before it answers
_TUS = {"Tus-Resumable": "1.0.0"}


@dataclass
class Source:
    """A file that is sent, and hashed as it is read. Raises UserError where it cannot be."""

    path: Path
    on_bytes: OnBytes | None = None
    size: int = 0
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    _hashed: int = 0

    def __post_init__(self) -> None:
        try:
            if not self.path.is_file():
                raise UserError(
                    f"{self.path} is {'a folder' if self.path.is_dir() else 'not there'}: name a file"
                )
            self.size = self.path.stat().st_size
            with self.path.open("rb"):
                pass
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise UserError(
                f"{self.path} cannot be read: {getattr(error, 'strerror', None) or error}"
            ) from error
        if not self.size:
            raise UserError(f"{self.path} is empty")

    def from_(self, offset: int) -> Iterator[bytes]:
        """What is to be sent from there on."""
        with self.path.open("rb") as file:
            file.seek(offset)
            while offset < self.size:
                block = file.read(min(_BLOCK, self.size - offset))
                if not block:
                    raise UserError(f"{self.path} has become shorter while it was uploaded")
                offset += len(block)
                self._hash(block, offset)
                yield block
                if self.on_bytes is not None:
                    self.on_bytes(offset, self.size)

    def check(self, asset: Asset) -> Asset:
        """Raises WrongBytes where the server has got other bytes than these."""
        if self._hashed == self.size and asset.sha256 != self._digest.hexdigest():
            raise WrongBytes(
                f"{self.path} has arrived with other bytes, or was changed meanwhile: upload it again"
            )
        return asset

    def _hash(self, block: bytes, end: int) -> None:
        """What is read a second time, after a break, is hashed already."""
        new = end - self._hashed
        if 0 < new <= len(block):
            self._digest.update(block[len(block) - new :])
            self._hashed = end


def upload(
    path: Path, patience: Patience, *, name: str | None = None, on_bytes: OnBytes | None = None
) -> Flow[Asset]:
    """The asset of a file: the same one for the same content. Raises UserError, RenderkilnApiError."""
    source = Source(path, on_bytes)
    called = printable(name or path.name)
    if source.size <= SMALL:
        request = Request(
            "POST",
            "/assets",
            query={"name": called},
            body=lambda: source.from_(0),
            headers={"Content-Length": str(source.size), "Content-Type": "application/octet-stream"},
            patience=_PATIENCE,
        )
        return source.check(Asset.of((yield from data_of(request, patience))))
    asset_id = yield from _resumably(source, called, patience)
    return source.check(Asset.of((yield from data_of(Request("GET", f"/assets/{asset_id}"), patience))))


def _resumably(source: Source, name: str, patience: Patience) -> Flow[str]:
    """By tus. As long as bytes arrive, it goes on, however often it breaks off."""
    place, offset, tried = (yield from _begin(source, name, patience)), 0, 0
    while True:
        answer = yield from _attempt(source, place, offset)
        if answer is not None and "asset-id" in answer.headers:
            return answer.headers["asset-id"]
        yield Pause(patience.delay(tried + 1))  # by then the server has kept what has come
        told = yield from ask(Request("HEAD", place, headers=_TUS), patience)
        if told.status == 404:
            raise NotFound(
                f"the server has forgotten the upload of {name}", code="UPLOAD_NOT_FOUND", status=404
            )
        if told.status != 200:
            raise refusal(told)
        if "asset-id" in told.headers:
            return told.headers["asset-id"]
        come = int(told.headers.get("upload-offset", 0))
        tried = 0 if come > offset else tried + 1
        offset = come
        if tried >= patience.tries:
            raise ServerUnreachable(
                f"the upload of {name} stays at {offset:,} of {source.size:,} bytes", was_sent=True
            )


def _begin(source: Source, name: str, patience: Patience) -> Flow[str]:
    """Where the bytes are to be sent."""
    called = base64.b64encode(name.encode()).decode()
    headers = {**_TUS, "Upload-Length": str(source.size), "Upload-Metadata": f"filename {called}"}
    answer = yield from ask(Request("POST", f"{PREFIX}/uploads", headers=headers), patience)
    if answer.status != 201:
        raise refusal(answer)
    return answer.headers["location"]


def _attempt(source: Source, place: str, offset: int) -> Flow[Answer | None]:
    """All bytes from an offset on, in one request; None where it broke off, or somebody else writes still."""
    headers = {
        **_TUS,
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(source.size - offset),
    }
    request = Request("PATCH", place, headers=headers, body=lambda: source.from_(offset), patience=_PATIENCE)
    try:
        answer: Answer = yield request
    except ServerUnreachable:
        return None
    if answer.status in (408, 429, 502, 503, 504):
        return None
    if answer.status != 204:
        error = refusal(answer)
        if isinstance(error, Conflict):  # the request that broke off has not ended there yet
            return None
        raise error
    return answer
