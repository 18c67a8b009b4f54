"""Finished files on their way here: continued where they broke off, checked, and only then named."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO, Protocol
from urllib.parse import urljoin

from renderkiln.client.asking import Patience, refusal, retry_after
from renderkiln.client.effects import Answer, Flow, Pause, Request, read, work
from renderkiln.client.errors import RenderkilnApiError, ServerUnreachable, WrongBytes
from renderkiln.client.records import Artifact
from renderkiln.domain.errors import UserError

OnBytes = Callable[[int, int], object]  # bytes that are here, bytes of the whole

_REDIRECTS = 5
_BLOCK = 1 << 20  # bytes


def download(
    artifact: Artifact,
    path: Path,
    patience: Patience,
    *,
    overwrite: bool = False,
    on_bytes: OnBytes | None = None,
) -> Flow[Path]:
    """The file, at `path` or within that folder. One with the same content that is there already is it.

    Raises UserError where another file is there, WrongBytes, RenderkilnApiError.
    """
    target = path / safe_name(artifact.name) if path.is_dir() else path
    if target.exists() and not overwrite:
        return (yield from work(lambda: same(target, artifact)))
    half = half_of(target, artifact)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with half.open("ab") as file:
            yield from _filled(file, half, artifact, patience, on_bytes)
        yield from work(lambda: finish(half, target, artifact, overwrite=overwrite))
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


class Promised(Protocol):
    """What a file is to be when it is here."""

    @property
    def size(self) -> int: ...

    @property
    def sha256(self) -> str: ...


def half_of(target: Path, promised: Promised) -> Path:
    """Where a file lies until it is whole: another content has another place."""
    return target.with_name(f".{target.name[:150]}.{promised.sha256[:12]}.part")


def same(target: Path, promised: Promised) -> Path:
    """The file that is there, if it is this one. Raises UserError."""
    if target.is_file() and target.stat().st_size == promised.size and _sha256(target) == promised.sha256:
        return target
    raise UserError(f"{target} is there already, with other content: choose another place, or overwrite it")


def finish(half: Path, target: Path, promised: Promised, *, overwrite: bool = False) -> None:
    """Give it its name, if it is what was promised. Raises WrongBytes, UserError."""
    if half.stat().st_size != promised.size or _sha256(half) != promised.sha256:
        half.unlink()
        raise WrongBytes(
            f"{target.name} has not arrived as it was made: its SHA-256 differs; download it again"
        )
    with half.open("rb") as file:
        os.fsync(file.fileno())
    if overwrite:
        half.replace(target)
        return
    try:
        os.link(half, target)
    except FileExistsError:
        raise UserError(f"{target} has come to be meanwhile: choose another place, or overwrite it") from None
    except OSError:  # a file system without hard links
        half.rename(target)
    else:
        half.unlink()


def safe_name(name: str) -> str:
    """The last part of a file's name, on any system: a server does not choose folders here."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    return last.replace("\x00", "") if last not in ("", ".", "..") else "file"


def _filled(
    file: BinaryIO, half: Path, artifact: Artifact, patience: Patience, on_bytes: OnBytes | None
) -> Flow[None]:
    """As long as bytes arrive, it goes on, however often it breaks off."""
    tried, size = 0, half.stat().st_size
    if size > artifact.size:
        file.truncate(0)
        size = 0
    while size < artifact.size:
        wished = None
        try:
            answer = yield from _opened(artifact.url, size)
            if answer.status in (429, 502, 503, 504):
                wished = retry_after(answer)
                if tried + 1 >= patience.tries:
                    raise (yield from _refused(answer))
            elif answer.status not in (200, 206):
                raise (yield from _refused(answer))
            else:
                if answer.status == 200:
                    file.truncate(0)
                yield from _poured(file, artifact, on_bytes)
        except ServerUnreachable:
            if tried + 1 >= patience.tries:
                raise
        come = os.fstat(file.fileno()).st_size
        tried = 0 if come > size else tried + 1
        size = come
        if size > artifact.size:
            break
        if size < artifact.size:
            if tried >= patience.tries:
                raise ServerUnreachable(
                    f"{artifact.name} stays at {size:,} of {artifact.size:,} bytes", was_sent=True
                )
            yield Pause(patience.delay(max(1, tried), wished))


def _poured(file: BinaryIO, artifact: Artifact, on_bytes: OnBytes | None) -> Flow[None]:
    """Raises ServerUnreachable where it breaks off; what has come is in the file then."""
    done = os.fstat(file.fileno()).st_size
    try:
        while some := (yield from read()):
            file.write(some)
            done += len(some)
            if on_bytes is not None:
                on_bytes(done, artifact.size)
            if done > artifact.size:
                return  # more than there is: no use to go on
    finally:
        file.flush()


def _opened(url: str, offset: int) -> Flow[Answer]:
    """The streamed answer, from wherever the server sends us; the key stays with the server (see Request)."""
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    # As it is: of what a server would pack, a part cannot be asked for.
    request = Request("GET", url, headers={**headers, "Accept-Encoding": "identity"}, streamed=True)
    for _ in range(_REDIRECTS):
        answer: Answer = yield request
        if answer.status not in (301, 302, 303, 307, 308):
            return answer
        url = urljoin(answer.url, answer.headers.get("location", ""))
        request = Request("GET", url, headers=request.headers, streamed=True)
    raise RenderkilnApiError("the server sends us around in circles", code="TOO_MANY_REDIRECTS")


def _refused(answer: Answer) -> Flow[RenderkilnApiError]:
    body = b""
    while len(body) < 1 << 20 and (some := (yield from read())):
        body += some
    return refusal(Answer(answer.status, answer.headers, body, answer.url))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
