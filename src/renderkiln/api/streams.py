"""Files that arrive: written as they come, so that memory stays flat however large they are."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from renderkiln.api.envelope import Refused
from renderkiln.domain.errors import UserError
from renderkiln.domain.printable import is_printable

PATIENCE = 30.0  # seconds without a byte, or with few
LEAST = 30_000  # bytes that come in that time; who sends fewer only keeps a place
_BLOCK = 1 << 20  # bytes that are written at once


class Arrival:
    """A file on its way into `folder`, under a name of its own; gone when the block ends, unless taken."""

    def __init__(self, folder: Path, largest: int) -> None:
        self._largest = largest
        self.path = folder / f"{secrets.token_hex(16)}.part"
        self.sha256 = ""

    async def __aenter__(self) -> Self:
        await run_in_threadpool(self.path.parent.mkdir, parents=True, exist_ok=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.path.unlink(missing_ok=True)

    async def take(self, request: Request) -> None:
        """All of the body. Raises Refused for too much of it, for nothing, and where it stops coming."""
        digest = hashlib.sha256()
        with self.path.open("wb") as file:
            size = await write(request, file, most=self._largest, hear=digest.update)
        if not size:
            raise Refused(422, "INVALID_REQUEST", "body: it is empty; send the file as it is")
        self.sha256 = digest.hexdigest()


async def write(
    request: Request, file: BinaryIO, *, most: int, hear: Callable[[bytearray], object] | None = None
) -> int:
    """Write the body of a request into `file`, as far as it comes; how many bytes.

    Raises Refused beyond `most` bytes and where no byte comes for long: what has come stays in the file.
    """
    size, chunks, blocks = 0, request.stream().__aiter__(), _Blocks(file, hear)
    clock = asyncio.get_running_loop().time
    since, before = clock(), 0
    try:
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                break
            size += len(chunk)
            if clock() - since > PATIENCE:
                if size - before < LEAST:
                    raise TimeoutError
                since, before = clock(), size
            if size > most:
                raise Refused(
                    413, "TOO_LARGE", f"it has more than {most:,} bytes", headers={"Connection": "close"}
                )
            await blocks.add(chunk)
    except TimeoutError:
        raise Refused(
            408,
            "TIMEOUT",
            f"fewer than {LEAST:,} bytes of it came in {PATIENCE:g} s",
            headers={"Connection": "close"},
        ) from None
    except ClientDisconnect:
        raise Refused(408, "DISCONNECTED", "the connection broke off") from None
    finally:
        await blocks.end()
    return size


class _Blocks:
    """Bytes on their way into a file: one block is written, in a thread, while the next one comes."""

    def __init__(self, file: BinaryIO, hear: Callable[[bytearray], object] | None) -> None:
        self._file, self._hear = file, hear
        self._coming = bytearray()
        self._writing: asyncio.Task[None] | None = None

    async def add(self, chunk: bytes) -> None:
        self._coming += chunk
        if len(self._coming) >= _BLOCK:
            await self._written()
            self._write()

    async def end(self) -> None:
        """All that has come is written."""
        await self._written()
        self._write()
        await self._written()

    def _write(self) -> None:
        block, self._coming = self._coming, bytearray()
        self._writing = asyncio.create_task(run_in_threadpool(self._put, block))

    async def _written(self) -> None:
        if self._writing is not None:
            await self._writing

    def _put(self, block: bytearray) -> None:
        self._file.write(block)
        if self._hear is not None:
            self._hear(block)


def checked_name(name: str) -> str:
    """Raises Refused for a name with characters that none has."""
    if not is_printable(name) or not name.strip():
        raise Refused(
            422,
            "INVALID_REQUEST",
            "query.name: use printable characters",
            details=[{"field": "query.name", "message": "use printable characters"}],
        )
    return name


@contextlib.contextmanager
def unsuitable() -> Iterator[None]:
    """What is wrong with a file becomes the answer."""
    try:
        yield
    except UserError as error:
        raise Refused(422, "UNSUITABLE_FILE", str(error)) from error
